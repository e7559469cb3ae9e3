"""S5, "we do what we judge right": discretion without approval or proof, which nobody takes back afterwards."""

from typing import Any

from tests.support.customers import Customer, customer
from tests.support.http import Service

TECHNICIAN = {"colleague_id": "pit-7", "role": "technician", "role_class": "back"}


def eur(amount: str) -> dict[str, str]:
    """So many euros."""
    return {"amount": amount, "currency": "EUR"}


def authority(house: Service, name: str, per_grant: str, **rule: Any) -> None:
    """The house says what these may give alone."""
    body = {"rules": [{"rule_id": name, "per_grant": eur(per_grant)} | rule]}
    house.post("/v1/standards", {"kind": "authority", "name": name, "body": body})


def complained(house: Service, number: str) -> Customer:
    """A driver whose car still squeals."""
    driver = customer(house, number)
    driver.when("report-failure", what="badly_done", description="The brakes still squeal.")
    return driver


def test_s5_9_a_technician_gives_in_one_call_what_he_judges_right(house: Service):
    driver = complained(house, "squeals")
    asked = f"customer_id={driver.customer_id}&colleague=pit-7&role=technician&role_class=back&kind=free_item"
    assert house.get(f"/v1/authority/check?{asked}&amount=50.00")["verdict"] == "granted"
    answer = driver.when("grant-compensation", kind="free_item", cost=eur("50.00"), delivered=True, by=TECHNICIAN)
    assert [one["topic"] for one in answer["receipts"]] == [
        "compensation.granted",
        "compensation.delivered",
        "authority.used",
    ]
    load = house.get(f"/v1/reports/process-load?recovery_id={driver.recovery()['recovery_id']}")
    assert load["index"]["counts"] == {"0": 1}


def test_s5_8_what_was_within_the_rules_stays_given_when_the_rules_get_narrower(house: Service):
    authority(house, "garage", "200.00", roles=["technician"])
    driver = complained(house, "audited")
    gift = {"kind": "service_extension", "cost": eur("180.00"), "by": TECHNICIAN}
    given = driver.when("grant-compensation", **gift)["ids"]["compensation_id"]
    authority(house, "garage", "5.00", roles=["technician"])
    assert (
        driver.when("grant-compensation", status=202, **gift)["receipts"][0]["topic"] == "compensation.requested"
    )
    driver.when("deliver-compensation", compensation_id=given, by={"colleague_id": "till-1"})
    recorded = house.get("/v1/events?limit=500")["data"]
    [kept] = [one["data"] for one in recorded if one["data"].get("authority", {}).get("rule_id") == "garage"]
    assert (kept["cost"], kept["authority"]["version"]) == (eur("180.00"), 1)


def test_s5_8_who_looks_at_it_later_cannot_take_it_back_for_being_too_much(house: Service):
    driver = complained(house, "looked at later")
    mechanic = {"colleague_id": "pit-8", "role": "mechanic", "role_class": "back"}
    gift = {"kind": "free_item", "cost": eur("50.00"), "by": mechanic}
    given = driver.when("grant-compensation", **gift)["ids"]["compensation_id"]
    chief = {"colleague_id": "chief-1", "role": "manager", "role_class": "manager"}
    back = {"compensation_id": given, "reason": "Half would have done."}
    for cause in ({}, {"cause": "too_generous"}, {"cause": "own_mistake"}):
        refusal = driver.when("reverse-compensation", status=403, **back, **cause, by=chief)
        assert refusal["type"].endswith("/within_authority")
    # What is no judgement of his is put right all the same, and he himself may think again.
    driver.when("reverse-compensation", **back, cause="never_arrived", by=chief)
    given = driver.when("grant-compensation", **gift)["ids"]["compensation_id"]
    driver.when("reverse-compensation", **back | {"compensation_id": given}, by=mechanic)


def test_s5_8_what_one_till_gave_is_not_for_another_service_to_judge(house: Service):
    path = f"/v1/customers/{house.customer('at the till')}"
    till, audit = house.key("append"), house.key("append")
    house.post(f"{path}/report-failure", {"what": "late", "description": "An hour."})
    gift = {"kind": "voucher", "cost": eur("20.00"), "delivered": True}
    given = house.http.post(f"{path}/grant-compensation", json=gift, headers=till).json()["ids"]["compensation_id"]
    back = {"compensation_id": given, "reason": "Too much."}
    answers = [house.http.post(f"{path}/reverse-compensation", json=back, headers=one) for one in (audit, till)]
    assert [one.status_code for one in answers] == [403, 201]


def test_s5_10_what_keeps_him_from_coming_back_is_offered_first_unless_it_costs_more(house: Service):
    def offered(touchpoint: str, effort: int) -> list[str]:
        prevention = {"kind": "replacement", "preventive": True, "effort": effort}
        book = {"match": {"touchpoint": touchpoint}, "remedies": [{"kind": "repair", "effort": 2}, prevention]}
        house.post("/v1/standards", {"kind": "playbook", "name": touchpoint, "body": book})
        driver = customer(house, touchpoint)
        worn = {"what": "badly_done", "detection": "predicted", "touchpoint": touchpoint}
        driver.when("report-failure", description="3,000 km more, and the pads are gone.", **worn)
        driver.when("update-customer", kind="proactive", two_way=True)
        driver.when("apologise", said="regret")
        step = house.get(f"{driver.path}/next-step")
        return [one["kind"] for one in step["options"] if one["command"] == "instant-remedy"]

    assert offered("brakes", effort=2) == ["replacement", "repair"]
    assert offered("engine", effort=5) == ["repair", "replacement"]
