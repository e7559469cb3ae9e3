"""Requests that nobody means: waits for what nobody wrote, long echoes, bytes that are no text."""

from typing import Any

import pytest

from tests.support.http import Service
from tests.support.telling_lessons import put_right

EVENT = {"specversion": "1.0", "source": "urn:test", "type": "amends.gesture.made.v1"}
DATA = {"customer": {"kind": "crm", "value": "C-7"}, "kind": "surprise", "degree": 1}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


def test_a_position_that_nobody_has_written_is_refused_at_once(shared: Service):
    put_right(shared)
    head = shared.container.ledger.head()
    beyond = shared.get(f"/v1/recoveries?min_position={head + 1}", status=400, Prefer="wait=10")
    assert (beyond["type"].rpartition("/")[2], beyond["parameter"], beyond["end"]) == (
        "cursor_invalid",
        "min_position",
        head,
    )
    shared.get(f"/v1/recoveries?min_position={head}")


def test_a_position_that_is_written_and_not_folded_yet_is_worth_another_question(amends: Service):
    amends.customer()
    answer = amends.http.get(f"/v1/recoveries?min_position={amends.container.ledger.head()}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    ("asked", "applied"),
    [("wait=2", "2"), ("wait=99999999", "10"), ("wait=9999999999", "10"), (f"wait={'9' * 19}", "10")]
    + [(f"wait={'9' * 5_000}", "10"), (f"wait={'0' * 5_000}2", "2")],
)
def test_a_wait_is_as_long_as_it_is_said_to_be(shared: Service, asked: str, applied: str):
    answer = shared.http.get("/v1/recoveries?min_position=0", headers={"Prefer": asked})
    assert answer.headers["preference-applied"] == f"wait={applied}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/standards", {"kind": "calendar", "name": "x", "body": {"zone": "x" * 100_000, "hours": {}}}),
        ("/v1/webhooks", {"url": "https://crm.example/", "types": ["x" * 100_000]}),
        ("/v1/standards", {"kind": "x" * 100_000, "name": "x", "body": {}}),
    ],
)
def test_what_was_sent_is_not_sent_back_at_length(shared: Service, path: str, body: dict[str, Any]):
    answer = shared.http.post(path, json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 2_000


@pytest.mark.parametrize("told", ["%C0%80", "%ff", "a%ED%A0%80"])
@pytest.mark.parametrize("path", ["/v1/feed?colleague=", "/v1/recoveries?limit=1&owner=", "/v1/feed?"])
def test_t_23_bytes_that_are_no_text_are_refused_in_a_query(shared: Service, path: str, told: str):
    problem = shared.get(path + told, status=422)
    assert [(one["in"], one["code"]) for one in problem["errors"]] == [("query", "not_utf8")]


def test_text_of_any_script_is_taken_in_a_query(shared: Service):
    shared.get("/v1/feed?colleague=%CE%BC%CE%B1%CF%81%CE%AF%CE%B1&limit=1")


@pytest.mark.parametrize("name", ["UPPER", "my_ext", "my-ext", "é", ""])
def test_an_attribute_is_named_as_the_specification_says(shared: Service, name: str):
    answer = shared.http.post(
        "/v1/events", json=EVENT | {"id": "n-1", "data": DATA, name: "x"}, headers=STRUCTURED
    )
    [place] = answer.json()["errors"]
    assert (answer.status_code, place["pointer"], place["code"]) == (422, f"/{name}", "attribute_name")


@pytest.mark.parametrize("value", [{"a": 1}, [1], 1.5, None])
def test_an_attribute_is_no_structure(shared: Service, value: Any):
    event = EVENT | {"id": f"v-{value}", "data": DATA, "myext1": value}
    answer = shared.http.post("/v1/events", json=event, headers=STRUCTURED)
    assert answer.status_code == (201 if value is None else 422)


@pytest.mark.parametrize("value", ["text", 7, True])
def test_an_attribute_of_the_callers_own_is_taken(shared: Service, value: Any):
    event = EVENT | {"id": f"own-{value}", "data": DATA, "myext1": value}
    assert shared.http.post("/v1/events", json=event, headers=STRUCTURED).status_code == 201
