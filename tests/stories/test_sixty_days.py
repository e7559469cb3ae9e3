"""Sixty days by the promises and opening hours of the house, over HTTP: the same events however often we look."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stories.test_clock import BURNT, DAY, clock_events, pass_time, put_right
from tests.support.customers import Customer, customer
from tests.support.http import Service

OPEN = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
PROMISED = {
    "acknowledge": ["480 bm", "240 bm", "120 bm", "30 bm", "15 min"],
    "first_action": ["2 bd", "480 bm", "240 bm", "120 bm", "30 min"],
    "update_interval": ["5 bd", "3 bd", "2 bd", "1 bd", "4 h"],
    "remedy": ["10 bd", "5 bd", "3 bd", "2 bd", "24 h"],
    "compensation": ["10 bd", "7 bd", "5 bd", "5 bd", "3 bd"],
    "follow_up": ["7 d", "5 d", "3 d", "2 d", "1 d"],
}
# It begins on Monday the second of March at two in the afternoon in Athens, two hours before UTC.
NOBODY_CAME = [
    ("2026-03-02T14:00:00Z", "amends.deadline.missed.v1", "acknowledge"),
    ("2026-03-03T08:00:00Z", "amends.deadline.missed.v1", "first_action"),
    ("2026-03-03T08:00:00Z", "amends.escalation.raised.v1", "1"),
    ("2026-03-03T12:00:00Z", "amends.escalation.raised.v1", "2"),
    ("2026-03-03T16:00:00Z", "amends.escalation.raised.v1", "3"),
    ("2026-03-04T15:00:00Z", "amends.silence.noticed.v1", "1"),
    ("2026-03-05T15:00:00Z", "amends.deadline.missed.v1", "remedy"),
    ("2026-03-06T15:00:00Z", "amends.silence.noticed.v1", "2"),
    ("2026-03-09T15:00:00Z", "amends.deadline.missed.v1", "compensation"),
    ("2026-03-10T15:00:00Z", "amends.silence.noticed.v1", "3"),
    ("2026-03-12T15:00:00Z", "amends.silence.noticed.v1", "4"),
    ("2026-03-16T15:00:00Z", "amends.silence.noticed.v1", "5"),
    ("2026-03-18T15:00:00Z", "amends.silence.noticed.v1", "6"),
    ("2026-03-20T15:00:00Z", "amends.silence.noticed.v1", "7"),
]


def publish_opening_hours(house: Service) -> None:
    """The house promises what it promises in its own hours."""
    house.post(
        "/v1/standards", {"kind": "calendar", "name": "shop", "body": {"zone": "Europe/Athens", "hours": OPEN}}
    )
    house.post(
        "/v1/standards",
        {"kind": "targets", "name": "shipped", "body": {"allowances": PROMISED, "calendar": "shop"}},
    )


def planned(house: Service, told: Customer) -> list[str]:
    """When this customer is to be asked, by the plans in the ledger."""
    plans = [one for one in house.get("/v1/events?limit=500")["data"] if "follow_up.scheduled" in one["type"]]
    return [one["data"]["due_at"] for one in plans if one["subject"] == told.customer_id]


@pytest.mark.parametrize("steps", [3, 60])
def test_s4_2_sixty_days_by_the_standards_of_the_house_are_the_same_however_often_we_look(
    amends: Service, steps: int
):
    publish_opening_hours(amends)
    forgotten, asleep = customer(amends, "forgotten"), customer(amends, "asleep at three")
    forgotten.when("report-failure", **BURNT)
    asleep.when("set-contact-preferences", quiet_hours={"start": "14:05", "end": "16:30"})
    put_right(asleep)
    small = customer(amends, "small")
    put_right(small, severity=2)

    pass_time(amends, 60 * DAY, steps=steps)

    assert clock_events(amends, forgotten) == NOBODY_CAME
    # The score knows no escalation: 70.00 - 15.00, four promises at 1.50, seven alarms at 2.00.
    assert forgotten.scored() == (3500, "dissatisfied")
    # Three days after ten past two in the afternoon he sleeps; he wakes at half past four.
    assert planned(amends, asleep) == ["2026-03-05T14:30:00Z"]
    assert clock_events(amends, asleep) == [("2026-03-05T14:30:00Z", "amends.deadline.missed.v1", "follow_up")]
    assert planned(amends, small) == ["2026-03-07T12:20:00Z"]
    assert small.kinds()[-2:] == ["step.waived", "recovery.closed"]


def test_i17_nobody_asks_or_invites_a_customer_who_wants_quiet(house: Service):
    told = customer(house, "quiet, please")
    told.when("set-contact-preferences", quiet_hours={"start": "11:30", "end": "14:00"})
    put_right(told)
    invitation = {"what": "dinner", "valid_until": (house.clock.now + 30 * DAY).isoformat()}
    colleague = {"colleague_id": "eleni", "role": "waiter"}
    until = house.clock.now.replace(hour=14, minute=0).isoformat()
    disturbing: list[tuple[str, dict[str, Any]]] = [
        ("attempt-follow-up", {"outcome": "no_answer"}),
        ("invite-back", invitation),
        ("state-satisfaction", {"instrument": "CSAT", "value": 4, "solicited": True, "by": colleague}),
        ("complete-follow-up", {"outcome": "satisfied", "by": colleague}),
    ]
    for command, body in disturbing:
        refused = told.when(command, status=409, **body)
        assert (refused["type"].rpartition("/")[2], refused["until"]) == ("quiet_hours", until)
    told.when("update-customer", kind="result")
    told.when("state-satisfaction", instrument="CSAT", value=4, solicited=True)

    house.clock.now += timedelta(hours=2)
    for command, body in disturbing:
        told.when(command, **body)
