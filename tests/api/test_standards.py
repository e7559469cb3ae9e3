"""Standards over HTTP: published with versions and dates, in force from then on, and named in what they decide."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.http import Service

RULE = {
    "kind": "rule",
    "name": "courier.reschedule-before-first-attempt",
    "body": {
        "title": "No new date before the first attempt",
        "owner": "logistics",
        "hardness": "system",
        "system": "dispatch",
        "forces_failure_first": True,
    },
}


def targets(acknowledge: str = "60 bm", calendar: str | None = None) -> dict[str, Any]:
    """Promises that differ from what ships in how soon a customer hears from us at severity 2."""
    by_severity = ["480 bm", acknowledge, "30 bm", "30 bm", "15 min"]
    allowances = {
        "acknowledge": by_severity,
        "first_action": ["2 bd", "480 bm", "240 bm", "120 bm", "30 min"],
        "update_interval": ["5 bd", "3 bd", "2 bd", "1 bd", "4 h"],
        "remedy": ["10 bd", "5 bd", "3 bd", "2 bd", "24 h"],
        "compensation": ["10 bd", "7 bd", "5 bd", "5 bd", "3 bd"],
        "follow_up": ["7 d", "5 d", "3 d", "2 d", "1 d"],
    }
    body = {"allowances": allowances} | ({} if calendar is None else {"calendar": calendar})
    return {"kind": "targets", "name": "shipped", "body": body}


def always(allowance: str, calendar: str | None = None) -> dict[str, Any]:
    """The same promise for every step at every severity."""
    found = targets(calendar=calendar)
    found["body"]["allowances"] = {step: [allowance] * 5 for step in found["body"]["allowances"]}
    return found


def opening_hours(hours: dict[str, Any] | None = None) -> dict[str, Any]:
    """Open at these hours in Athens, on weekdays from nine to five if none are given."""
    hours = hours or {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    return {"kind": "calendar", "name": "shop", "body": {"zone": "Europe/Athens", "hours": hours}}


def deadlines(amends: Service, customer: str) -> dict[str, dict[str, Any]]:
    """What the ledger says of the clocks of this customer, by step."""
    events = amends.get("/v1/events?limit=500")["data"]
    found = [
        one["data"] for one in events if one["type"] == "amends.deadline.set.v1" and one["subject"] == customer
    ]
    return {one["step"]: one for one in found}


def late(amends: Service, number: str = "C-1") -> str:
    """A customer whose parcel is late."""
    customer = amends.customer(number)
    amends.post(f"/v1/customers/{customer}/report-failure", {"what": "late", "description": "An hour."})
    return customer


def test_what_ships_is_in_force_before_anything_is_published(amends: Service):
    found = amends.get("/v1/standards")["data"]
    assert {"authority", "targets", "rule", "playbook", "calendar"} <= {one["kind"] for one in found}
    assert all(one["shipped"] for one in found)


def test_a_published_standard_is_in_force_at_once_with_its_version(amends: Service):
    answer = amends.post("/v1/standards", RULE)
    assert [one["topic"] for one in answer["receipts"]] == ["standard.published"]
    [found] = [one for one in amends.get("/v1/standards?kind=rule")["data"] if not one["shipped"]]
    assert (found["name"], found["version"], found["body"]) == (RULE["name"], 1, RULE["body"])


def test_a_new_version_takes_over_from_its_day_on_and_the_past_stays(amends: Service):
    amends.post("/v1/standards", RULE)
    softer = RULE["body"] | {"hardness": "soft"}
    from_then = amends.clock.now + timedelta(days=7)
    amends.post("/v1/standards", RULE | {"body": softer, "effective_from": from_then.isoformat()})
    before, after = from_then - timedelta(seconds=1), from_then

    def hardness(at: Any) -> str:
        path = "/v1/standards?kind=rule&at=" + at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return next(one["body"]["hardness"] for one in amends.get(path)["data"] if one["name"] == RULE["name"])

    assert (hardness(before), hardness(after)) == ("system", "soft")
    history = amends.get(f"/v1/standards/rule/{RULE['name']}")
    assert [one["version"] for one in history["editions"]] == [1, 2]


def test_s1_5_a_rule_is_reviewed_and_retired_by_who_may(amends: Service):
    amends.post("/v1/standards", RULE)
    path = f"/v1/standards/rule/{RULE['name']}"
    amends.post(path + "/review", {"decision": "remove", "reason": "Five recoveries in a month."})
    amends.post(path + "/retire")
    history = amends.get(path)
    assert [one["decision"] for one in history["reviews"]] == ["remove"]
    assert history["retired_from"] is not None
    assert all(one["shipped"] for one in amends.get("/v1/standards?kind=rule")["data"])


def test_the_version_that_decided_stands_in_the_deadlines_it_decided(amends: Service):
    before = deadlines(amends, late(amends, "C-1"))["acknowledge"]
    amends.post("/v1/standards", targets())
    after = deadlines(amends, late(amends, "C-2"))["acknowledge"]
    amends.post("/v1/standards", targets("90 bm"))
    again = deadlines(amends, late(amends, "C-3"))["acknowledge"]
    told = [(one["standard"], one["version"]) for one in (before, after, again)]
    assert told == [("targets:shipped", 1), ("targets:shipped", 1), ("targets:shipped", 2)]
    assert before["due_at"] > again["due_at"] > after["due_at"]


def test_a_calendar_counts_opening_hours_only(amends: Service):
    # A Monday at noon in UTC, two in the afternoon in Athens: three hours are left of the day.
    amends.post("/v1/standards", opening_hours())
    amends.post("/v1/standards", targets("240 bm", "shop"))
    due = deadlines(amends, late(amends))["acknowledge"]
    assert (due["calendar"], due["due_at"]) == ("shop", "2026-03-03T08:00:00Z")


def test_the_longest_promises_of_a_house_that_seldom_opens_stop_no_report(amends: Service):
    amends.post("/v1/standards", opening_hours({"mon": [["09:00", "13:00"]]}))
    amends.post("/v1/standards", always("400 bd", "shop"))
    due = deadlines(amends, late(amends))["acknowledge"]
    assert (due["calendar"], due["due_at"]) == ("shop", "2033-11-07T11:00:00Z")


def test_promises_longer_than_any_customer_waits_are_refused(amends: Service):
    problem = amends.post("/v1/standards", always("99999 d"), status=422)
    wrong = {one["pointer"]: one["detail"] for one in problem["errors"]}
    assert wrong["/body/allowances/remedy/0"] == "99999 d is too long: at most 400 d"


def test_promises_by_a_calendar_that_nobody_published_are_refused(amends: Service):
    problem = amends.post("/v1/standards", targets("240 bm", "shop"), status=422)
    assert (problem["type"].rpartition("/")[2], problem["field"]) == ("invalid_value", "body.calendar")


def test_a_slip_in_the_year_is_put_right_by_publishing_again(amends: Service):
    amends.post("/v1/standards", targets() | {"effective_from": "2126-03-02T09:00:00Z"})
    amends.post("/v1/standards", targets("30 bm"))
    due = deadlines(amends, late(amends))["acknowledge"]
    assert (due["standard"], due["version"]) == ("targets:shipped", 2)
    history = amends.get("/v1/standards/targets/shipped")
    assert [(one["version"], one["effective_from"][:4]) for one in history["editions"]] == [
        (1, "2126"),
        (2, "2026"),
    ]


def test_a_standard_retired_for_a_later_day_is_retired_at_once_all_the_same(amends: Service):
    amends.post("/v1/standards", RULE)
    path = f"/v1/standards/rule/{RULE['name']}/retire"
    amends.post(path, {"retired_from": "2126-03-02T09:00:00Z"})
    amends.post(path)
    assert all(one["shipped"] for one in amends.get("/v1/standards?kind=rule")["data"])


def test_a_standard_never_holds_for_what_is_past(amends: Service):
    yesterday = (amends.clock.now - timedelta(days=1)).isoformat()
    problem = amends.post("/v1/standards", RULE | {"effective_from": yesterday}, status=422)
    assert problem["type"].endswith("/invalid_value")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (
            {"kind": "rule", "name": "x", "body": {"title": "A rule", "owner": "logistics", "hardness": "hard"}},
            "/body",
        ),
        ({"kind": "targets", "name": "x", "body": {"allowances": {}}}, "/body/allowances"),
        (
            {"kind": "calendar", "name": "x", "body": opening_hours()["body"] | {"zone": "Mars/Phobos"}},
            "/body/zone",
        ),
        ({"kind": "rule", "name": "Not a name", "body": RULE["body"]}, "/name"),
        ({"kind": "poem", "name": "x", "body": {}}, "/kind"),
        ({"kind": "rule", "name": "x"}, "/body"),
        ({"kind": "rule", "name": "x", "body": None}, "/body"),
        ({"kind": "rule", "name": "x", "body": ["title"]}, "/body"),
        ({"kind": ["rule"], "name": "x", "body": {}}, "/kind"),
    ],
)
def test_what_is_wrong_with_a_standard_is_said_where_it_is_wrong(amends: Service, body: Any, pointer: str):
    problem = amends.post("/v1/standards", body, status=422)
    assert {one["pointer"] for one in problem["errors"]} == {pointer}
    assert all(one["shipped"] for one in amends.get("/v1/standards")["data"])


def test_only_an_administrator_publishes(amends: Service):
    answer = amends.http.post("/v1/standards", json=RULE, headers=amends.key("append", "read"))
    assert answer.status_code == 403
    assert amends.http.get("/v1/standards", headers=amends.key("read")).status_code == 200


def test_the_same_publication_again_is_the_same_version(amends: Service):
    first = amends.post("/v1/standards", RULE, idempotency_key="rule-1")
    again = amends.post("/v1/standards", RULE, idempotency_key="rule-1")
    assert first["receipts"] == again["receipts"]
    assert [one["version"] for one in amends.get(f"/v1/standards/rule/{RULE['name']}")["editions"]] == [1]


def test_a_standard_is_no_customer(amends: Service):
    answer = amends.post("/v1/standards", RULE)
    assert "customer_id" not in answer
    stream = answer["standard_id"]
    path = f"/v1/standards/rule/{RULE['name']}"
    reviewed = amends.post(path + "/review", {"decision": "keep", "reason": "The law."})
    assert stream == reviewed["standard_id"] == amends.post(path + "/retire")["standard_id"]
    head = amends.get("/v1/events?limit=500")["data"][-1]["sequence"]
    amends.post(f"/v1/customers/{stream}/apologise", {"said": "regret"}, status=404)
    amends.post(f"/v1/customers/{stream}/report-failure", {"what": "late", "description": "No."}, status=404)
    assert amends.get("/v1/events?limit=500")["data"][-1]["sequence"] == head
    amends.get(f"/v1/customers/{stream}", status=404)


def test_a_retired_or_unknown_standard_cannot_be_retired(amends: Service):
    amends.post("/v1/standards/rule/nobody-knows-it/retire", status=404)
    amends.post("/v1/standards", RULE)
    amends.post(f"/v1/standards/rule/{RULE['name']}/retire")
    amends.post(f"/v1/standards/rule/{RULE['name']}/retire", status=404)
