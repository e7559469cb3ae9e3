"""Calendar: business minutes and days, exact also when the clock is changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.standards.calendar import WEEK, Calendar
from tests.support.soak import examples

ATHENS = ZoneInfo("Europe/Athens")
SHOP = Calendar(
    zone="Europe/Athens",
    hours={**dict.fromkeys(WEEK[:5], (("09:00", "14:00"), ("17:00", "20:30"))), "sat": (("09:00", "15:00"),)},
    holidays={date(2026, 3, 25), date(2026, 10, 28)},
)
MONDAY = {"mon": (("09:00", "13:00"),)}
NIGHT = Calendar(zone="Europe/Athens", hours=dict.fromkeys(WEEK, (("00:00", "06:00"), ("22:00", "24:00"))))
ALWAYS = Calendar(zone="Europe/Athens", hours=dict.fromkeys(WEEK, (("00:00", "24:00"),)))
CALENDARS = st.sampled_from([SHOP, NIGHT, ALWAYS])
AROUND_THE_CHANGES = st.one_of(
    *(
        st.datetimes(start, start + timedelta(days=6))
        for start in (datetime(2026, 3, 26), datetime(2026, 10, 22), datetime(2026, 6, 10))  # noqa: DTZ001
    )
).map(lambda moment: moment.replace(tzinfo=UTC))
MINUTES = st.integers(min_value=0, max_value=4000)


def athens(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ATHENS).astimezone(UTC)


def on_the_wall(calendar: Calendar, moment: datetime) -> bool:
    """Whether the clock on the wall shows a time of an interval, its end not included."""
    local = moment.astimezone(ZoneInfo(calendar.zone))
    if local.date() in calendar.holidays:
        return False
    shown = f"{local:%H:%M}"
    return any(start <= shown < end for start, end in calendar.hours.get(WEEK[local.weekday()], ()))


def walked(calendar: Calendar, moment: datetime, minutes: int) -> datetime:
    """The moment after so many minutes, one after the other, counting those in which the clock shows open."""
    while minutes:
        minutes -= on_the_wall(calendar, moment)
        moment += timedelta(minutes=1)
    return moment


def test_minutes_are_counted_within_the_intervals_only():
    friday = athens(3, 6, 13, 30)
    assert SHOP.after_minutes(friday, 30) == athens(3, 6, 14)
    assert SHOP.after_minutes(friday, 31) == athens(3, 6, 17, 1)
    assert SHOP.after_minutes(friday, 30 + 210 + 1) == athens(3, 7, 9, 1)
    assert SHOP.after_minutes(friday, 30 + 210 + 360 + 1) == athens(3, 9, 9, 1)


def test_what_comes_outside_the_hours_counts_from_the_next_opening():
    sunday = athens(3, 8, 11)
    assert not SHOP.is_open(sunday)
    assert SHOP.after_minutes(sunday, 0) == athens(3, 9, 9)
    assert SHOP.after_minutes(sunday, 60) == athens(3, 9, 10)


def test_a_holiday_is_passed_over():
    assert SHOP.after_minutes(athens(3, 24, 20, 30), 1) == athens(3, 26, 9, 1)
    assert SHOP.after_days(athens(3, 24, 10), 1) == athens(3, 26, 20, 30)


def test_business_days_end_with_the_last_interval_of_the_day():
    friday = athens(3, 6, 13, 30)
    assert SHOP.after_days(friday, 1) == athens(3, 7, 15)
    assert SHOP.after_days(friday, 2) == athens(3, 9, 20, 30)
    assert SHOP.after_days(athens(3, 8, 11), 1) == athens(3, 10, 20, 30)
    assert SHOP.after_days(friday, 0) == friday


def test_in_spring_a_night_lasts_an_hour_less_and_in_autumn_an_hour_more():
    assert NIGHT.after_minutes(athens(3, 29, 0), 5 * 60) == athens(3, 29, 6)
    assert NIGHT.after_minutes(athens(10, 25, 0), 7 * 60) == athens(10, 25, 6)
    assert NIGHT.after_minutes(athens(3, 28, 0), 6 * 60) == athens(3, 28, 6)


def test_an_interval_that_begins_in_the_hour_left_out_begins_when_the_clock_is_changed():
    bakery = Calendar(zone="Europe/Athens", hours={"sun": (("03:30", "05:00"),)} | MONDAY)
    assert bakery.after_minutes(athens(3, 28, 12), 0) == athens(3, 29, 4)
    assert bakery.after_minutes(athens(3, 28, 12), 60) == athens(3, 29, 5)


def test_an_interval_within_the_hour_left_out_does_not_take_place():
    round_of_bread = Calendar(zone="Europe/Athens", hours={"sun": (("03:10", "03:50"),)} | MONDAY)
    assert round_of_bread.after_minutes(athens(3, 28, 12), 1) == athens(3, 30, 9, 1)


def test_the_hour_that_comes_twice_counts_twice():
    bakery = Calendar(zone="Europe/Athens", hours={"sun": (("03:00", "04:00"),)} | MONDAY)
    assert bakery.after_minutes(athens(10, 25, 3), 120) == athens(10, 25, 4)


@examples(150, many=5_000)
@hypothesis.given(calendar=CALENDARS, moment=AROUND_THE_CHANGES, minutes=MINUTES)
def test_it_is_what_comes_out_minute_by_minute(calendar: Calendar, moment: datetime, minutes: int):
    moment = moment.replace(second=0, microsecond=0)
    found = calendar.after_minutes(moment, minutes)
    assert found == (walked(calendar, moment, minutes) if minutes else found)


@examples(150, many=5_000)
@hypothesis.given(calendar=CALENDARS, moment=AROUND_THE_CHANGES, minutes=MINUTES)
def test_it_never_lands_outside_an_interval(calendar: Calendar, moment: datetime, minutes: int):
    found = calendar.after_minutes(moment, minutes)
    just_before = found - timedelta(microseconds=1)
    assert on_the_wall(calendar, found) or on_the_wall(calendar, just_before)
    assert calendar.is_open(found)


@examples(100, many=5_000)
@hypothesis.given(calendar=CALENDARS, moment=AROUND_THE_CHANGES)
def test_adding_nothing_changes_nothing_while_it_is_open(calendar: Calendar, moment: datetime):
    found = calendar.after_minutes(moment, 0)
    assert found == moment or not calendar.is_open(moment)
    assert calendar.after_minutes(found, 0) == found == calendar.after_days(moment, 0)


@examples(150, many=5_000)
@hypothesis.given(calendar=CALENDARS, moment=AROUND_THE_CHANGES, first=MINUTES, then=MINUTES)
def test_minutes_added_in_two_parts_are_the_minutes_added_at_once(
    calendar: Calendar, moment: datetime, first: int, then: int
):
    at_once = calendar.after_minutes(moment, first + then)
    assert calendar.after_minutes(calendar.after_minutes(moment, first), then) == at_once


@examples(150, many=5_000)
@hypothesis.given(calendar=CALENDARS, moment=AROUND_THE_CHANGES, first=st.integers(0, 12), then=st.integers(0, 12))
def test_days_added_in_two_parts_are_the_days_added_at_once(
    calendar: Calendar, moment: datetime, first: int, then: int
):
    at_once = calendar.after_days(moment, first + then)
    assert calendar.after_days(calendar.after_days(moment, first), then) == at_once


@examples(150, many=5_000)
@hypothesis.given(
    calendar=CALENDARS, one=AROUND_THE_CHANGES, other=AROUND_THE_CHANGES, minutes=MINUTES, days=st.integers(0, 9)
)
def test_what_comes_later_is_never_due_sooner(
    calendar: Calendar, one: datetime, other: datetime, minutes: int, days: int
):
    earlier, later = sorted((one, other))
    assert calendar.after_minutes(earlier, minutes) <= calendar.after_minutes(later, minutes)
    assert calendar.after_days(earlier, days) <= calendar.after_days(later, days)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"zone": "Athens"}, "no zone of the time zone database"),
        ({"zone": "../etc"}, "no zone of the time zone database"),
        ({"hours": {}}, "never opens"),
        ({"hours": {"mon": []}}, "never opens"),
        ({"hours": {"mon": [["09:00", "12:59"]]}}, "open 239 minutes a week; it needs 240 at least"),
        ({"hours": {"mon": [[f"{hour:02}:00", f"{hour:02}:30"] for hour in range(13)]}}, "at most 12 items"),
        ({"hours": {"mon": [["17:00", "09:00"]]}}, "ends before it begins"),
        ({"hours": {"mon": [["09:00", "14:00"], ["13:00", "18:00"]]}}, "put the intervals in order"),
        ({"hours": {"mon": [["9:00", "14:00"]]}}, "pattern"),
        ({"hours": {"monday": [["09:00", "14:00"]]}}, "mon"),
        ({"opening": True}, "Extra inputs"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused_with_what_to_do(wrong: dict[str, object], told: str):
    given = {"zone": "Europe/Athens", "hours": {"mon": [["09:00", "17:00"]]}}
    with pytest.raises(ValidationError, match=told):
        Calendar.model_validate(given | wrong)
