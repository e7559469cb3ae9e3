"""Warnings: what is said beside the answer to a promise, however it was posted."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import event, text

from api import warning
from tests.support.http import Service

DUE = "2026-03-03T12:00:00Z"


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """However busy the machine is, answers wait for the count; how long they do has a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warning, "PATIENCE_SECONDS", 30.0)
        yield


@pytest.fixture(scope="module")
def shop(shared: Service) -> Service:
    """A service in which a team of five has room for five things, and five open recoveries."""
    for nth in range(5):
        post = {"role": "representative", "role_class": "front", "team": "desk"}
        shared.post(f"/v1/colleagues/d-{nth}/join", post)
        shared.post(f"/v1/colleagues/d-{nth}/set-capacity", {"points": 1})
        recovery(shared, f"desk {nth}", "desk")
    shared.project()
    return shared


def recovery(shop: Service, number: str, team: str) -> str:
    """The address of a customer whose open recovery this team has."""
    address = f"/v1/customers/{shop.customer(number)}"
    shop.post(f"{address}/report-failure", {"what": "late", "description": "The parcel is late."})
    shop.post(f"{address}/assign", {"team": team})
    return address


def promise(shop: Service, number: str = "desk 0") -> dict[str, Any]:
    """A promise to this customer, as a CloudEvent."""
    return {
        "specversion": "1.0",
        "id": f"promise to {number}",
        "source": "urn:test",
        "type": "amends.commitment.made.v1",
        "data": {"customer": {"kind": "crm", "value": number}, "what": "We call you.", "due_at": DUE},
    }


OVERLOADED = [
    {
        "code": "overloaded",
        "team": "desk",
        "detail": "this team has more to do than it can take on: see /v1/reports/workload",
    }
]


def test_s4_30_a_promise_posted_as_an_event_is_answered_with_the_warning(shop: Service):
    headers = {"Content-Type": "application/cloudevents+json"}
    answer = shop.http.post("/v1/events", content=orjson.dumps(promise(shop)), headers=headers)
    assert (answer.status_code, answer.json()["warnings"]) == (201, OVERLOADED)


def test_s4_30_in_a_batch_each_promise_has_its_own_warning(shop: Service):
    other = recovery(shop, "of the yard", "yard")
    shop.project()
    events = [promise(shop, "desk 1"), promise(shop, "of the yard"), {"id": "no event"}, promise(shop, "desk 2")]
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    results = shop.http.post("/v1/events", content=orjson.dumps(events), headers=headers).json()["results"]
    assert [one["status"] for one in results] == [201, 201, 422, 201]
    assert [one.get("warnings") for one in results] == [OVERLOADED, None, None, OVERLOADED]
    assert other.endswith(results[1]["customer_id"])


def test_s4_30_the_same_promise_again_is_warned_of_as_it_stands_by_then(shop: Service):
    address = f"/v1/customers/{shop.customer('desk 3')}/make-commitment"
    body = {"what": "We call you.", "due_at": DUE}
    first = shop.http.post(address, json=body, headers={"Idempotency-Key": "again"})
    shop.post("/v1/colleagues/d-0/set-capacity", {"points": 100})
    shop.project()
    again = shop.http.post(address, json=body, headers={"Idempotency-Key": "again"})
    shop.post("/v1/colleagues/d-0/set-capacity", {"points": 1})
    shop.project()
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json().pop("warnings") == OVERLOADED
    assert again.json() == {name: one for name, one in first.json().items() if name != "warnings"}


