"""S4, what stands in the way: actions and inactions, poor tools, calls from an old list."""

from typing import Any

from tests.support.customers import Customer, customer
from tests.support.http import Service


def complained(house: Service, number: str, **failure: Any) -> Customer:
    """A customer for whom something failed."""
    told = customer(house, number)
    told.when("report-failure", **{"what": "hard_to_do", "description": "The till is down again."} | failure)
    return told


def bars(found: dict[str, Any], by: str) -> list[tuple[str, int, int, float]]:
    """Each bar of a Pareto: its name, how many, the minutes and the share reached with it."""
    return [(bar["key"], bar["n"], bar["minutes"], bar["cumulative"]) for bar in found[by]]


def worth(told: Customer, monthly: str) -> None:
    """He spends so many euros a month."""
    told.when("declare-value", amount={"amount": monthly, "currency": "EUR"}, per="month")


def at_risk(found: dict[str, Any], by: str) -> dict[str, list[str]]:
    """What may be lost with the customers who met each of them."""
    return {bar["key"]: [one["amount"] for one in bar["at_risk_estimate"]] for bar in found[by]}


def test_s4_1_what_blocks_us_is_a_pareto_in_minutes_and_money_of_actions_and_inactions(house: Service, since: str):
    told = complained(house, "in the way", severity=3)
    worth(told, "50.00")
    inaction = {"kind": "poor_communication", "mode": "inaction", "whose": "other_team"}
    met = told.when("report-obstacle", **inaction, minutes_lost=30)
    told.when("report-obstacle", **inaction, minutes_lost=15)
    told.when("report-obstacle", kind="disrespect", mode="action", whose="own_team", minutes_lost=15)
    told.when("report-obstacle", kind="overload", mode="inaction", whose="management")
    told.when("remove-obstacle", obstacle_id=met["ids"]["obstacle_id"], how="fixed", reason="They called back.")
    found = house.get(f"/v1/reports/obstacles{since}")
    assert (found["n"], found["minutes"], found["minutes_known"], found["still_open"]) == (4, 60, 3, 3)
    assert bars(found, "kind") == [
        ("poor_communication", 2, 45, 0.75),
        ("disrespect", 1, 15, 1.0),
        ("overload", 1, 0, 1.0),
    ]
    assert bars(found, "mode") == [("inaction", 3, 45, 0.75), ("action", 1, 15, 1.0)]
    assert [bar["key"] for bar in found["whose"]] == ["other_team", "own_team", "management"]
    # 600.00 a year, and one in five who are as content as he leaves.
    assert at_risk(found, "mode") == {"inaction": ["120.00"], "action": ["120.00"]}
    assert found["at_risk_estimate"] == [{"amount": "120.00", "currency": "EUR"}]


def test_s4_9_i_do_not_really_care_about_you_has_a_name_and_a_bar(house: Service, since: str):
    told = complained(house, "brushed off")
    told.when("report-treatment", treatment="dismissal", degree=2, by_role_class="front", witnessed="some")
    [bar] = house.get(f"/v1/reports/obstacles{since}")["treatments"]
    assert (bar["key"], bar["n"], bar["witnessed"]) == ("dismissal", 1, {"none": 0, "some": 1, "public": 0})
    assert told.terms()[1] == ("TreatmentReported", -800, 5400)


def test_s4_21_each_tool_has_its_minutes_and_its_money(house: Service, since: str):
    first, second = (complained(house, f"poor tools {n}", severity=3) for n in range(2))
    worth(first, "50.00")
    worth(second, "100.00")
    for told, tool_id, minutes in ((first, "old-till", 40), (second, "old-till", 20), (second, "printer", 20)):
        told.when("report-obstacle", kind="tool_or_equipment", tool_id=tool_id, minutes_lost=minutes)
    found = house.get(f"/v1/reports/obstacles{since}")
    assert bars(found, "tool_id") == [("old-till", 2, 60, 0.75), ("printer", 1, 20, 1.0)]
    assert at_risk(found, "tool_id") == {"old-till": ["360.00"], "printer": ["240.00"]}


def test_s4_25_a_call_from_an_old_list_is_a_failure_of_ours_and_counted(house: Service, since: str):
    told = complained(house, "called twice", what="not_told", touchpoint="outreach", fault="firm")
    told.when("report-obstacle", kind="outdated_data", whose="other_team", mode="inaction")
    found = house.get(f"/v1/reports/obstacles{since}")
    assert [bars(found, by) for by in ("kind", "whose")] == [
        [("outdated_data", 1, 0, 1.0)],
        [("other_team", 1, 0, 1.0)],
    ]
    failures = house.get(f"/v1/reports/repeat-failures{since}&similarity_key=not_told:outreach")
    assert failures["n"] == 1


def test_s4_26_how_old_an_answer_is_is_said_with_it_and_measured(house: Service):
    """How long writes and what follows take at fifty posts a second is a figure of the bench, part B7."""
    told = complained(house, "typed in at once")
    written = told.when("apologise", said="regret")
    behind = house.http.get(f"/v1/recoveries?min_position={written['position']}", headers={"Prefer": "wait=0"})
    assert behind.json()["type"].endswith("/projection_behind")
    house.project()
    fresh = house.http.get(f"/v1/recoveries?min_position={written['position']}", headers={"Prefer": "wait=2"})
    assert (fresh.status_code, int(fresh.headers["Amends-Position"])) == (200, written["position"])
    measured = house.http.get("/metrics").text
    assert 'amends_projection_lag_seconds{ledger="main"} 0.0' in measured
    assert "amends_commit_seconds_bucket" in measured
