"""Watching a budget: it warns when much is gone, and when it goes too fast (D5)."""

from datetime import UTC, datetime, timedelta

from domain.budgets.commands import CloseBudget
from domain.budgets.drawing import commit, reserve
from domain.budgets.watch import watch
from tests.support.budgets import Purse, eur, grant, opened

BEGINS = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
NOON_THURSDAY = BEGINS + timedelta(days=3.5)


def spent(amount: str, promised: str = "0.00") -> Purse:
    """A budget of 100.00 for one week of which so much is spent, and so much promised."""
    week = opened(period="2026-w47")
    week.then(commit(week.state, grant("one"), eur(amount)))
    return week.then(reserve(week.state, grant("two"), eur(promised), None))


def test_d5_it_warns_from_the_share_on_that_it_was_told():
    ends = BEGINS + timedelta(days=7)
    assert watch(spent("79.99").state, ends).warnings == ()
    assert watch(spent("50.00", "30.00").state, ends).warnings == ("share",)
    assert watch(spent("50.00", "30.00").state, ends).share == 0.8


def test_d5_it_warns_when_the_money_goes_faster_than_the_time():
    calm, hasty = watch(spent("60.00").state, NOON_THURSDAY), watch(spent("60.01").state, NOON_THURSDAY)
    assert (calm.elapsed, calm.burn_rate, calm.warnings) == (0.5, 1.2, ())
    assert (hasty.burn_rate, hasty.warnings) == (1.2002, ("burn_rate",))


def test_the_first_hours_of_a_period_say_nothing_about_its_speed():
    morning = watch(spent("20.00").state, BEGINS + timedelta(hours=9))
    assert (morning.burn_rate, morning.warnings) == (None, ())
    assert watch(spent("20.00").state, BEGINS + timedelta(hours=16.8)).burn_rate == 2.0


def test_before_its_period_a_budget_has_no_speed_and_after_it_the_whole_counts():
    assert watch(spent("0.00").state, BEGINS - timedelta(days=1)).elapsed == 0
    after = watch(spent("50.00").state, BEGINS + timedelta(days=30))
    assert (after.elapsed, after.burn_rate) == (1, 0.5)


def test_what_is_closed_warns_of_nothing():
    assert watch(spent("100.00").when(CloseBudget()).state, NOON_THURSDAY).warnings == ()