def batch(shop: Service, *events: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    """The results of these events, posted as one batch."""
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    answer = shop.http.post("/v1/events", content=orjson.dumps(events), headers=kind | headers)
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_s4_30_what_records_nothing_is_not_warned_of_for_the_promise_before_it(shop: Service):
    known = {"customer": {"kind": "crm", "value": "desk 1"}}
    opened = promise(shop) | {"id": "known", "type": "amends.relationship.opened.v1", "data": known}
    results = batch(shop, promise(shop, "desk 1") | {"id": "fresh"}, opened)
    assert [len(one["receipts"]) for one in results] == [1, 0]
    assert [one.get("warnings") for one in results] == [OVERLOADED, None]


def test_s4_30_only_whoever_may_read_the_workload_is_warned_and_no_customer_is(shop: Service):
    address = f"/v1/customers/{shop.customer('desk 2')}/make-commitment"

    def warned(scopes: tuple[str, ...], **more: Any) -> bool:
        body = {"what": "We call you.", "due_at": DUE, **more}
        answer = shop.http.post(address, json=body, headers=shop.key(*scopes))
        assert answer.status_code == 201, answer.text
        return "warnings" in answer.json()

    assert [warned(("append",)), warned(("append", "read"))] == [False, True]
    assert not warned(("append", "read"), by={"customer": True})
    assert not warned(("append", "read", "import"), imported=True)


def many(shop: Service, *numbers: str) -> list[dict[str, Any]]:
    """One new promise after the other to these customers."""
    return [promise(shop, number) | {"id": f"{uuid4()}"} for number in numbers]


def counts(asked: list[str]) -> int:
    """How often what a team has to do was counted."""
    return len([one for one in asked if "capacities" in one])


def test_s4_30_however_many_promises_a_batch_holds_a_team_is_counted_once(shop: Service, asked: list[str]):
    results = batch(shop, *many(shop, *(f"desk {n % 3}" for n in range(9))))
    assert [one.get("warnings") for one in results] == [OVERLOADED] * 9
    assert counts(asked) == 1


def test_whoever_counts_too_long_gives_back_what_he_found_and_stops(
    shop: Service, asked: list[str], monkeypatch: pytest.MonkeyPatch
):
    for team in ("shed", "loft"):
        recovery(shop, f"of the {team}", team)
    shop.project()
    monkeypatch.setattr(warning, "PATIENCE_SECONDS", 2.0)  # as it ships, which the first count takes hardly any of
    answered, done = threading.Event(), threading.Event()

    def holds_up(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if counts([statement]) and counts(asked) == 2:
            answered.wait(30)

    def given_back(*_: Any) -> None:
        if answered.is_set():
            done.set()

    engine = shop.container.engine
    event.listen(engine, "before_cursor_execute", holds_up)
    event.listen(engine, "checkin", given_back)
    try:
        results = batch(shop, *many(shop, "desk 0", "of the shed", "of the loft"))
        answered.set()
        assert done.wait(30)
    finally:
        answered.set()
        event.remove(engine, "before_cursor_execute", holds_up)
        event.remove(engine, "checkin", given_back)
    assert [one.get("warnings") for one in results] == [OVERLOADED, None, None]
    assert counts(asked) == 2


def test_what_promises_nothing_is_answered_without_a_look_at_the_read_models(shop: Service, asked: list[str]):
    shop.post(f"/v1/customers/{shop.customer('desk 4')}/apologise", {"said": "regret"})
    assert [one for one in asked if "colleague_posts" in one] == []


def test_a_promise_takes_one_look_at_the_read_models(shop: Service, asked: list[str]):
    body = {"what": "We call you.", "due_at": DUE}
    shop.post(f"/v1/customers/{shop.customer('desk 4')}/make-commitment", body)
    assert len([one for one in asked if "colleague_posts" in one]) == 1


def test_s4_30_a_promise_is_recorded_and_answered_though_nobody_can_count(shop: Service):
    with shop.container.engine.begin() as conn:
        conn.execute(text("ALTER TABLE promises_kept RENAME TO promises_elsewhere"))
    try:
        body = {"what": "We call you.", "due_at": DUE}
        answer = shop.post(f"/v1/customers/{shop.customer('desk 4')}/make-commitment", body)
    finally:
        with shop.container.engine.begin() as conn:
            conn.execute(text("ALTER TABLE promises_elsewhere RENAME TO promises_kept"))
    assert [one["topic"] for one in answer["receipts"]] == ["commitment.made"]
    assert "warnings" not in answer


@pytest.fixture
def asked(shop: Service) -> Iterator[list[str]]:
    """The statements that whoever reads sends from now on."""
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(shop.container.engine, "before_cursor_execute", note)
    yield sent
    event.remove(shop.container.engine, "before_cursor_execute", note)
