"""A value that cannot be meant: the refusal names it as the caller wrote it, and points at it."""

from typing import Any

import pytest

from tests.api.test_standards import always
from tests.support.http import Service
from tests.support.telling_lessons import LATE

EARLIER = "2020-01-01T00:00:00Z"
ZERO = {"amount": "0.00", "currency": "EUR"}
REMEDY = {"apology": {"said": "regret"}, "remedy": {"remedy_kind": "refund"}}


def wrong(field: str, **more: str) -> dict[str, Any]:
    place = {"pointer": "/" + field.replace(".", "/"), "in": "body", "code": "invalid_value"}
    return {"field": field, "place": place | more}


def told(problem: dict[str, Any]) -> dict[str, Any]:
    """The field and the place of a problem, whose detail holds both its words."""
    [place] = problem["errors"]
    assert problem["detail"] == f"{problem['field']}: {place.pop('detail')}"
    return {"field": problem["field"], "place": place}


@pytest.mark.parametrize(
    ("command", "body", "field"),
    [
        ("acknowledge", {"expected_by": EARLIER}, "expected_by"),
        ("update-customer", {"kind": "progress", "next_update_due": EARLIER}, "next_update_due"),
        ("schedule-follow-up", {"due_at": EARLIER}, "due_at"),
        (
            "complete-follow-up",
            {"outcome": "satisfied", "stated": {"instrument": "CES", "value": 9}},
            "stated.value",
        ),
        ("instant-remedy", REMEDY | {"compensation": {"kind": "voucher", "cost": ZERO}}, "compensation.cost"),
        ("instant-remedy", REMEDY | {"apology": {"said": "none", "feeling_named": True}}, None),
    ],
)
def test_it_is_called_as_the_caller_called_it(shared: Service, command: str, body: Any, field: str | None):
    address = f"/v1/customers/{shared.customer(f'{command} {field}')}"
    shared.post(f"{address}/report-failure", LATE)
    problem = shared.post(f"{address}/{command}", body, status=422)
    assert told(problem) == wrong(field or "apology.feeling_named")


def test_a_part_of_a_standard_is_named_from_its_beginning(shared: Service):
    assert told(shared.post("/v1/standards", always("4 h", "shop"), status=422)) == wrong("body.calendar")


def test_in_an_event_it_stands_in_the_data(shared: Service):
    customer = shared.customer("event")
    shared.post(f"/v1/customers/{customer}/report-failure", LATE)
    event = {"specversion": "1.0", "id": "e-1", "source": "urn:test", "type": "amends.recovery.acknowledged.v1"}
    event |= {"subject": customer, "data": {"expected_by": EARLIER}}
    in_data = wrong("expected_by", pointer="/data/expected_by")
    sent = {"Content-Type": "application/cloudevents+json"}
    assert told(shared.http.post("/v1/events", json=event, headers=sent).json()) == in_data
    sent = {"Content-Type": "application/cloudevents-batch+json"}
    [item] = shared.http.post("/v1/events", json=[event], headers=sent).json()["results"]
    assert told(item["problem"]) == in_data
    sent = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    assert told(shared.post("/v1/events", event["data"], status=422, **sent)) == wrong("expected_by")


def test_asked_beforehand_it_is_called_as_the_question_calls_it(shared: Service):
    customer = shared.customer("asked")
    shared.post(f"/v1/customers/{customer}/report-failure", LATE)
    asked = f"/v1/authority/check?customer_id={customer}&kind=voucher&amount=0.00"
    place = {"pointer": "/amount", "in": "query", "code": "invalid_value"}
    assert told(shared.get(asked)["problem"]) == {"field": "amount", "place": place}
