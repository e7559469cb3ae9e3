"""S4, help: training that is missing is named by its class, and who asks for help gets an answer."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.customers import customer
from tests.support.http import Service
from tests.support.passing import pass_time


def joined(house: Service, who: str, **said: Any) -> str:
    """The id under which the ledger knows a colleague who works here from now on."""
    post = {"role": "technician", "role_class": "back", "team": "workshop", "manager": "lead-1"}
    return str(house.post(f"/v1/colleagues/{who}/join", post | said)["colleague_id"])


def test_s4_27_what_nobody_was_trained_in_is_told_by_four_classes(house: Service, since: str):
    topics = {
        "hybrid-engines": ("product", 4),
        "exchange-desk": ("process", 3),
        "who-decides": ("organisation", 2),
        "angry-guests": ("interpersonal", 1),
    }
    joined(house, "novice")
    driver = customer(house, "nobody knew")
    driver.when("report-failure", what="badly_done", description="The brakes still squeal.")
    for topic, (topic_class, times) in topics.items():
        for _ in range(times):
            driver.when("report-obstacle", kind="no_training", topic=topic, by={"colleague_id": "novice"})
        asked = {"kind": "training", "topic": topic, "class": topic_class}
        house.post("/v1/colleagues/novice/ask-for-help", asked)
    found = house.get(f"/v1/reports/training{since}")
    assert found["by_class"] == [
        {"topic_class": "product", "obstacles": 4},
        {"topic_class": "process", "obstacles": 3},
        {"topic_class": "organisation", "obstacles": 2},
        {"topic_class": "interpersonal", "obstacles": 1},
    ]


def test_s4_28_who_asks_for_training_and_hears_nothing_is_heard_by_whoever_leads_him(house: Service):
    lead = joined(house, "lead-1", role="manager", role_class="manager", manager=None)
    joined(house, "asks")
    training = {"kind": "training", "topic": "hybrids", "class": "product", "by": {"colleague_id": "asks"}}
    key = house.key("append", "act_for")
    asked = house.http.post("/v1/colleagues/asks/ask-for-help", json=training, headers=key)
    assert asked.status_code == 201
    pass_time(house, days=6.9)
    assert [one["escalated"] for one in house.get("/v1/colleagues/asks")["help"]] == [False]
    pass_time(house, days=0.2)
    assert [one["escalated"] for one in house.get("/v1/colleagues/asks")["help"]] == [True]
    passed_on = [one for one in house.get("/v1/events?limit=500")["data"] if "help.escalated" in one["type"]]
    assert {one["data"]["to"] for one in passed_on if one["subject"] != lead} == {lead}


def test_s4_31_who_has_too_much_asks_to_share_it_and_gets_an_answer(house: Service):
    joined(house, "overstretched")
    for kind in ("schedule", "sharing"):
        house.post("/v1/colleagues/overstretched/ask-for-help", {"kind": kind, "topic": "saturdays"})
    schedule, sharing = house.get("/v1/colleagues/overstretched")["help"]
    house.post(
        "/v1/colleagues/overstretched/answer-help",
        {"help_id": schedule["help_id"], "plan": "Two more on Saturdays from May."},
    )
    pass_time(house, days=8)
    schedule, sharing = house.get("/v1/colleagues/overstretched")["help"]
    assert (schedule["status"], schedule["escalated"]) == ("planned", False)
    assert (sharing["status"], sharing["escalated"]) == ("open", True)


def test_s4_31_what_is_on_his_desk_is_seen_by_him_and_by_whoever_leads_him_alone(house: Service):
    for who in ("full-desk", "colleague-9"):
        joined(house, who, manager="lead-9")
    house.post("/v1/colleagues/full-desk/set-capacity", {"points": 1})
    told = customer(house, "promised a call")
    told.when("report-failure", what="late", description="The parcel is late.")
    told.when("assign", owner="full-desk")
    due = (house.clock.now + timedelta(days=1)).isoformat()
    told.when("make-commitment", what="We call you.", due_at=due)
    house.project()

    def seen(asking: str) -> Any:
        key = house.key("read", "act_for") | {"Amends-Colleague": asking}
        return house.http.get("/v1/reports/workload?colleague=full-desk", headers=key)

    for asking in ("full-desk", "lead-9"):
        load = seen(asking).json()["colleague"]
        assert (load["open_recoveries"], load["open_promises"], load["capacity"]) == (1, 1, 1)
        assert load["overloaded"]
    assert (seen("colleague-9").status_code, seen("colleague-9").json()["scope"]) == (403, "personnel")


def crew_of_five(house: Service, team: str) -> None:
    """A team with room for five things."""
    for nth in range(5):
        joined(house, f"{team}-{nth}", team=team)
        house.post(f"/v1/colleagues/{team}-{nth}/set-capacity", {"points": 1})


def promised(house: Service, team: str, nth: int) -> dict[str, Any]:
    """What is answered to whoever promises a customer of this team to call him tomorrow."""
    told = customer(house, f"waits for the {team} {nth}")
    told.when("report-failure", what="late", description="The parcel is late.")
    told.when("assign", team=team)
    house.project()
    due = (house.clock.now + timedelta(days=1)).isoformat()
    return told.when("make-commitment", what="We call you.", due_at=due)


def test_s4_30_whoever_promises_more_than_his_team_can_take_on_is_warned_as_he_promises(
    house: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.warning.PATIENCE_SECONDS", 30.0)  # how long an answer waits has tests of its own
    crew_of_five(house, "till")
    answers = [promised(house, "till", nth) for nth in range(3)]
    assert ["warnings" in one for one in answers] == [False, False, True]
    [warning] = answers[-1]["warnings"]
    assert (warning["code"], warning["team"]) == ("overloaded", "till")
    # Warned, not refused: common sense may know better than points.
    assert [one["topic"] for one in answers[-1]["receipts"]] == ["commitment.made"]


def test_s4_30_a_team_that_promised_more_than_it_can_take_on_is_seen_before_it_breaks_its_word(house: Service):
    crew_of_five(house, "crew")
    for nth in range(3):
        promised(house, "crew", nth)

    def crew() -> dict[str, Any]:
        found = house.get("/v1/reports/workload")["teams"]
        return next(one for one in found if one["team"] == "crew")

    assert (crew()["open_recoveries"], crew()["open_promises"], crew()["capacity"]) == (3, 3, 5)
    assert (crew()["points"], crew()["share"], crew()["overloaded"]) == (6, 1.2, True)
    assert crew()["overdue_promises"] == 0
    pass_time(house, days=2)
    assert crew()["overdue_promises"] == 3


def test_s4_29_whatever_its_form_a_training_ends_the_need_and_it_is_told_how_soon(house: Service, since: str):
    for nth in range(5):
        joined(house, f"desk-{nth}", team="till")
    told = customer(house, "the till stood still")
    told.when("report-failure", what="hard_to_do", description="Nobody knew how to take it back.")
    for nth in range(3):
        told.when("report-obstacle", kind="no_training", topic="returns", by={"colleague_id": f"desk-{nth}"})
    house.clock.forward(days=2)
    house.post("/v1/colleagues/desk-4/complete-training", {"topic": "returns", "format": "shadowing"})
    found = house.get(f"/v1/reports/training{since}")
    assert found["by_team"] == [{"team": "till", "topic": "returns", "obstacles": 3, "needs": 1}]
    assert (found["needs_met"]["hits"], found["needs_met"]["n"]) == (1, 1)
    assert found["days_to_training"] == {"n": 1, "median": 2.0, "p90": 2.0}
