"""What has not happened yet: the refusal names the time as the caller wrote it, and points at it."""

from typing import Any

import pytest

from tests.support.http import Service
from tests.support.telling_lessons import LATE

AHEAD = "2099-01-01T00:00:00+00:00"
FX = {"rate_num": 9, "rate_den": 10, "source": "ecb", "at": AHEAD}
USD = {"amount": "10.00", "currency": "USD"}
GRANT = {"kind": "voucher", "cost": USD, "fx": FX}
REMEDY = {"apology": {"said": "regret"}, "remedy": {"remedy_kind": "refund"}}
EVENT = {"specversion": "1.0", "id": "f-1", "source": "urn:test", "type": "amends.failure.reported.v1"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def told(problem: dict[str, Any]) -> dict[str, Any]:
    """The field and the place of a problem whose members are those of every such problem."""
    assert problem["type"].endswith("/problems/future_event")
    assert problem["moment"] == AHEAD
    assert problem["recorded_at"] < AHEAD
    members = {"type", "title", "status", "detail", "field", "moment", "recorded_at", "errors"}
    assert problem.keys() - {"trace_id"} <= members
    [place] = problem["errors"]
    assert problem["detail"] == f"{problem['field']} {place['detail']}"
    assert place["code"] == "future_event"
    return {"field": problem["field"], "pointer": place["pointer"], "in": place["in"]}


def at(field: str, pointer: str | None = None, where: str = "body") -> dict[str, Any]:
    return {"field": field, "pointer": pointer or "/" + field.replace(".", "/"), "in": where}


@pytest.mark.parametrize(
    ("command", "body", "field"),
    [
        ("report-failure", LATE | {"happened_at": AHEAD}, "happened_at"),
        ("grant-compensation", GRANT, "fx.at"),
        ("instant-remedy", REMEDY | {"failure": LATE | {"happened_at": AHEAD}}, "failure.happened_at"),
        ("instant-remedy", REMEDY | {"compensation": GRANT}, "compensation.fx.at"),
    ],
)
def test_it_is_called_as_the_caller_called_it(shared: Service, command: str, body: dict[str, Any], field: str):
    address = f"/v1/customers/{shared.customer(f'ahead {command} {field}')}"
    if "failure" not in command and "failure" not in body:
        shared.post(f"{address}/report-failure", LATE)
    problem = shared.post(f"{address}/{command}", body, status=422)
    assert told(problem) == at(field)


def test_in_an_event_it_stands_in_the_data(shared: Service):
    event = EVENT | {"subject": shared.customer("ahead"), "data": LATE | {"happened_at": AHEAD}}
    refusal = shared.http.post("/v1/events", json=event, headers=STRUCTURED).json()
    assert told(refusal) == at("happened_at", "/data/happened_at")
    [item] = shared.http.post("/v1/events", json=[event], headers=BATCH).json()["results"]
    assert told(item["problem"]) == at("happened_at", "/data/happened_at")


def test_the_time_of_the_whole_keeps_the_member_it_had(shared: Service):
    address = f"/v1/customers/{shared.customer('whole')}/report-failure"
    problem = shared.post(address, LATE | {"occurred_at": AHEAD}, status=422)
    assert (problem["field"], problem["moment"], problem["occurred_at"]) == ("occurred_at", AHEAD, AHEAD)
