"""The timeline: what happened, in order, and what it did to the score."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.moves.apology import Apologise
from domain.moves.failure import ReportFailure
from domain.moves.obstacle import ReportObstacle
from domain.moves.treatment import AnswerTreatment, ReportTreatment
from projections import timeline
from tests.support.given import CUSTOMER, Story, colleague, named_id, story
from tests.support.ledgers import Book, book


@pytest.fixture
def shelf(module_database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Book]:
    """An empty ledger of the test's own."""
    with book(module_database, tmp_path, f"t{abs(hash(request.node.name))}") as one:
        yield one


def late() -> Story:
    """A parcel is late."""
    return story().when(ReportFailure(what="late", description="late", severity=4, recovery_id=named_id("parcel")))


def kinds(shelf: Book, tale: Story) -> list[str]:
    """The kinds of what is told of this story."""
    shelf.record(tale.facts)
    shelf.projector().catch_up()
    with shelf.source() as source:
        return [moment.kind for moment in timeline.of_customer(source, CUSTOMER).data]


def test_everything_is_told_in_order_with_what_it_did_to_the_score(shelf: Book):
    tale = late().when(Apologise(said="admits"), at=5, actor=colleague("eleni", "accountant", "back"))
    assert kinds(shelf, tale)[:2] == ["relationship.opened", "failure.reported"]
    with shelf.source() as source:
        moments = timeline.of_customer(source, CUSTOMER).data
    failure, apology = moments[1], moments[-1]
    assert (failure.delta, failure.turning_point, failure.role_class) == (-2500, True, "front")
    assert (apology.kind, apology.role_class, apology.turning_point) == ("apology.made", "back", False)
    assert apology.delta > 0
    assert apology.recovery_id == named_id("parcel")
    assert moments[0].delta == 0


def test_obstacles_are_not_for_the_customer(shelf: Book):
    assert "obstacle.encountered" not in kinds(shelf, late().when(ReportObstacle(kind="policy_block"), at=2))


def test_a_report_about_a_named_colleague_and_his_answer_are_not_told(shelf: Book):
    tale = late().when(ReportTreatment(treatment="rude", by_colleague="giannis"), at=2)
    tale.when(AnswerTreatment(note="it was not so"), at=3, actor=colleague("giannis"))
    told = kinds(shelf, tale)
    assert "treatment.reported" not in told
    assert "treatment.answered" not in told


def test_a_report_that_names_nobody_is_told(shelf: Book):
    assert "treatment.reported" in kinds(shelf, late().when(ReportTreatment(treatment="rude"), at=2))


def test_pages_follow_each_other(shelf: Book):
    told = kinds(shelf, late().when(Apologise(said="admits"), at=5))
    with shelf.source() as source:
        seen, after = [], 0
        while after is not None:
            page = timeline.of_customer(source, CUSTOMER, after=after, limit=2)
            seen += [moment.kind for moment in page.data]
            after = page.next
    assert seen == told
