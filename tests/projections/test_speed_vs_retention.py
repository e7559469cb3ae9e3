"""Speed and retention: whether those whom we helped quickly are still there half a year later."""

from domain.moves.loyalty import ReportLoss, WelcomeBack
from domain.moves.outcome import Resolve
from domain.moves.relationship import PersonalDataErased
from projections import speed_vs_retention
from projections.recovery_rows import Recoveries
from projections.worth import Worth
from tests.support import reporting
from tests.support.given import Story
from tests.support.ledgers import Book
from tests.support.reporting import asked, period
from tests.support.stories import put_right

DAY = 24 * 60


def told(shelf: Book, *tales: Story) -> Book:
    """The shelf with each of these stories told, and the read models that this report asks caught up."""
    return reporting.told(shelf, *tales, only=(Recoveries(), Worth()))


def solved(minutes: int, *, lost: float | None = None, back: float | None = None) -> Story:
    """Resolved after so many minutes; he left, and came back, after so many days."""
    tale = put_right().when(Resolve(), at=minutes)
    if lost is not None:
        tale.when(ReportLoss(basis="told_us"), at=lost * DAY)
    if back is not None:
        tale.when(WelcomeBack(), at=back * DAY)
    return tale


def test_s2_25_the_share_kept_is_told_by_quarter_of_how_long_it_took_with_n(shelf: Book):
    tales = [solved(10 + n, lost=90 if n % 10 == 0 else None) for n in range(60)]
    tales += [solved(100 + n, lost=90 if n % 2 == 0 else None) for n in range(60)]
    found = asked(told(shelf, *tales), speed_vs_retention.report)
    assert found.n == 120
    assert [(one.n, one.from_minutes, one.to_minutes) for one in found.quarters] == [
        (30, 10, 39),
        (30, 40, 69),
        (30, 100, 129),
        (30, 130, 159),
    ]
    assert [one.kept.share for one in found.quarters] == [0.9, 0.9, 0.5, 0.5]
    assert (found.quarters[0].kept.low, found.quarters[0].kept.high) == (0.7438, 0.9654)


def test_s2_25_of_fewer_than_thirty_nothing_is_told_but_their_number(shelf: Book):
    found = asked(told(shelf, *(solved(10 + n) for n in range(8))), speed_vs_retention.report)
    assert [(one.n, one.kept) for one in found.quarters] == [(2, None)] * 4


def test_equal_times_stand_in_one_quarter(shelf: Book):
    found = asked(told(shelf, *(solved(10) for _ in range(31))), speed_vs_retention.report)
    [first, *others] = found.quarters
    assert (first.n, first.kept.hits) == (31, 31)
    assert [(one.n, one.from_minutes, one.kept) for one in others] == [(0, None, None)] * 3


def test_who_left_later_or_came_back_in_time_was_kept(shelf: Book):
    tales = [solved(10, lost=181), solved(10, lost=20, back=100), solved(10, lost=20, back=200)]
    found = asked(told(shelf, *tales, *(solved(10) for _ in range(30))), speed_vs_retention.report)
    assert (found.quarters[0].kept.hits, found.quarters[0].n) == (32, 33)


def test_only_what_could_be_followed_for_half_a_year_counts_and_nobody_who_was_forgotten(shelf: Book):
    forgotten = solved(10).given(PersonalDataErased(request="r-1"), at=30 * DAY)
    shelf = told(shelf, solved(10), forgotten)
    assert asked(shelf, speed_vs_retention.report).n == 1
    assert asked(shelf, speed_vs_retention.report, period(as_of=179 * DAY)).n == 0
    assert asked(shelf, speed_vs_retention.report, period(since=11)).n == 0
