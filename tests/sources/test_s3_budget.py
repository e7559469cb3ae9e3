"""S3, "do anything" that must not bankrupt: a hard budget, and a limit that rises with training."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.customers import Customer, customer
from tests.support.http import Service

EVENT = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def eur(amount: str) -> dict[str, str]:
    """So many euros."""
    return {"amount": amount, "currency": "EUR"}


def rule(rule_id: str, per_grant: str, **more: Any) -> dict[str, Any]:
    """What the front line may give alone."""
    return {"rule_id": rule_id, "role_classes": ["front"], "per_grant": eur(per_grant)} | more


@pytest.fixture(scope="module", autouse=True)
def authority(house: Service) -> None:
    """20.00 for everybody at the front, 100.00 for those who were trained in putting things right."""
    trained = rule("trained", "100.00", requires_training=["recovery"])
    body = {"rules": [rule("everybody", "20.00"), trained]}
    house.post("/v1/standards", {"kind": "authority", "name": "shipped", "body": body})


def event(topic: str, number: int, **data: Any) -> dict[str, Any]:
    """What another system tells of the customer with this number."""
    told = {"customer": {"kind": "crm", "value": f"crowd-{number}"}, **data}
    head = {"specversion": "1.0", "id": f"{topic}-{number}", "source": "urn:test"}
    return head | {"type": f"amends.{topic}.v1", "data": told}


def test_s3_8_fifty_who_want_more_than_the_limit_are_paid_exactly_the_limit(house: Service):
    body = {"cost_centre": "crowd", "period": "2026", "limit": eur("100.00")}
    budget = house.post("/v1/budgets", body)["budget_id"]
    late = [event("failure.reported", n, what="late", description="An hour.") for n in range(50)]
    taken = house.http.post("/v1/events", json=late, headers=BATCH).json()["results"]
    assert [one["status"] for one in taken] == [201] * 50

    def give(n: int) -> int:
        who = {"colleague_id": f"till-{n}", "role_class": "front"}
        gift = {"kind": "voucher", "cost": eur("5.00"), "cost_centre": "crowd", "delivered": True, "by": who}
        told = event("compensation.granted", n, **gift)
        return house.http.post("/v1/events", json=told, headers=EVENT).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(give, range(50)))
    # Fifty times five is two hundred and fifty; there are a hundred.
    assert (statuses.count(201), statuses.count(409)) == (20, 30)
    found = house.get(f"/v1/budgets/{budget}")
    assert (found["committed"], found["reserved"], found["left"]) == (eur("100.00"), eur("0.00"), eur("0.00"))
    told = {one["name"]: one for one in house.get("/v1/reports/compensation")["by_cost_centre"]}
    assert (told["crowd"]["n"], told["crowd"]["spent"]) == (20, eur("100.00"))


def gives(told: Customer, amount: str, *, status: int = 201) -> dict[str, Any]:
    """What a colleague at the front is told who wants to give this much."""
    who = {"colleague_id": "waiter-9", "role": "waiter", "role_class": "front"}
    return told.when("grant-compensation", kind="voucher", cost=eur(amount), by=who, status=status)


def test_s3_9_the_same_colleague_may_give_20_before_the_training_and_100_after_it(house: Service):
    told = customer(house, "flexible")
    told.when("report-failure", what="badly_done", description="The fish came burnt.")
    refused = gives(told, "100.00", status=403)
    assert (refused["type"].rpartition("/")[2], refused["limit"]) == ("over_limit", eur("20.00"))
    gives(told, "20.00")

    house.post("/v1/colleagues/waiter-9/complete-training", {"topic": "recovery", "format": "team_session"})
    answer = gives(told, "100.00")
    assert [one["topic"] for one in answer["receipts"]] == ["compensation.granted", "authority.used"]
    assert gives(told, "100.01", status=403)["limit"] == eur("100.00")
    decided = [one["data"] for one in house.get("/v1/events?limit=500")["data"] if "authority" in one["data"]]
    mine = [one["authority"]["rule_id"] for one in decided if one["cost"] in (eur("20.00"), eur("100.00"))]
    assert mine == ["everybody", "trained"]
