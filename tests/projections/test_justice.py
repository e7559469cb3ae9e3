"""Justice: what customers got, how they were met, how it went; per recovery, and on average by kind of failure."""

from domain.moves.failure import ReportFailure
from domain.moves.outcome import Close
from projections import justice
from projections.justice import JusticeReport, Justices
from projections.period import Period
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, period, told
from tests.support.stories import put_right, report, reported, resolved

FIRST = named_id("customer 0")


def of(shelf: Book, *tales: Story, within: Period | None = None) -> JusticeReport:
    """The report after these stories."""
    found: JusticeReport = asked(told(shelf, *tales), justice.report, within)
    return found


def three(one: Justices | None) -> tuple[float, float, float]:
    """Distributive, interactional, procedural."""
    assert one is not None
    return one.distributive, one.interactional, one.procedural


def test_plums_exchanged_at_once_with_an_honest_apology(shelf: Book):
    """Exchanged in kind 60, nothing more expected 40; words 8 + 10 + 10 and respect 30; all of the procedure."""
    found = of(shelf, resolved())
    assert (found.n, three(found.overall)) == (1, (100, 58, 100))
    assert found.overall is not None
    assert found.overall.satisfaction == 85


def test_averages_are_told_by_kind_of_failure_with_their_number(shelf: Book):
    withdrawn = resolved(severity=5).when(Close(outcome="withdrawn"), at=30)
    found = of(shelf, resolved(), resolved(severity=4), resolved(what="late"), withdrawn)
    assert [(one.failure_kind, one.n) for one in found.by_kind] == [("core", 2), ("procedural", 1)]
    assert three(found.by_kind[0].average) == (80, 58, 100)


def test_what_is_not_ended_yet_is_not_judged(shelf: Book):
    assert of(shelf, put_right(), reported()).n == 0
    assert of(shelf).overall is None


def test_one_customers_recoveries_are_told_one_by_one_open_ones_too(shelf: Book):
    tale = resolved().when(ReportFailure(what="late", description="late", recovery_id=named_id("late")), at=50)
    told(shelf, tale, resolved())
    found = asked(shelf, justice.report, None, FIRST)
    assert found.recoveries is not None
    assert [(one.recovery_id, one.phase, three(one)) for one in found.recoveries] == [
        (named_id("late"), "reported", (0, 0, 0)),
        (named_id("plums"), "resolved", (100, 58, 100)),
    ]
    assert found.n == 1


def test_without_a_customer_no_recovery_is_told_by_itself(shelf: Book):
    assert of(shelf, resolved()).recoveries is None


def test_the_period_goes_by_when_it_was_reported(shelf: Book):
    assert of(shelf, resolved(), within=period(since=0, until=1)).n == 1
    assert asked(shelf, justice.report, period(since=1)).n == 0


def test_of_more_than_can_be_looked_at_the_latest_count_and_it_says_so(shelf: Book):
    tale = resolved().when(report("again"), at=60)
    told(shelf, tale, resolved(), resolved(severity=4))
    found = asked(shelf, justice.report, None, None, 2)
    assert (found.n, found.left_out) == (2, 1)
