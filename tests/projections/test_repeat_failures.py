"""Repeat failures: what comes back to the same customer, and whether a change made it less."""

from typing import Any

import pytest

from domain.moves.outcome import Close
from projections import repeat_failures
from projections.period import Period
from projections.repeat_failures import Frequency, RepeatReport
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, minute, period, told
from tests.support.stories import report, reported

DAY = 24 * 60
LONG_AFTER = period(as_of=1000 * DAY)


def of(shelf: Book, *tales: Story, within: Period = LONG_AFTER, **more: Any) -> RepeatReport:
    """The report after these stories, long after all of them."""
    told(shelf, *tales)
    found: RepeatReport = asked(
        shelf, lambda source, within: repeat_failures.report(source, within, **more), within
    )
    return found


def again(days: float, first: float = 0, **more: Any) -> Story:
    """The same failed on a first day, and again so many days later."""
    tale = reported_on(first, **more)
    return tale.when(report("again", **more), at=(first + days) * DAY)


def reported_on(day: float, **more: Any) -> Story:
    """One failure on this day."""
    return Story().when(report(**more), at=day * DAY)


def shares(one: Frequency) -> tuple[int, int, int]:
    """Failures; how many came back of how many followed."""
    return one.failures, one.again.hits, one.again.n


@pytest.mark.parametrize(("days", "hits"), [(180, 1), (180.01, 0), (1, 1)])
def test_the_same_within_180_days_is_a_repetition(shelf: Book, days: float, hits: int):
    assert shares(of(shelf, again(days)).overall) == (2, hits, 2)


def test_of_another_customer_or_of_another_sort_it_is_none(shelf: Book):
    other = reported().when(report("again", what="late"), at=DAY)
    assert shares(of(shelf, reported(), reported(), other).overall) == (4, 0, 4)


def test_each_sort_is_counted_the_most_frequent_first(shelf: Book):
    found = of(shelf, again(5), reported(what="late"), again(9), reported(what="billed_wrong"))
    assert [(one.similarity_key, *shares(one), one.customers) for one in found.data] == [
        ("wrong_or_broken:", 4, 2, 4, 2),
        ("billed_wrong:", 1, 0, 1, 1),
        ("late:", 1, 0, 1, 1),
    ]
    assert (found.n, found.keys) == (6, 3)


def test_what_could_not_be_followed_long_enough_says_nothing_yet(shelf: Book):
    """On day 185 only the first of the two, reported on day 0, has been followed for 180 days."""
    found = of(shelf, again(10), within=period(as_of=185 * DAY))
    assert shares(found.overall) == (2, 1, 1)
    assert (found.overall.again.low, found.overall.again.high) == (0.2065, 1.0)


def test_a_report_in_error_is_no_failure(shelf: Book):
    tale = again(5).when(Close(outcome="entered_in_error", recovery_id=named_id("again")), at=6 * DAY)
    assert shares(of(shelf, tale).overall) == (1, 0, 1)


def test_a_shorter_time_may_be_asked_for_and_one_sort_alone(shelf: Book):
    assert shares(of(shelf, again(31), within_days=30).overall) == (2, 0, 2)
    assert (
        asked(shelf, lambda source, within: repeat_failures.report(source, within, similarity_key="late:")).n == 0
    )


def test_s1_25_recurrence_before_and_after_a_change_with_n(shelf: Book):
    """Before the change on day 400 half of 20 came back, after it 1 of 20."""
    before = [again(10, first=n) for n in range(10)]
    after = [again(10, first=420)] + [reported_on(420 + n) for n in range(18)]
    found = of(shelf, *before, *after, changed_at=minute(400 * DAY), within_days=30).change
    assert found is not None
    assert (shares(found.before), shares(found.after)) == ((20, 10, 20), (20, 1, 20))
    assert (found.difference, found.why_not) == (-0.45, None)
    assert (found.after.again.low, found.after.again.high) == (0.0089, 0.2361)


def test_s1_25_with_fewer_than_twenty_on_a_side_nothing_is_compared(shelf: Book):
    before = [again(10, first=n) for n in range(10)]
    found = of(shelf, *before, reported_on(500), changed_at=minute(400 * DAY)).change
    assert found is not None
    assert (found.difference, found.why_not) == (
        None,
        "fewer than 20 failures were followed for so long on one side",
    )


def test_a_failure_just_before_the_change_is_followed_on_neither_side(shelf: Book):
    found = of(shelf, again(10, first=395), changed_at=minute(400 * DAY), within_days=30).change
    assert found is not None
    assert (shares(found.before), shares(found.after)) == ((1, 0, 0), (1, 0, 1))


def test_each_sort_is_compared_too(shelf: Book):
    found = of(shelf, again(10), reported_on(500, what="late"), changed_at=minute(400 * DAY))
    changes = {one.similarity_key: one.change for one in found.data}
    assert changes["late:"] is not None
    assert (changes["late:"].before.failures, changes["late:"].after.failures) == (0, 1)
    assert asked(shelf, repeat_failures.report).data[0].change is None


def test_what_comes_back_after_the_period_came_back(shelf: Book):
    found = of(shelf, again(10), within=Period(None, minute(5 * DAY), minute(1000 * DAY)))
    assert shares(found.overall) == (1, 1, 1)
