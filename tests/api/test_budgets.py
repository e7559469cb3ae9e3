"""Budgets over HTTP: opened, raised and closed by the house, drawn on by grants, and told what is left."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.budgets.budget import Budget, grant_of
from domain.budgets.drawing import budget_for, commit, release, reserve
from domain.kinds import Actor, Context, Elsewhere, Event
from domain.moves.gesture import GestureMade
from domain.relationship import Relationship, RelationshipCommand
from domain.values import GestureId
from infrastructure.orders import Order
from tests.support.budgets import eur
from tests.support.given import named_id
from tests.support.http import Service, service
from tests.support.writing import NOON

MARCH = {"cost_centre": "care", "period": "2026-03", "limit": {"amount": "100.00", "currency": "EUR"}}


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    with service(database, tmp_path) as made:
        yield made


class Draw(RelationshipCommand):
    """Gives a customer something out of the budget for care: promised for two hours, handed over, or not taken."""

    name: str
    amount: str
    how: str = "promised"

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        budget = budget_for("care", "EUR", at)
        assert budget is not None
        given = GestureMade(gesture_id=GestureId(named_id(self.name)), kind="surprise", degree=1)
        return [given, *self._drawn(budget, state, at)]

    def _drawn(self, budget: Budget, state: Relationship, at: Context) -> list[Elsewhere]:
        grant_id = grant_of(state.customer_id, named_id(self.name))
        if self.how == "turned_down":
            return release(budget, grant_id, "turned_down")
        if self.how == "handed_over":
            return commit(budget, grant_id, eur(self.amount))
        return reserve(budget, grant_id, eur(self.amount), at.recorded_at + timedelta(hours=2))


def draw(amends: Service, customer: str, **fields: Any) -> None:
    order = Order(
        command=Draw.model_validate(fields),
        stream=UUID(customer),
        actor=Actor(kind="service", ref="k:test"),
        source="urn:test",
    )
    amends.container.writer.submit(order).result(30)


def opened(amends: Service, **fields: Any) -> str:
    """The id of a new budget."""
    return str(amends.post("/v1/budgets", MARCH | fields)["budget_id"])


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_a_budget_is_opened_and_tells_how_it_stands(amends: Service):
    answer = amends.post("/v1/budgets", MARCH)
    assert [one["topic"] for one in answer["receipts"]] == ["budget.opened"]
    assert "customer_id" not in answer
    assert amends.get(f"/v1/budgets/{answer['budget_id']}") == {
        "budget_id": answer["budget_id"],
        "version": 1,
        "cost_centre": "care",
        "currency": "EUR",
        "period": "2026-03",
        "timezone": "UTC",
        "begins_at": "2026-03-01T00:00:00Z",
        "ends_at": "2026-04-01T00:00:00Z",
        "limit": euros("100.00"),
        "reserved": euros("0.00"),
        "committed": euros("0.00"),
        "left": euros("100.00"),
        "share": 0.0,
        "elapsed": 0.0484,
        "burn_rate": None,
        "warn_at_pct": 80,
        "warnings": [],
        "closed": False,
        "next_due_at": None,
        "as_of": "2026-03-02T12:00:00Z",
    }


def test_a_second_one_of_the_same_name_is_refused_and_told_which_is_there(amends: Service):
    budget = opened(amends)
    problem = amends.post("/v1/budgets", MARCH, status=409)
    assert (problem["type"].rpartition("/")[2], problem["what"], problem["ref"]) == (
        "already_exists",
        "budget",
        budget,
    )
    assert opened(amends, period="2026-04") != budget
    assert opened(amends, cost_centre="sales") != budget
    assert opened(amends, limit={"amount": "5.00", "currency": "USD"}) != budget


def test_the_same_request_again_opens_nothing_and_gets_the_same_answer(amends: Service):
    first, again = (amends.post("/v1/budgets", MARCH, Idempotency_Key="q1") for _ in range(2))
    assert first == again
    other = amends.post("/v1/budgets", MARCH | {"period": "2026-04"}, status=422, Idempotency_Key="q1")
    assert other["type"].endswith("/key_reused")


def test_it_is_raised_and_closed_by_who_knows_its_version(amends: Service):
    budget = opened(amends)
    raised = amends.post(f"/v1/budgets/{budget}/raise", {"limit": euros("150.00")}, If_Match='"v1"')
    assert (raised["budget_id"], raised["version"]) == (budget, 2)
    stale = amends.post(f"/v1/budgets/{budget}/close", {}, status=412, If_Match='"v1"')
    assert stale["current_version"] == 2
    amends.post(f"/v1/budgets/{budget}/close", If_Match='"v2"')
    shown = amends.get(f"/v1/budgets/{budget}")
    assert (shown["limit"], shown["left"], shown["closed"]) == (euros("150.00"), euros("0.00"), True)
    assert amends.post(f"/v1/budgets/{budget}/raise", {"limit": euros("200.00")}, status=409)["how"] == "closed"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"period": "2026-13"}, "/period"),
        ({"period": "2027-w53"}, "/period"),
        ({"timezone": "Europe/Atlantis"}, "/timezone"),
        ({"limit": {"amount": "1.001", "currency": "EUR"}}, "/limit/amount"),
        ({"warn_at_pct": 101}, "/warn_at_pct"),
        ({"owner": "finance"}, "/owner"),
    ],
)
def test_what_cannot_be_meant_is_named(amends: Service, fields: dict[str, Any], pointer: str):
    problem = amends.post("/v1/budgets", MARCH | fields, status=422)
    assert [one["pointer"] for one in problem["errors"]] == [pointer]


def test_only_who_administers_the_house_decides_about_budgets(amends: Service):
    budget = opened(amends)
    for path, body in (
        ("/v1/budgets", MARCH | {"period": "2026-04"}),
        (f"/v1/budgets/{budget}/raise", {"limit": euros("150.00")}),
        (f"/v1/budgets/{budget}/close", {}),
    ):
        refused = amends.http.post(path, json=body, headers=amends.key("append", "read", "act_for"))
        assert (refused.status_code, refused.json()["scope"]) == (403, "admin")
    amends.project()
    assert amends.http.get(f"/v1/budgets/{budget}", headers=amends.key("read")).json()["version"] == 1
    assert amends.http.get("/v1/budgets", headers=amends.key("append")).status_code == 403


def test_budgets_are_listed_in_the_order_they_were_opened_page_by_page(amends: Service):
    wanted = [opened(amends, period=f"2026-0{month}") for month in range(3, 8)]
    opened(amends, cost_centre="sales")
    shown, path = [], "/v1/budgets?cost_centre=care&limit=2"
    while path:
        page = amends.get(path)
        shown += [one["budget_id"] for one in page["data"]]
        path = page["next"] and f"/v1/budgets?cost_centre=care&limit=2&after={page['next']}"
    assert shown == wanted


def test_d5_it_warns_of_what_is_gone_and_of_how_fast_it_goes(amends: Service):
    budget, customer = opened(amends), amends.customer()
    draw(amends, customer, name="dinner", amount="60.00", how="handed_over")
    early = amends.get(f"/v1/budgets/{budget}?as_of=2026-03-16T12:00:00Z")
    assert (early["share"], early["elapsed"], early["burn_rate"], early["warnings"]) == (0.6, 0.5, 1.2, [])
    draw(amends, customer, name="flowers", amount="20.00")
    late = amends.get(f"/v1/budgets/{budget}?as_of=2026-03-16T12:00:00Z")
    assert (late["share"], late["burn_rate"], late["warnings"]) == (0.8, 1.6, ["share", "burn_rate"])


def test_d5_the_sweeper_of_the_service_frees_what_nobody_took_up(amends: Service):
    budget, customer = opened(amends), amends.customer()
    draw(amends, customer, name="flowers", amount="20.00")
    shown = amends.get(f"/v1/budgets/{budget}")
    assert (shown["reserved"], shown["next_due_at"]) == (euros("20.00"), "2026-03-02T14:00:00Z")
    amends.clock.forward(hours=2)
    assert amends.container.sweeper.run_once() == 1
    shown = amends.get(f"/v1/budgets/{budget}")
    assert (shown["reserved"], shown["left"], shown["next_due_at"]) == (euros("0.00"), euros("100.00"), None)
    assert amends.container.budgets_due(NOON + timedelta(days=400), 10) == []


def test_the_report_of_compensation_tells_what_a_grant_took_from_the_budget(amends: Service):
    opened(amends)
    customer = amends.customer()
    amends.post(f"/v1/customers/{customer}/report-failure", {"what": "late", "description": "An hour."})
    for basis, cost in (("goodwill", "10.00"), ("statutory", "250.00")):
        body = {"kind": "voucher", "basis": basis, "cost": euros(cost), "cost_centre": "care", "delivered": True}
        amends.post(f"/v1/customers/{customer}/grant-compensation", body | {"by": {"colleague_id": "anna"}})
    found = amends.get("/v1/reports/compensation")
    told = [(one["basis"], one["kind"], one["cost_centre"], one["spent"]) for one in found["lines"]]
    assert told == [
        ("goodwill", "voucher", "care", euros("10.00")),
        ("statutory", "voucher", None, euros("250.00")),
    ]
    [budget] = amends.get("/v1/budgets")["data"]
    assert (budget["committed"], budget["reserved"]) == (euros("10.00"), euros("0.00"))


def test_an_unknown_budget_is_unknown_and_so_is_a_customer_taken_for_one(amends: Service):
    for strange in (str(named_id("nobody")), amends.customer()):
        assert amends.get(f"/v1/budgets/{strange}", status=404)["what"] == "budget"
        assert amends.post(f"/v1/budgets/{strange}/close", {}, status=404)["what"] == "budget"


def test_no_address_of_customers_reaches_a_budget(amends: Service):
    budget = opened(amends)
    before = amends.get("/v1/events")
    apology = amends.post(f"/v1/customers/{budget}/apologise", {"said": "regret"}, status=404)
    assert (apology["type"].rpartition("/")[2], apology["what"]) == ("unknown_ref", "customer")
    for path in ("", "/explain", "/timeline", "/brief", "/next-step", "?at_version=1"):
        assert amends.get(f"/v1/customers/{budget}{path}", status=404)["what"] == "customer", path
    assert amends.get("/v1/events") == before
    assert amends.get("/v1/recoveries")["data"] == []


def test_nobody_opens_a_customer_under_the_name_of_a_budget(amends: Service):
    opened(amends)
    named = {"customer": {"kind": "/budget", "value": "care:EUR:2026-03"}}
    assert amends.post("/v1/customers", named, status=422)["errors"][0]["pointer"] == "/customer/kind"


def test_what_happens_to_a_budget_stands_in_the_ledger_and_cannot_be_posted_as_an_event(amends: Service):
    budget = opened(amends)
    [event] = amends.get("/v1/events")["data"]
    assert (event["type"], event["subject"]) == ("amends.budget.opened.v1", budget)
    assert event["data"]["limit"] == euros("100.00")
    posted = {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:test",
        "type": "amends.compensation.reserved.v1",
        "subject": budget,
        "data": {"grant_id": str(named_id("gift")), "amount": euros("1.00")},
    }
    answer = amends.http.post("/v1/events", json=posted, headers={"Content-Type": "application/cloudevents+json"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "not_postable")
    assert answer.json()["detail"].startswith("compensation.reserved follows from other facts")


def test_a_budget_is_opened_at_its_own_address_and_not_by_an_event(amends: Service):
    posted = {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:test",
        "type": "amends.budget.opened.v1",
        "data": {"cost_centre": "care", "period": "2026-q4", "limit": euros("1.00")},
    }
    answer = amends.http.post("/v1/events", json=posted, headers={"Content-Type": "application/cloudevents+json"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "not_postable")
    assert answer.json()["detail"].startswith("budget.opened is decided at an address of its own")


@pytest.mark.parametrize(
    ("given", "slug", "said"),
    [
        (
            {"cost": {"amount": "5.00", "currency": "USD"}},
            "currency_mismatch",
            {"expected": "EUR", "given": "USD"},
        ),
        ({}, "invalid_value", {"field": "cost"}),
    ],
)
def test_i_10_nothing_is_given_past_an_open_budget(
    amends: Service, given: dict[str, Any], slug: str, said: dict[str, str]
):
    opened(amends, cost_centre="main")
    address = f"/v1/customers/{amends.customer()}"
    amends.post(f"{address}/report-failure", {"what": "late", "description": "The parcel is late."})
    problem = amends.post(f"{address}/grant-compensation", {"kind": "voucher"} | given, status=422)
    assert problem["type"].endswith(f"/{slug}")
    assert {name: problem[name] for name in said} == said
    asked = f"/v1/authority/check?customer_id={amends.customer()}&kind=voucher"
    if given:
        asked += "&amount=5.00&currency=USD"
    assert amends.get(asked)["problem"]["type"].endswith(f"/{slug}")


def test_as_of_moves_the_calendar_and_never_the_money(amends: Service):
    budget = opened(amends)
    now = amends.get(f"/v1/budgets/{budget}")
    then = amends.get(f"/v1/budgets/{budget}?as_of=2026-03-01T00:00:00Z")
    differs = {name for name in now if now[name] != then[name]}
    assert differs == {"elapsed", "as_of"}
