"""What the API's description promises, and what the service really answers: nothing else, on every route."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response

from api.examples import example_of
from domain.kinds import COMMANDS
from domain.relationship import RelationshipCommand
from tests.support.described import Described, described
from tests.support.http import Service
from tests.support.telling_lessons import LEAD, ME, NOTICE, drafted, put_right, told

DOCUMENT = described()
DESCRIBED = Described(DOCUMENT)
EUR = {"currency": "EUR"}


@pytest.fixture(scope="module")
def heard(shared: Service) -> Iterator[list[Response]]:
    """Every answer of the service that this file asks, each held against the description."""
    answers: list[Response] = []

    def hear(answer: Response) -> None:
        answer.read()
        answers.append(answer)

    shared.http.event_hooks["response"].append(hear)
    yield answers
    shared.http.event_hooks["response"].remove(hear)


@pytest.fixture(autouse=True)
def _as_described(heard: list[Response]) -> Iterator[None]:
    heard.clear()
    yield
    assert heard
    assert [fault for answer in heard for fault in DESCRIBED.faults(answer)] == []


@pytest.fixture(scope="module")
def house(shared: Service) -> dict[str, str]:
    """A house in which something of everything has happened, and the ids of it."""
    customer, recovery = put_right(shared, "C-1")
    address = f"/v1/customers/{customer}"
    lesson = told(shared, drafted(shared))
    shared.post("/v1/colleagues/m-7/join", {"role": "waiter", "role_class": "front", "team": "hall"} | ME)
    shared.post("/v1/standards", {"kind": "rule", "name": "receipts", "body": _rule()})
    opened = {"cost_centre": "care", "period": "2026-q4", "limit": EUR | {"amount": "500.00"}}
    budget = shared.post("/v1/budgets", opened)["budget_id"]
    webhook = shared.post("/v1/webhooks", {"url": "https://93.184.215.14/hook"})["webhook_id"]
    told(
        shared,
        drafted(shared, kind="case_study", from_recovery={"customer_id": customer, "recovery_id": recovery}),
    )
    shared.post(f"{address}/report-treatment", {"treatment": "rude", "by_colleague": "m-7"})
    shared.post(f"{address}/make-gesture", {"kind": "surprise", "degree": 2})
    shared.post(f"{address}/report-obstacle", {"kind": "policy_block", "rule_id": "receipts"})
    shared.post(f"{address}/declare-value", {"amount": EUR | {"amount": "15.00"}, "per": "day"})
    shared.project()
    return {"customer_id": customer, "lesson_id": lesson, "budget_id": budget, "webhook_id": webhook}


def _rule() -> dict[str, Any]:
    return example_of(COMMANDS["publish-standard"])["body"]


def _reads() -> list[str]:
    return sorted(path for path, verbs in DOCUMENT["paths"].items() if "get" in verbs)


ASKED = {
    "/v1/wording/check": "",
    "/v1/authority/check": "?customer_id={customer_id}&kind=voucher&amount=5.00",
}


def _address(path: str, house: dict[str, str]) -> str:
    known = {"event_type": "amends.failure.reported.v1", "colleague_id": "m-7", "kind": "rule", "name": "receipts"}
    return (path + ASKED.get(path, "")).format_map(house | known)


@pytest.mark.parametrize("path", _reads())
def test_every_read_answers_as_described(shared: Service, house: dict[str, str], path: str):
    answer = shared.http.get(_address(path, house))
    assert answer.status_code == 200, answer.text


def _conditional() -> list[str]:
    return [path for path in _reads() if "304" in DOCUMENT["paths"][path]["get"]["responses"]]


@pytest.mark.parametrize("path", ["", "/explain", "/timeline"])
def test_whoever_follows_a_customer_may_say_what_he_holds(path: str, shared: Service):
    shared.http.get("/healthz")
    assert f"/v1/customers/{{customer_id}}{path}" in _conditional()


@pytest.mark.parametrize("path", _conditional())
def test_who_holds_the_newest_version_is_answered_as_described(shared: Service, house: dict[str, str], path: str):
    address = _address(path, house)
    held = shared.http.get(address).headers["etag"]
    answer = shared.http.get(address, headers={"If-None-Match": held})
    assert (answer.status_code, answer.content) == (304, b"")


def test_the_past_is_answered_as_described(shared: Service, house: dict[str, str]):
    for part in ("", "/explain"):
        shared.get(f"/v1/customers/{house['customer_id']}{part}?at_version=3")


def test_every_page_of_the_feed_is_answered_as_described(shared: Service, house: dict[str, str]):
    assert "next_url" in shared.get("/v1/feed?limit=1")
    assert "next_url" not in shared.get("/v1/feed")
    shared.get("/v1/feed?colleague=m-7")
    for path in ("/v1/feed", "/v1/feed.atom"):
        assert shared.http.get(path, headers={"Accept": "application/feed+json"}).status_code == 200


def test_what_waits_for_a_second_voice_is_answered_as_described(shared: Service):
    address = f"/v1/customers/{shared.customer('C-2')}"
    shared.post(f"{address}/report-failure", {"what": "late", "severity": 4, "description": "An hour."})
    waiter = {"by": {"colleague_id": "w-1", "role": "waiter", "role_class": "front"}}
    grant = {"kind": "voucher", "cost": EUR | {"amount": "80.00"}}
    shared.post(f"{address}/grant-compensation", grant | waiter, status=202)
    event = {"specversion": "1.0", "id": "e-1", "source": "urn:test", "type": "amends.compensation.granted.v1"}
    event |= {"subject": address.rpartition("/")[2], "data": grant | waiter}
    sent = {"Content-Type": "application/cloudevents+json"}
    assert shared.http.post("/v1/events", json=event, headers=sent).status_code == 202


@pytest.mark.parametrize("path", sorted(path for path, kind in COMMANDS.items() if path != "open"))
def test_every_command_answers_as_described(shared: Service, house: dict[str, str], path: str):
    """Recorded or refused: `put_right` and the others above saw to it that many are recorded."""
    kind = COMMANDS[path]
    if issubclass(kind, RelationshipCommand):
        shared.http.post(f"/v1/customers/{house['customer_id']}/{path}", json=example_of(kind))
    shared.http.post(f"/v1/customers/{house['customer_id']}/{path}", json={"unheard_of": True})


def test_events_and_batches_are_answered_as_described(shared: Service):
    event = {"specversion": "1.0", "id": "b-1", "source": "urn:test", "type": "amends.gesture.made.v1"}
    event |= {"data": {"customer": {"kind": "crm", "value": "C-3"}, "kind": "surprise", "degree": 1}}
    for one, mode in ((event, ""), ([event, event | {"id": "b-2", "type": "unheard"}, 7], "-batch")):
        sent = {"Content-Type": f"application/cloudevents{mode}+json"}
        assert shared.http.post("/v1/events", json=one, headers=sent).status_code in (200, 201)
    assert shared.http.options("/v1/events").status_code == 204


def test_what_the_house_decides_is_answered_as_described(shared: Service, house: dict[str, str]):
    shared.post("/v1/customers", {"customer": {"kind": "crm", "value": "C-1"}}, status=200)
    lesson = drafted(shared, **NOTICE | {"title": "Another"})
    for verb, body in (("approve", LEAD), ("publish", {}), ("revise", {"text": "Now so."}), ("retire", {})):
        shared.http.post(f"/v1/lessons/{lesson}/{verb}", json=body)
    for status in (201, 200):
        shared.post(f"/v1/feed/{house['lesson_id']}/ack", ME, status=status)
    shared.http.post(f"/v1/budgets/{house['budget_id']}/close", json={})
    shared.post("/v1/standards/rule/receipts/review", {"decision": "keep", "reason": "It helps."})
    webhook = f"/v1/webhooks/{house['webhook_id']}"
    shared.http.patch(webhook, json={"active": False})
    for verb in ("rotate-secret", "resend"):
        shared.http.post(f"{webhook}/{verb}")
    assert shared.http.post("/v1/wording/check", json={"text": "We made an exception."}).status_code == 200


@pytest.mark.parametrize(
    ("value", "schema", "fault"),
    [
        ({"a": 1}, {"type": "object", "required": ["b"]}, "/b is missing"),
        ({"a": 1}, {"properties": {"a": {"type": "string"}}}, "/a is no string"),
        ({"a": 1}, {"properties": {}, "additionalProperties": False}, "/a is not described"),
        (
            [1, "x"],
            {"items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
            "/1 fits none of 2",
        ),
        (True, {"type": "integer"}, " is no integer"),
        ("today", {"type": "string", "format": "date"}, " is no date"),
        ("one", {"enum": ["two"]}, " is another value than those described"),
        (3, {"maximum": 2}, " is out of its range"),
        ([1, 1], {"uniqueItems": True}, " names one twice"),
        ({"a": 1}, {"propertyNames": {"maxLength": 0}}, " has 1 characters"),
        ("x", {"pattern": "^[a-c]$"}, " does not match ^[a-c]$"),
    ],
)
def test_whoever_looks_at_the_answers_sees_what_is_wrong(shared: Service, value: Any, schema: Any, fault: str):
    shared.http.get("/healthz")
    assert list(DESCRIBED.against(value, schema, "")) == [fault]
