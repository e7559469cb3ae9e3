"""Targets: what the house promises in time."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from domain.standards.calendar import WEEK, Calendar
from domain.standards.targets import STEPS, TARGETS, Targets, elapsed

OFFICE = Calendar(zone="UTC", hours=dict.fromkeys(WEEK[:5], (("09:00", "17:00"),)))
FRIDAY = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def test_the_promises_that_ship_round_the_clock():
    assert (TARGETS.ref, TARGETS.version) == ("targets:shipped", 1)
    assert {step: TARGETS.body.by_severity(step) for step in STEPS} == {
        "acknowledge": (480 * MINUTE, 240 * MINUTE, 120 * MINUTE, 30 * MINUTE, 15 * MINUTE),
        "first_action": (2 * DAY, 480 * MINUTE, 240 * MINUTE, 120 * MINUTE, 30 * MINUTE),
        "update_interval": (5 * DAY, 3 * DAY, 2 * DAY, DAY, 4 * HOUR),
        "remedy": (10 * DAY, 5 * DAY, 3 * DAY, 2 * DAY, DAY),
        "compensation": (10 * DAY, 7 * DAY, 5 * DAY, 5 * DAY, 3 * DAY),
        "follow_up": (7 * DAY, 5 * DAY, 3 * DAY, 2 * DAY, DAY),
    }


def test_without_a_calendar_business_time_is_all_the_time():
    promises = TARGETS.body
    assert promises.due("acknowledge", 3, FRIDAY, None) == FRIDAY + 120 * MINUTE
    assert promises.due("remedy", 4, FRIDAY, None) == FRIDAY + 2 * DAY


def test_with_a_calendar_business_time_waits_for_the_opening():
    promises = TARGETS.body
    assert promises.due("acknowledge", 3, FRIDAY, OFFICE) == datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
    assert promises.due("remedy", 4, FRIDAY, OFFICE) == datetime(2026, 3, 10, 17, 0, tzinfo=UTC)


def test_days_of_the_calendar_on_the_wall_run_through_the_weekend():
    assert TARGETS.body.due("follow_up", 3, FRIDAY, OFFICE) == FRIDAY + 3 * DAY


def test_at_severity_5_nobody_waits_for_opening_hours():
    assert TARGETS.body.due("acknowledge", 5, FRIDAY, OFFICE) == FRIDAY + 15 * MINUTE
    assert TARGETS.body.due("compensation", 5, FRIDAY, OFFICE) == FRIDAY + 3 * DAY


def test_an_allowance_is_a_number_and_a_unit():
    assert [elapsed(one) for one in ("15 min", "4 h", "1 d", "30 bm", "2 bd")] == [
        15 * MINUTE,
        4 * HOUR,
        DAY,
        30 * MINUTE,
        2 * DAY,
    ]


@pytest.mark.parametrize(
    ("step", "times", "told"),
    [
        ("acknowledge", ("1 h", "2 h", "30 min", "20 min", "10 min"), "severity 2 may not wait longer than 1"),
        ("acknowledge", ("1 hour",) * 5, "pattern"),
        ("acknowledge", ("0 h",) * 5, "pattern"),
        ("acknowledge", ("1 h",) * 4, "Field required"),
        ("remedy", ("401 d",) * 5, "401 d is too long: at most 400 d"),
        ("remedy", ("9601 h",) * 5, "at most 9600 h"),
        ("remedy", ("576001 min",) * 5, "at most 576000 min"),
        ("remedy", ("401 bd",) * 5, "at most 400 bd"),
        ("remedy", ("10001 bm",) * 5, "at most 10000 bm"),
        ("applause", ("1 h",) * 5, "acknowledge"),
    ],
)
def test_promises_that_cannot_be_meant_are_refused_with_what_is_wrong(step: str, times: object, told: str):
    given = TARGETS.body.outside()["allowances"]
    with pytest.raises(ValidationError, match=told):
        Targets.model_validate({"allowances": given | {step: times}})


@pytest.mark.parametrize("longest", ["400 d", "9600 h", "576000 min", "400 bd", "10000 bm"])
def test_the_longest_promise_of_the_house_that_opens_least_comes_due_within_ten_years(longest: str):
    seldom = Calendar(zone="Europe/Athens", hours={"mon": (("09:00", "13:00"),)})
    given = TARGETS.body.outside()["allowances"]
    slow = Targets.model_validate({"allowances": given | {"remedy": (longest,) * 5}})
    assert FRIDAY < slow.due("remedy", 1, FRIDAY, seldom) < FRIDAY + 3650 * DAY


def test_a_step_left_out_is_named():
    given = TARGETS.body.outside()["allowances"]
    del given["follow_up"]
    with pytest.raises(ValidationError, match="missing: follow_up"):
        Targets.model_validate({"allowances": given})
