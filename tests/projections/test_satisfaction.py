"""How content a customer is: the score, what it is made of, and how sure we are."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.milestones import RelationshipOpened, SatisfactionStated
from domain.moves.apology import Apologise
from domain.moves.failure import ReportFailure
from domain.moves.loyalty import ReportLoss, WelcomeBack
from domain.moves.outcome import Close, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import ReportTreatment
from domain.moves.voice import StateSatisfaction
from projections import satisfaction
from projections.satisfaction import Satisfaction
from tests.support.given import CUSTOMER, START, Story, named_id, story
from tests.support.ledgers import Book, book


@pytest.fixture
def shelf(module_database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Book]:
    """An empty ledger of the test's own."""
    with book(module_database, tmp_path, f"t{abs(hash(request.node.name))}") as one:
        yield one


def told(shelf: Book, tale: Story, days: float = 0) -> Satisfaction:
    """What is read, so many days after START, of a customer to whom this happened."""
    shelf.record(tale.facts)
    shelf.projector().catch_up()
    with shelf.source() as source:
        found = satisfaction.of_customer(source, CUSTOMER, START + timedelta(days=days))
    assert found == satisfaction.of_facts(CUSTOMER, tale.facts, START + timedelta(days=days))
    assert found is not None
    return found


def plums() -> Story:
    """The plums were bad, exchanged at once, and we apologised."""
    return (
        story()
        .when(ReportFailure(what="wrong_or_broken", description="bad plums", recovery_id=named_id("plums")))
        .when(Apologise(said="admits", feeling_named=True), at=5)
        .when(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=10)
        .when(Resolve(), at=11)
    )


def test_nothing_is_said_of_somebody_unknown(shelf: Book):
    shelf.projector().catch_up()
    with shelf.source() as source:
        assert satisfaction.of_customer(source, CUSTOMER, START) is None


def test_everybody_starts_at_seventy_and_nobody_knows_why(shelf: Book):
    found = told(shelf, story().given(RelationshipOpened()))
    assert (found.score, found.band, found.basis, found.status) == (7000, "satisfied", "prior", "steady")
    assert (found.confidence, found.coverage, found.open_recoveries) == ("low", None, 0)


def test_a_failure_without_an_answer_is_a_failed_relationship(shelf: Book):
    found = told(shelf, story().when(ReportFailure(what="late", description="late", severity=3)))
    assert (found.score, found.band, found.status) == (5500, "at_risk", "failed")
    assert (found.open_recoveries, found.basis, found.coverage) == (1, "inferred", 0)


def test_an_apology_begins_the_recovery(shelf: Book):
    tale = story().when(ReportFailure(what="late", description="late")).when(Apologise(said="admits"), at=3)
    assert told(shelf, tale).status == "recovering"


def test_good_plums_recover_the_relationship(shelf: Book):
    found = told(shelf, plums())
    assert found.status == "recovered"
    assert 6500 < found.score < 7000
    assert (found.version, found.position) == (len(plums().facts), len(plums().facts))


def test_his_own_word_stands_beside_the_score_and_makes_us_sure_for_ninety_days(shelf: Book):
    tale = plums().when(StateSatisfaction(instrument="CSAT", value=5, about="recovery"), at=60)
    found = told(shelf, tale, days=90)
    assert (found.stated, found.instrument, found.basis) == (9500, "CSAT", "stated")
    assert (found.paradox, found.plausible, found.confidence) == (True, True, "high")


def test_his_word_grows_old(shelf: Book):
    tale = plums().when(StateSatisfaction(instrument="CSAT", value=4, about="recovery"), at=60)
    assert told(shelf, tale, days=91).confidence == "medium"


def test_after_a_new_failure_his_old_word_makes_nobody_sure(shelf: Book):
    tale = plums().when(StateSatisfaction(instrument="CSAT", value=4, about="recovery"), at=60)
    assert told(shelf, tale.when(ReportFailure(what="late", description="again"), at=99)).confidence == "medium"


def test_who_left_is_lost_and_who_came_back_is_won_back(shelf: Book):
    gone = plums().when(ReportLoss(basis="told_us"), at=100)
    assert told(shelf, gone).status == "lost"
    with_return = satisfaction.of_facts(CUSTOMER, gone.when(WelcomeBack(), at=200).facts, START)
    assert with_return is not None
    assert with_return.status == "won_back"


def test_who_stays_dissatisfied_to_the_end_is_not_recovered(shelf: Book):
    tale = plums().when(StateSatisfaction(instrument="CSAT", value=1, about="recovery"), at=60)
    tale = tale.when(DeliverRemedy(remedy_kind="refund"), at=70).when(Apologise(said="admits"), at=71)
    tale = tale.when(Resolve(), at=72).given(
        SatisfactionStated(instrument="CSAT", value=1, about="recovery", recovery_id=named_id("plums")), at=80
    )
    found = told(shelf, tale.when(Close(outcome="dissatisfied"), at=90))
    assert found.status == "unrecovered"
    assert found.band in ("critical", "dissatisfied")


def test_the_terms_add_up_to_the_score_and_name_their_events(shelf: Book):
    tale = plums()
    found = told(shelf, tale)
    with shelf.source() as source:
        explained = satisfaction.explain(source, CUSTOMER)
    assert explained == satisfaction.explain_facts(CUSTOMER, tale.facts)
    assert explained.start + sum(term.change for term in explained.terms) == found.score
    assert explained.terms[0].label == "FailureReported"
    assert explained.terms[0].change == -800
    assert explained.terms[0].recovery_id == named_id("plums")
    assert explained.terms[0].event_id in {fact.event_id for fact in tale.facts}
    assert [term.total for term in explained.terms][-1] == found.score


def test_a_report_about_a_named_colleague_is_not_explained_but_still_adds_up(shelf: Book):
    tale = plums().when(ReportTreatment(treatment="last_word", by_colleague="giannis"), at=20)
    found = told(shelf, tale)
    with shelf.source() as source:
        terms = satisfaction.explain(source, CUSTOMER).terms
    withheld = [term for term in terms if term.label == "withheld"]
    assert withheld
    assert {(term.event_id, term.recovery_id) for term in withheld} == {(None, None)}
    assert not [term for term in terms if "Treatment" in term.label]
    assert 7000 + sum(term.change for term in terms) == found.score
