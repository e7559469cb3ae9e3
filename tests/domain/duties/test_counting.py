"""Counting: often enough, close enough together, whatever the steps in which somebody looks."""

from datetime import timedelta

import hypothesis
from hypothesis import strategies as st

from domain.counting import BEGUN, Enough, Met, Tally, counted
from tests.support.careers import day

THREE = Enough(times=3, within=timedelta(days=30))
FIVE_THEN_REST = Enough(times=5, rest=timedelta(days=14))


def all_counted(enough: Enough, *days: float, tally: Tally = BEGUN) -> tuple[Tally, list[tuple[int, ...]]]:
    """The tally after one thing on each of these days, and the positions of every count that was complete."""
    found = []
    for position, at in enumerate(days, start=1):
        tally, complete = counted(enough, tally, Met(position, day(at)))
        if complete:
            found.append(tuple(met.position for met in complete))
    return tally, found


def test_the_third_completes_the_count_and_two_do_not():
    assert all_counted(THREE, 0, 1)[1] == []
    assert all_counted(THREE, 0, 1, 30)[1] == [(1, 2, 3)]


def test_what_lies_too_long_before_the_last_is_left_out():
    assert all_counted(THREE, 0, 1, 30.01)[1] == []
    assert all_counted(THREE, 0, 1, 30.01, 30.5)[1] == [(2, 3, 4)]


def test_without_a_span_it_takes_as_long_as_it_takes():
    assert all_counted(FIVE_THEN_REST, 0, 100, 200, 300, 400)[1] == [(1, 2, 3, 4, 5)]


def test_the_count_begins_anew_once_it_is_complete():
    assert all_counted(THREE, *range(7))[1] == [(1, 2, 3), (4, 5, 6)]


def test_nothing_is_counted_while_whoever_was_asked_has_time_to_answer():
    assert all_counted(FIVE_THEN_REST, 0, 0, 0, 0, 0, 1, 13.9, 14, 14, 14, 14, 14)[1] == [
        (1, 2, 3, 4, 5),
        (8, 9, 10, 11, 12),
    ]


def test_a_tally_holds_no_more_than_what_waits():
    tally, _ = all_counted(THREE, *range(20))
    assert len(tally.waiting) < 3


@hypothesis.given(st.lists(st.integers(0, 90), max_size=30), st.integers(0, 30))
def test_counting_in_two_goes_is_counting_in_one(days: list[int], cut: int):
    whole = all_counted(THREE, *days)
    tally, first = all_counted(THREE, *days[:cut])
    rest = [(position, at) for position, at in enumerate(days, start=1)][cut:]
    found = []
    for position, at in rest:
        tally, complete = counted(THREE, tally, Met(position, day(at)))
        found += [tuple(met.position for met in complete)] if complete else []
    assert (tally, first + found) == whole
