"""Needs: the same training missing three times on one team within 60 days asks for itself (D9)."""

import hypothesis
from hypothesis import strategies as st

from domain.colleagues.needs import Missing, needs
from tests.support.careers import day


def missing(position: int, at: float, team: str = "desk", topic: str = "returns") -> Missing:
    return Missing(position, team, topic, day(at))


def test_three_on_one_team_and_topic_are_a_need():
    [need] = needs([missing(1, 0), missing(2, 20), missing(3, 60)])
    assert (need.team, need.topic, need.position, need.occurred_at) == ("desk", "returns", 3, day(60))
    assert need.counted == (1, 2, 3)


def test_two_are_none():
    assert needs([missing(1, 0), missing(2, 1)]) == []


def test_three_that_lie_further_apart_are_none():
    assert needs([missing(1, 0), missing(2, 20), missing(3, 60.01)]) == []


def test_another_team_or_topic_is_counted_by_itself():
    apart = [missing(1, 0), missing(2, 1, team="workshop"), missing(3, 2, topic="invoices"), missing(4, 3)]
    assert needs(apart) == []


def test_the_count_begins_anew_after_a_need():
    found = needs([missing(position, position) for position in range(1, 8)])
    assert [need.counted for need in found] == [(1, 2, 3), (4, 5, 6)]


def test_the_ledger_s_order_counts_and_late_news_lies_no_time_apart():
    [need] = needs([missing(3, 0), missing(1, 100), missing(2, 101)])
    assert (need.position, need.occurred_at) == (3, day(0))


@hypothesis.given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from("ab")), max_size=30), st.integers(0, 30))
def test_what_comes_later_never_changes_an_earlier_need(said: list[tuple[int, str]], cut: int):
    all_of_them = [missing(position, at, team) for position, (at, team) in enumerate(said, 1)]
    early = needs(all_of_them[:cut])
    assert needs(all_of_them)[: len(early)] == early
