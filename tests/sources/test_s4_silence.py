"""S4, silence: no recovery without steady communication, and words of a machine do not count."""

from datetime import timedelta

import pytest

from tests.support.customers import Customer, customer
from tests.support.http import Service
from tests.support.passing import pass_time

NEVER = ["400 d"] * 5


@pytest.fixture(scope="module", autouse=True)
def targets(house: Service) -> None:
    """A house that promises no more than that whoever waits hears from it: at severity 3 every other day."""
    steps = ("acknowledge", "first_action", "remedy", "compensation", "follow_up")
    allowances = {**dict.fromkeys(steps, NEVER), "update_interval": ["5 bd", "3 bd", "2 bd", "1 bd", "4 h"]}
    house.post("/v1/standards", {"kind": "targets", "name": "shipped", "body": {"allowances": allowances}})


def waiting(house: Service, number: str) -> Customer:
    """A client of whose case nothing has been said since it failed."""
    told = customer(house, number)
    told.when("report-failure", what="badly_done", severity=3, fault="firm", description="The writ was late.")
    return told


def test_s4_2_s4_6_silence_costs_two_points_at_every_alarm_and_after_four_he_is_at_47(house: Service):
    told = waiting(house, "client")
    pass_time(house, days=8)
    assert told.scored() == (4700, "at_risk")
    assert told.terms() == [
        ("FailureReported", -1500, 5500),
        ("SilenceNoticed", -200, 5300),
        ("SilenceNoticed", -200, 5100),
        ("SilenceNoticed", -200, 4900),
        ("SilenceNoticed", -200, 4700),
    ]
    assert "silent" in told.recovery()["flags"]
    told.when("update-customer", kind="progress", two_way=True)
    pass_time(house, hours=47)
    assert (told.scored()[0], told.recovery()["silent_since"]) == (4700, None)


def test_s4_3_a_promised_update_is_kept_by_a_person_and_not_by_a_machine(house: Service):
    machine, person = waiting(house, "robot"), waiting(house, "human")
    for told in (machine, person):
        due = house.clock.now + timedelta(hours=6)
        told.when("update-customer", kind="progress", next_update_due=due.isoformat())
    machine.when("update-customer", kind="progress", human=False)
    person.when("update-customer", kind="progress", two_way=True)
    assert "update" in machine.recovery()["deadlines"]
    assert "update" not in person.recovery()["deadlines"]
    pass_time(house, hours=7)
    assert (machine.recovery()["missed"], person.recovery()["missed"]) == (["update"], [])
    assert machine.scored()[0] == person.scored()[0] - 150
