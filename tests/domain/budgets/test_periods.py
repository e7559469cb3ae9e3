"""Periods: which days belong to a year, a quarter, a month or a week, and which moments in which zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.budgets.periods import Period, PeriodName, names_at, period
from domain.zones import Zone

NAME, ZONE = TypeAdapter(PeriodName), TypeAdapter(Zone)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-w47", date(2026, 11, 16), date(2026, 11, 22)),
        ("2026-w01", date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-w53", date(2026, 12, 28), date(2027, 1, 3)),
    ],
)
def test_a_period_is_these_days(name: str, first: date, last: date):
    assert NAME.validate_python(name) == name
    assert period(name) == Period(first, last)


@pytest.mark.parametrize(
    "name",
    ["", "26", "2026-", "2026-13", "2026-q5", "2026-w54", "2027-w53", "2026-W47", "2026-1", "９999", "1899"],
)
def test_what_names_no_period_is_refused(name: str):
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


def test_a_zone_must_exist():
    assert ZONE.validate_python("Europe/Athens") == "Europe/Athens"
    for unknown in ("Europe/Atlantis", "/etc/passwd", "../UTC"):
        with pytest.raises(ValidationError):
            ZONE.validate_python(unknown)


def test_the_days_are_counted_where_the_budget_is():
    november = period("2026-11")
    before_midnight_in_utc = datetime(2026, 10, 31, 22, 30, tzinfo=UTC)
    assert november.covers(before_midnight_in_utc, "Europe/Athens")
    assert not november.covers(before_midnight_in_utc, "UTC")
    assert november.begins("Europe/Athens") == datetime(2026, 10, 31, 22, 0, tzinfo=UTC)
    assert november.ends("America/New_York") == datetime(2026, 12, 1, 5, 0, tzinfo=UTC)


def test_how_much_of_it_is_over():
    week = period("2026-w47")
    assert week.elapsed(datetime(2026, 11, 1, tzinfo=UTC), "UTC") == 0
    assert week.elapsed(datetime(2026, 11, 19, 12, tzinfo=UTC), "UTC") == 0.5
    assert week.elapsed(datetime(2027, 1, 1, tzinfo=UTC), "UTC") == 1


def test_the_shortest_period_of_a_moment_is_named_first():
    noon = datetime(2026, 11, 18, 11, 0, tzinfo=UTC)
    assert names_at(noon) == ["2026-w47", "2026-11", "2026-q4", "2026"]


def test_around_midnight_both_days_are_named_since_it_is_another_day_elsewhere():
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert names_at(new_year) == ["2026-w53", "2026-12", "2027-01", "2026-q4", "2027-q1", "2026", "2027"]


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=365 * 298)).map(
    lambda gone: datetime(1901, 1, 1, tzinfo=UTC) + gone
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Athens", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kabul"]
)


@given(moment=MOMENTS, zone=ZONES)
def test_in_every_zone_the_moment_lies_in_one_period_of_each_width_that_was_named(moment: datetime, zone: str):
    covering = [name for name in names_at(moment) if period(name).covers(moment, zone)]
    assert [len(name) for name in covering] == [8, 7, 7, 4]
    for name in covering:
        days = period(name)
        assert days.begins(zone) <= moment < days.ends(zone)


@given(moment=MOMENTS)
def test_periods_of_one_width_follow_each_other_without_a_gap(moment: datetime):
    for name in names_at(moment):
        after = datetime.combine(period(name).last + timedelta(days=1), datetime.min.time(), UTC)
        [following] = [one for one in names_at(after + timedelta(hours=12)) if _width(one) == _width(name)]
        assert period(following).first == after.date()


def _width(name: str) -> tuple[int, bool]:
    return len(name), "q" in name
