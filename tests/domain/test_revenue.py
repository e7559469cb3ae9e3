"""What a customer is worth, what may be lost, what may be saved: whole minor units, estimates called so."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.revenue import annual, at_risk, counted_score, margin_of, p_leave, saved


@pytest.mark.parametrize(("a_day", "a_year"), [(15_00, 5_475_00), (20_00, 7_300_00)])
def test_s2_21_fifteen_a_day_is_5475_a_year_and_twenty_is_7300(a_day: int, a_year: int):
    assert annual(a_day, "day") == a_year


@pytest.mark.parametrize(
    ("per", "a_year"), [("day", 3_650_00), ("week", 520_00), ("month", 120_00), ("year", 10_00)]
)
def test_a_year_has_so_many_days_weeks_and_months(per: str, a_year: int):
    assert annual(10_00, per) == a_year


def test_what_a_visit_is_worth_depends_on_how_often_he_comes():
    assert annual(85_50, "visit", visits_per_year=2) == 171_00
    assert annual(85_50, "visit") is None


def test_an_absurd_amount_still_fits_into_a_column():
    assert annual(2**53 - 1, "day") == 2**53 - 1


@pytest.mark.parametrize(
    ("band", "percent"),
    [("critical", 70), ("dissatisfied", 45), ("at_risk", 20), ("satisfied", 5), ("delighted", 2)],
)
def test_until_enough_was_seen_an_assumption_stands(band: str, percent: int):
    assert p_leave(band) == Fraction(percent, 100)
    assert p_leave(band, seen=49, lost=49) == Fraction(percent, 100)


def test_from_fifty_customers_on_what_they_did_counts():
    assert p_leave("satisfied", seen=50, lost=12) == Fraction(13, 52)
    assert p_leave("critical", seen=98, lost=0) == Fraction(1, 100)


def test_at_risk_is_rounded_to_the_even_cent_once():
    assert at_risk(5_475_00, Fraction(20, 100)) == 1_095_00
    assert at_risk(50, Fraction(5, 100)) == 2
    assert at_risk(70, Fraction(5, 100)) == 4


def test_saved_is_how_much_less_likely_he_leaves_than_at_the_worst_moment():
    assert saved(5_475_00, Fraction(70, 100), Fraction(5, 100)) == 3_558_75
    assert saved(5_475_00, Fraction(5, 100), Fraction(20, 100)) == -821_25


def test_of_what_is_saved_the_margin_is_earned():
    assert margin_of(3_558_75, 40) == 1_423_50


def test_nothing_is_earned_from_a_paradox():
    assert counted_score(8970, before_failure=7000) == 7000
    assert counted_score(6850, before_failure=7000) == 6850


@given(st.integers(50, 10**6), st.data())
def test_a_chance_is_never_certain_however_many_left(seen: int, data: st.DataObject):
    lost = data.draw(st.integers(0, seen))
    assert 0 < p_leave("at_risk", seen, lost) < 1
