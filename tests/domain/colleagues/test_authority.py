"""Authority used: what a colleague gave in a day, whoever he is."""

from datetime import date, timedelta

import hypothesis
from hypothesis import strategies as st

from domain.colleagues.authority import give_back, left_today, use
from domain.colleagues.state import KEPT_DAYS
from domain.values import CompensationId, Money
from tests.support.careers import Career, joined, known_as
from tests.support.given import named_id

TODAY = date(2026, 3, 2)
LIMIT = Money(minor=150_00, currency="EUR")
GRANT = CompensationId(named_id("plums"))


def euro(cents: int, currency: str = "EUR") -> Money:
    return Money(minor=cents, currency=currency)


def test_what_he_gave_counts_against_his_day_and_no_other():
    career = joined()
    career.given(use(career.state, GRANT, euro(40_00), TODAY))
    assert left_today(career.state, LIMIT, TODAY) == euro(110_00)
    assert left_today(career.state, LIMIT, TODAY + timedelta(days=1)) == LIMIT


def test_it_is_an_event_of_his_own_stream():
    career = joined()
    used = use(career.state, GRANT, euro(1), TODAY)
    assert used.stream.stream_id == known_as("anyone")


def test_whoever_never_joined_is_counted_all_the_same():
    stranger = Career()
    stranger.given(use(stranger.state, GRANT, euro(150_00), TODAY))
    assert left_today(stranger.state, LIMIT, TODAY) == euro(0)
    assert not stranger.state.here


def test_what_came_back_may_be_given_again():
    career = joined()
    career.given(use(career.state, GRANT, euro(40_00), TODAY))
    career.given(give_back(career.state, GRANT, euro(40_00), TODAY))
    assert left_today(career.state, LIMIT, TODAY) == LIMIT


def test_currencies_are_never_added_up():
    career = joined()
    career.given(use(career.state, GRANT, euro(149_00, "PLN"), TODAY))
    assert left_today(career.state, LIMIT, TODAY) == LIMIT
    assert left_today(career.state, euro(150_00, "PLN"), TODAY) == euro(1_00, "PLN")


def test_a_limit_that_was_lowered_leaves_nothing_rather_than_less():
    career = joined()
    career.given(use(career.state, GRANT, euro(100_00), TODAY))
    assert left_today(career.state, euro(50_00), TODAY) == euro(0)


def test_what_comes_back_of_a_day_long_gone_changes_nothing():
    career = joined()
    for nth in range(KEPT_DAYS + 1):
        career.given(use(career.state, GRANT, euro(1_00), TODAY + timedelta(days=nth)))
    assert len(career.state.used) == KEPT_DAYS
    before = career.state.used
    career.given(give_back(career.state, GRANT, euro(1_00), TODAY))
    assert career.state.used == before


@hypothesis.given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60_00)), max_size=20))
def test_a_limit_kept_at_every_grant_is_kept_over_the_day(grants: list[tuple[int, int]]):
    career = Career()
    for nth, cents in grants:
        day = TODAY + timedelta(days=nth)
        if euro(cents).minor <= left_today(career.state, LIMIT, day).minor:
            career.given(use(career.state, GRANT, euro(cents), day))
    assert all(of_day["EUR"] <= LIMIT.minor for of_day in career.state.used.values())
