"""When a delivery that failed is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.webhooks.schedule import LONGEST, RESTS, asked_rest, rest

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_rests_grow_from_seconds_to_a_day_and_end_after_three_days():
    rests = [rest(failures, 0.0) for failures in range(1, 11)]
    assert rests[:3] == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)]
    assert rests[8:] == [timedelta(hours=24), None]
    given = [one for one in rests if one is not None]
    assert given == sorted(given)
    assert timedelta(days=3) < sum(given, timedelta()) < timedelta(days=4)


def test_chance_makes_rests_longer_by_a_fifth_at_most():
    assert rest(3, 0.5) == timedelta(minutes=33)
    assert rest(3, 1.0) == timedelta(minutes=36)
    assert rest(9, 1.0) == LONGEST


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("Mon, 02 Mar 2026 10:30:00 GMT", timedelta(minutes=90)),
        ("Monday, 02-Mar-26 10:30:00 GMT", timedelta(minutes=90)),
        ("Mon Mar  2 10:30:00 2026", timedelta(minutes=90)),
        ("Mon, 02 Mar 2026 08:00:00 GMT", timedelta()),
        ("86400", timedelta(hours=24)),
        ("86401", timedelta(hours=24)),
        ("9" * 5000, timedelta(hours=24)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=24)),
    ],
)
def test_a_receiver_may_say_how_long_to_wait_in_seconds_or_until_when_and_not_beyond_a_day(
    said: str, wanted: timedelta
):
    assert asked_rest(said, NOW) == wanted


@pytest.mark.parametrize(
    "said", ["", "-1", "1.5", "soon", "\u0661\u0662", "Mon, 02 Mar 2026 25:61:00 GMT", "Mon, 99 Foo 2026"]
)
def test_what_says_no_time_asks_for_nothing(said: str):
    assert asked_rest(said, NOW) == timedelta()


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_whatever_a_receiver_says_he_is_left_alone_for_a_day_at_most(said: str):
    assert timedelta() <= asked_rest(said, NOW) <= RESTS[-1]


def test_what_is_asked_for_makes_a_rest_longer_and_never_shorter():
    assert rest(1, 0.0, timedelta(hours=1)) == timedelta(hours=1)
    assert rest(1, 1.0, timedelta(hours=1)) == timedelta(minutes=72)
    assert rest(3, 0.0, timedelta(minutes=1)) == timedelta(minutes=30)
    assert rest(1, 1.0, RESTS[-1]) == LONGEST
    assert rest(10, 0.0, timedelta(hours=1)) is None
