"""Rates: intervals and quantiles as the literature prints them, and when a figure says nothing."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rates import comparable, hidden, quantile, rate, spread, spread_of_counts, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_newcombe_1998_table_1_method_3(hits: int, n: int, low: float, high: float):
    found = rate(hits, n)
    assert (found.low, found.high) == (low, high)


def test_a_rate_says_how_many_it_is_of():
    assert rate(81, 263).model_dump() == {"hits": 81, "n": 263, "share": 0.308, "low": 0.2553, "high": 0.3662}


def test_a_rate_of_nothing_says_nothing():
    assert rate(0, 0).model_dump() == {"hits": 0, "n": 0, "share": None, "low": None, "high": None}


@pytest.mark.parametrize(("hits", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_more_hits_than_cases_are_no_share(hits: int, n: int):
    with pytest.raises(ValueError, match="no share"):
        wilson(hits, n)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_in_its_interval_and_the_interval_in_zero_to_one(case: tuple[int, int]):
    hits, n = case
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1


def test_quantiles_lie_between_two_values_in_proportion():
    # R: quantile(1:10, 0.9) is 9.1; median(c(1, 2, 3, 4)) is 2.5.
    assert quantile(range(1, 11), 0.9) == pytest.approx(9.1)
    assert quantile([4, 1, 3, 2], 0.5) == 2.5
    assert quantile([7], 0.9) == 7


def test_a_quantile_of_nothing_is_nothing_and_beyond_all_is_refused():
    assert quantile([], 0.5) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile([1], 1.1)


@given(st.lists(st.integers(-1_000, 1_000), min_size=2, max_size=60))
def test_quantiles_agree_with_those_of_the_standard_library(values: list[int]):
    nine = statistics.quantiles(values, n=10, method="inclusive")
    assert quantile(values, 0.9) == pytest.approx(nine[8])
    assert quantile(values, 0.5) == pytest.approx(statistics.median(values))


def test_a_spread_has_the_number_the_middle_and_the_tail():
    assert spread([0, 0, 0, 4, 6]).model_dump() == {"n": 5, "median": 0, "p90": 5.2}
    assert spread_of_counts({0: 3, 4: 1, 6: 1}) == spread([0, 0, 0, 4, 6])
    assert spread([]).model_dump() == {"n": 0, "median": None, "p90": None}


def test_a_figure_about_fewer_than_five_colleagues_is_hidden():
    assert [hidden(n) for n in (0, 4, 5)] == [True, True, False]


def test_two_groups_are_compared_from_twenty_cases_each():
    assert [comparable(*pair) for pair in ((19, 400), (20, 20), (400, 19))] == [False, True, False]
