"""Follow-ups: how sure and how well treated, beside how content; and whether it was what he had wished for."""

from typing import Any

from domain.moves.apology import Apologise
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.outcome import Close, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import ReportTreatment
from projections import follow_ups
from projections.aftermath import Aftermath
from projections.recovery_rows import Recoveries
from tests.support import reporting
from tests.support.given import Story
from tests.support.ledgers import Book
from tests.support.reporting import asked, period
from tests.support.stories import reported, resolved


def told(shelf: Book, *tales: Story) -> Book:
    """The shelf with each of these stories told, and the read models that this report asks caught up."""
    return reporting.told(shelf, *tales, only=(Aftermath(), Recoveries()))


def followed(outcome: str = "satisfied", *, at: float = 30, **said: Any) -> Story:
    """It was resolved, and the customer was asked how it went."""
    return resolved().when(CompleteFollowUp.model_validate({"outcome": outcome} | said), at=at)


def wished(met: bool | None) -> Story:
    """A remedy was delivered; `met` says whether it was what he had wished for, if anybody said so."""
    remedy = DeliverRemedy(remedy_kind="replacement", resolves="full", meets_desire=met)
    return reported(desired_outcome="Plums that are ripe.").when(remedy, at=5)


def test_s3_17_confidence_stands_beside_satisfaction(shelf: Book):
    tales = [followed(confidence=mark) for mark in (5, 4, 2)] + [
        followed("dissatisfied", confidence=1),
        followed(),
    ]
    found = asked(told(shelf, *tales), follow_ups.report)
    assert (found.n, found.satisfied.hits, found.satisfied.n) == (5, 4, 5)
    assert (found.confidence.n, found.confidence.mean, found.confidence.counts) == (
        4,
        3.0,
        {1: 1, 2: 1, 4: 1, 5: 1},
    )
    assert (found.confidence.good.hits, found.confidence.good.low) == (2, 0.15)
    content, other = found.by_outcome
    assert (content.outcome, content.n, content.confidence.mean) == ("satisfied", 4, 3.67)
    assert (other.outcome, other.confidence.mean) == ("dissatisfied", 1.0)


def test_who_was_not_reached_said_nothing(shelf: Book):
    found = asked(told(shelf, followed("unreachable"), followed("partly", would_return=True)), follow_ups.report)
    assert (found.n, found.satisfied.hits, found.satisfied.n) == (2, 0, 1)
    assert (found.would_return.hits, found.would_return.n, found.confidence.mean) == (1, 1, None)


def test_s2_8_how_he_was_treated_is_asked_and_poor_treatment_is_told_per_resolved_with_its_interval(shelf: Book):
    harmed = resolved().when(ReportTreatment(treatment="last_word"), at=20)
    put_right_again = (
        resolved().when(ReportTreatment(treatment="blaming"), at=20).when(Apologise(said="admits"), at=22)
    )
    put_right_again.when(Resolve(), at=25)
    before = reported().when(ReportTreatment(treatment="blaming"), at=1)
    tales = [followed(treatment=5), followed(treatment=3), harmed, put_right_again, before]
    found = asked(told(shelf, *tales), follow_ups.report)
    after = found.treated_poorly_after
    assert (after.hits, after.n, after.share, after.low, after.high) == (2, 4, 0.5, 0.15, 0.85)
    assert (found.treatment.mean, found.treatment.good.hits) == (4.0, 1)


def test_s2_12_the_share_of_remedies_that_met_the_wish(shelf: Book):
    found = asked(told(shelf, wished(True), wished(True), wished(False), wished(None)), follow_ups.report)
    assert (found.wish_met.hits, found.wish_met.n, found.wish_met.share) == (2, 3, 0.6667)


def test_it_is_of_the_period_and_as_of_then(shelf: Book):
    shelf = told(shelf, followed(at=30), followed(at=90), wished(True))
    assert asked(shelf, follow_ups.report, period(since=60)).n == 1
    assert asked(shelf, follow_ups.report, period(as_of=40)).n == 1
    assert asked(shelf, follow_ups.report, period(since=6)).wish_met.n == 0
    assert asked(shelf, follow_ups.report, period(since=1)).treated_poorly_after.n == 0


def test_what_was_entered_in_error_does_not_count(shelf: Book):
    tale = wished(True).when(Close(outcome="entered_in_error"), at=9)
    found = asked(told(shelf, tale), follow_ups.report)
    assert (found.wish_met.n, found.treated_poorly_after.share, found.by_outcome) == (0, None, [])
