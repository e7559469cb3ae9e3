"""Events in: one, again, changed, in a batch, in binary mode; and every way in which they can be wrong."""

import json
from typing import Any

import pytest

from tests.support.http import Service
from tests.support.shared import vectors

JSON = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def event(event_id: str = "e-1", **changes: Any) -> dict[str, Any]:
    data = {
        "customer": {"kind": "crm", "value": "C-1042"},
        "what": "late",
        "description": "the parcel did not come",
    }
    made = {
        "specversion": "1.0",
        "id": event_id,
        "source": "urn:test",
        "type": "amends.failure.reported.v1",
        "time": "2026-03-02T09:00:00Z",
        "data": data,
    }
    return {name: one for name, one in (made | changes).items() if one is not None}


NOBODY = "0192e4a0-0000-7000-8000-00000000dead"
STRANGER = {"kind": "crm", "value": "nobody"}


def post(service: Service, body: Any, content_type: str = JSON, **headers: str):
    headers = {name.replace("_", "-"): one for name, one in headers.items()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return service.http.post("/v1/events", content=content, headers={"Content-Type": content_type, **headers})


def refused(service: Service, body: Any, status: int, slug: str, content_type: str = JSON) -> dict[str, Any]:
    answer = post(service, body, content_type)
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert found["type"] == f"http://127.0.0.1:8080/problems/{slug}"
    return found


def test_an_event_is_recorded_with_a_receipt_for_each_fact(amends: Service):
    answer = post(amends, event())
    assert answer.status_code == 201
    found = answer.json()
    topics = [one["topic"] for one in found["receipts"]]
    assert topics[:2] == ["relationship.opened", "failure.reported"]
    assert found["position"] == len(topics) == found["version"]
    assert answer.headers["amends-position"] == str(found["position"])
    assert answer.headers["etag"] == f'"v{found["version"]}"'
    assert "idempotency-replayed" not in answer.headers
    assert len(found["ids"]["recovery_id"]) == 36
    for one in found["receipts"]:
        assert set(one) == {"event_id", "topic", "stream", "version", "position", "leaf_hash"}
        assert one["stream"] == found["customer_id"]
        assert len(one["leaf_hash"]) == 64


def test_the_same_event_again_gets_the_same_receipt(amends: Service):
    first = post(amends, event())
    again = post(amends, event())
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"


def test_the_same_event_in_another_mode_is_the_same_event(amends: Service):
    first = post(amends, event())
    said = event()
    headers = {f"ce-{name}": said[name] for name in ("specversion", "id", "source", "type", "time")}
    binary = post(amends, said["data"], "application/json", **headers)
    assert binary.status_code == 201
    assert binary.json() == first.json()
    [batched] = post(amends, [said], BATCH).json()["results"]
    assert batched["replayed"] is True
    assert batched["receipts"] == first.json()["receipts"]


def test_the_same_id_with_other_content_is_refused(amends: Service):
    post(amends, event())
    changed = event()
    changed["data"] = changed["data"] | {"description": "the parcel came broken"}
    refused(amends, changed, 422, "key_reused")
    assert amends.get("/v1/events")["data"][-1]["sequence"].lstrip("0") == str(
        len(post(amends, event()).json()["receipts"])
    )


def test_an_id_that_is_a_uuid_becomes_the_id_of_the_first_event(amends: Service):
    said = event("5f0c1e9a-8a57-4a2b-9e3c-0f6d1f0f7a11")
    assert post(amends, said).json()["receipts"][0]["event_id"] == "5f0c1e9a-8a57-4a2b-9e3c-0f6d1f0f7a11"


def test_a_batch_with_one_bad_item_lands_the_others_in_order(amends: Service):
    items = [event(f"e-{n}") for n in range(5)]
    items[2] = event("e-2", type="amends.nothing.happened.v1")
    items.append("not an event")
    answer = post(amends, items, BATCH)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [201, 201, 422, 201, 201, 422]
    assert results[2]["problem"]["type"].endswith("/problems/unknown_type")
    assert results[5]["problem"]["type"].endswith("/problems/validation_failed")
    positions = [one["position"] for one in results if one["status"] == 201]
    assert positions == sorted(positions)
    assert answer.headers["amends-position"] == str(positions[-1])
    reports = [one for one in amends.get("/v1/events")["data"] if one["type"] == "amends.failure.reported.v1"]
    assert len(reports) == 4


def test_the_same_id_twice_in_a_batch_is_recorded_once(amends: Service):
    first, second = post(amends, [event(), event()], BATCH).json()["results"]
    assert first["replayed"] is False
    assert second["replayed"] is True
    assert first["receipts"] == second["receipts"]


def test_a_batch_over_the_limit_is_refused_as_a_whole(amends: Service):
    found = refused(amends, [event(f"e-{n}") for n in range(501)], 413, "batch_too_large", BATCH)
    assert found["limit"] == 500
    assert amends.get("/v1/events")["data"] == []


def test_an_empty_batch_has_no_results(amends: Service):
    assert post(amends, [], BATCH).json() == {"results": []}


def test_options_tell_what_may_be_posted(shared: Service):
    answer = shared.http.options("/v1/events")
    assert answer.status_code == 204
    assert "application/cloudevents-batch+json" in answer.headers["accept-post"]
    assert answer.headers["amends-max-batch"] == "500"


@pytest.mark.parametrize(
    ("said", "status", "slug"),
    [
        (event(type="amends.nothing.happened.v1"), 422, "unknown_type"),
        (event(type="amends.failure.reported.v2"), 422, "unknown_type"),
        (event(type="amends.deadline.missed.v1"), 422, "not_postable"),
        (event(type="amends.personal_data.erased.v1"), 422, "not_postable"),
        (event(time="2026-03-02T12:05:01Z"), 422, "future_event"),
        (event(time="1970-01-01T00:00:00Z"), 422, "too_old"),
        (event(source="urn:somebody-else"), 403, "source_not_owned"),
        (event(subject=NOBODY, data={"what": "late", "description": "x"}), 404, "unknown_ref"),
        (event(type="amends.apology.made.v1", data={"said": "regret"}), 422, "validation_failed"),
        (
            event(type="amends.apology.made.v1", data={"said": "regret", "customer": STRANGER}),
            404,
            "unknown_ref",
        ),
        (b'{"specversion": "1.0"', 400, "json_invalid"),
        (b"", 400, "json_invalid"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_a_clear_problem(shared: Service, said: Any, status: int, slug: str):
    refused(shared, said, status, slug)


def test_a_source_of_somebody_else_is_answered_with_those_the_key_owns(shared: Service):
    found = refused(shared, event(source="urn:somebody-else"), 403, "source_not_owned")
    own, given = found["owned"]
    assert own.startswith("urn:amends:key:")
    assert given == "urn:test"


def test_a_type_that_is_nearly_right_is_answered_with_the_right_one(shared: Service):
    found = refused(shared, event(type="amends.failure.report.v1"), 422, "unknown_type")
    assert found["nearest"] == "amends.failure.reported.v1"
    assert found["detail"].endswith("; did you mean amends.failure.reported.v1?")
    assert "nearest" not in refused(shared, event(type="com.example.rain"), 422, "unknown_type")


def test_a_parameter_on_what_is_posted_is_refused(shared: Service):
    answer = shared.http.post("/v1/events?dry_run=1", json=event(), headers={"Content-Type": JSON})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/dry_run"


def test_a_field_that_is_wrong_in_the_data_is_named_from_the_root_of_the_event(shared: Service):
    said = event(data=event()["data"] | {"severity": "3", "mood": "bad", "customer": {"kind": "crm"}})
    found = refused(shared, said, 422, "validation_failed")
    assert [one["pointer"] for one in found["errors"]] == ["/data/customer/value"]
    said["data"]["customer"] = {"kind": "crm", "value": "1"}
    found = refused(shared, said, 422, "validation_failed")
    assert {one["pointer"] for one in found["errors"]} == {"/data/severity", "/data/mood"}


@pytest.mark.parametrize(
    "name", ["ledger", "version", "recorded_at", "position", "occurred_at", "actor", "approved"]
)
def test_nobody_slips_in_what_is_ours_to_say(shared: Service, name: str):
    said = event(data=event()["data"] | {name: "x"})
    [error] = refused(shared, said, 422, "validation_failed")["errors"]
    assert error["pointer"] == f"/data/{name}"


def test_a_subject_and_a_reference_at_once_are_refused(shared: Service):
    customer = shared.customer("two-names")
    [error] = refused(shared, event(subject=customer), 422, "validation_failed")["errors"]
    assert error["pointer"] == "/data/customer"


def test_a_complaint_without_any_customer_opens_an_unnamed_one(amends: Service):
    said = event(data={"what": "late", "description": "nobody will know who I am"})
    found = post(amends, said).json()
    assert found["receipts"][0]["topic"] == "relationship.opened"
    assert amends.get(f"/v1/customers/{found['customer_id']}")["version"] == found["version"]


def test_a_plain_body_without_ce_headers_is_told_what_to_send(shared: Service):
    answer = post(shared, event(), "application/json")
    assert answer.status_code == 415
    assert "application/cloudevents+json" in answer.headers["accept-post"]
    assert "a whole event needs Content-Type application/cloudevents+json" in answer.json()["detail"]


def test_an_event_decided_on_an_older_version_is_refused_in_both_single_modes(amends: Service):
    said = event()
    first = post(amends, said).json()
    later = event("e-2", subject=first["customer_id"], data={"what": "late", "description": "late again"})
    headers = {f"ce-{name}": later[name] for name in ("specversion", "id", "source", "type", "time", "subject")}
    stale = [
        post(amends, later, If_Match='"v1"'),
        post(amends, later["data"], "application/json", If_Match='"v1"', **headers),
        post(amends, later, If_None_Match="*"),
    ]
    assert [one.status_code for one in stale] == [412, 412, 412]
    assert post(amends, later, If_Match=f'"v{first["version"]}"').status_code == 201


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_a_batch_decides_on_no_version(shared: Service, name: str):
    answer = post(shared, [event()], BATCH, **{name: '"v1"'})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/problems/header_invalid")
    assert answer.json()["header"] == name


@pytest.mark.parametrize("content_type", [JSON, BATCH, "application/json"])
def test_the_key_of_an_event_is_its_id_and_no_header(shared: Service, content_type: str):
    headers = {"ce-specversion": "1.0"} if content_type == "application/json" else {}
    answer = post(shared, event(), content_type, Idempotency_Key="k-1", **headers)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/problems/header_invalid")
    assert "id of the event" in answer.json()["detail"]


def test_the_id_of_an_event_and_an_idempotency_key_never_meet(amends: Service):
    number = "5f0c1e9a-8a57-4a2b-9e3c-0f6d1f0f7a11"
    first = post(amends, event(number)).json()
    command = {"what": "late", "description": "another one"}
    second = amends.post(f"/v1/customers/{first['customer_id']}/report-failure", command, Idempotency_Key=number)
    assert first["receipts"][0]["event_id"] == number
    assert second["version"] > first["version"]


def test_a_large_body_is_taken_like_a_small_one(amends: Service):
    items = [event(f"e-{n}", data=event()["data"] | {"description": "x" * 900}) for n in range(100)]
    assert {one["status"] for one in post(amends, items, BATCH).json()["results"]} == {201}


def test_trace_and_correlation_come_back_with_the_event(amends: Service):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    cause = "0192e4a0-0000-7000-8000-00000000000c"
    post(amends, event(traceparent=trace, causationid=cause, correlationid=cause))
    last = amends.get("/v1/events")["data"][1]
    assert last["traceparent"] == trace
    assert last["causationid"] == last["correlationid"] == cause


def test_every_file_of_the_json_test_suite_is_answered_without_a_fault(shared: Service):
    customer = shared.customer("json")
    for file in sorted((vectors("jsontestsuite") / "test_parsing").iterdir()):
        body = file.read_bytes()
        for path, content_type in (
            ("/v1/events", JSON),
            ("/v1/events", BATCH),
            (f"/v1/customers/{customer}/complete-encounter", "application/json"),
        ):
            answer = shared.http.post(path, content=body, headers={"Content-Type": content_type})
            # Only arrays are batches, and their items fail one by one.
            taken = content_type == BATCH and answer.status_code == 200 and not file.name.startswith("n_")
            assert taken or 400 <= answer.status_code < 500, file.name


def test_naughty_strings_come_back_as_they_were_or_are_refused(amends: Service):
    strings = json.loads((vectors("naughty-strings") / "blns.json").read_text(encoding="utf-8"))
    items = [
        event(f"e-{n}", data={"what": "late", "description": text, "customer": {"kind": "crm", "value": "1"}})
        for n, text in enumerate(strings)
    ]
    sent, kept = 0, []
    for first in range(0, len(items), 100):
        for text, result in zip(
            strings[first:], post(amends, items[first : first + 100], BATCH).json()["results"], strict=False
        ):
            sent += 1
            assert result["status"] in (201, 422), result
            if result["status"] == 201:
                kept.append(text)
    assert sent == len(strings)
    assert len(kept) > 500
    assert _described(amends) == kept


def _described(service: Service) -> list[str]:
    found, after, end = [], 0, False
    while not end:
        page = service.http.get(f"/v1/events?personal=true&limit=500&after={after}").json()
        found += [
            one["data"]["description"] for one in page["data"] if one["type"] == "amends.failure.reported.v1"
        ]
        after, end = page["next"], page["end_of_log"]
    return found
