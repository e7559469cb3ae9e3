"""All that a caller can get wrong, among what he gets right: the ledger holds what was acknowledged, no more.

What each refusal looks like by itself is told in tests/api; here it is what they leave behind.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from tests.support.checker import Acknowledged, Entry, disagreements, faults, in_headers, over_http
from tests.support.http import Service
from tests.support.processes import house

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NOBODY = "0192e4a0-0000-7000-8000-00000000dead"
ME = {"kind": "crm", "value": "C-1042"}


def event(event_id: str, data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    said = {"customer": ME, "what": "late", "description": "The parcel did not come."}
    made = {
        "specversion": "1.0",
        "id": event_id,
        "source": "urn:test",
        "type": "amends.failure.reported.v1",
        "time": "2026-03-02T09:00:00Z",
        "data": said if data is None else data,
    }
    return made | changes


@dataclass
class Shop:
    """A service that posts, and keeps every receipt."""

    service: Service
    told: list[Acknowledged] = field(default_factory=list)

    def sends(self, body: Any, content_type: str = STRUCTURED, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": content_type, **headers}
        return self.service.http.post("/v1/events", content=content, headers=sent)

    def posts(self, body: dict[str, Any]) -> Any:
        """The answer to an event that must be taken."""
        answer = self.sends(body)
        assert answer.status_code == 201, answer.text
        self._keep(body["id"], answer.json())
        return answer

    def posts_batch(self, *items: Any) -> list[dict[str, Any]]:
        """The results of a batch; those of items that were taken are kept."""
        answer = self.sends(list(items), BATCH)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        for item, result in zip(items, results, strict=True):
            if result["status"] == 201:
                self._keep(item["id"], result)
        return results

    def is_refused(
        self, slug: str, status: int, body: Any, content_type: str = STRUCTURED, **headers: str
    ) -> None:
        answer = self.sends(body, content_type, **headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["type"].rpartition("/")[2] == slug, answer.text

    def _keep(self, key: str, answer: dict[str, Any]) -> None:
        receipts = tuple(Entry(**one) for one in answer["receipts"])
        self.told.append(Acknowledged(key, receipts))

    def finds_fault(self) -> list[str]:
        """Whatever is wrong with the ledger, read through the API and as it is stored."""
        shown, head = over_http(self.service.http)
        with self.service.container.engine.connect() as conn:
            stored = in_headers(conn)
        return [*faults(stored, self.told, head), *disagreements(shown, stored)]


@pytest.fixture
def shop(amends: Service) -> Shop:
    return Shop(amends)


def test_after_everything_that_can_go_wrong_the_ledger_holds_what_was_acknowledged(shop: Shop):
    first = shop.posts(event("e-1"))
    customer = first.json()["customer_id"]
    for twice in (shop.posts(event("e-1")), shop.posts(event("e-1"))):
        assert twice.json() == first.json()
        assert twice.headers["idempotency-replayed"] == "true"
    for slug, status, body in _wrong(customer):
        shop.is_refused(slug, status, body)
    for body in _unreadable():
        shop.is_refused("json_invalid", 400, body)
    shop.is_refused("body_too_large", 413, b'{"x": "' + b"a" * 2 * 1024 * 1024 + b'"}')
    shop.is_refused("batch_too_large", 413, [event(f"many-{n}") for n in range(501)], BATCH)
    shop.is_refused("media_type_unsupported", 415, event("e-9"), "application/json")
    shop.is_refused("encoding_unsupported", 415, event("e-9"), **{"Content-Encoding": "gzip"})
    shop.is_refused("unauthorised", 401, event("e-9"), Authorization="Bearer amk_test_0_0")
    shop.is_refused("missing_scope", 403, event("e-9"), **shop.service.key("read"))

    results = shop.posts_batch(
        event("b-1"),
        event("b-2", type="amends.nothing.happened.v1"),
        event("b-3", {"customer": {"kind": "crm", "value": "another"}, "kind": "surprise"}, type=GESTURE),
        "no event at all",
        event("b-1"),
        event("e-1", {"customer": ME, "what": "late", "description": "It came broken."}),
        event("b-4", {"said": "regret", "about": {"order": "no such order"}}, subject=customer, type=APOLOGY),
        event("b-5", {"said": "regret"}, subject=customer, type=APOLOGY),
    )
    assert [one["status"] for one in results] == [201, 422, 201, 422, 201, 422, 404, 409]
    assert [one["problem"]["type"].rpartition("/")[2] for one in results if "problem" in one] == [
        "unknown_type",
        "validation_failed",
        "key_reused",
        "unknown_ref",
        "ambiguous_recovery",
    ]
    assert (results[0]["replayed"], results[4]["replayed"]) == (False, True)
    assert results[0]["receipts"] == results[4]["receipts"]

    assert shop.finds_fault() == []
    # Two reports taken, and a gesture to somebody else; neither the twins nor the refused left anything.
    kinds = [one["type"] for one in shop.service.get("/v1/events?limit=500")["data"]]
    assert [kinds.count(kind) for kind in ("amends.failure.reported.v1", GESTURE, OPENED)] == [2, 1, 2]


GESTURE = "amends.gesture.made.v1"
APOLOGY = "amends.apology.made.v1"
OPENED = "amends.relationship.opened.v1"


def _wrong(customer: str) -> Iterator[tuple[str, int, Any]]:
    """(slug, status, event) of what can be read and cannot be taken."""
    said = event("")["data"]
    yield "key_reused", 422, event("e-1", said | {"description": "It came broken."})
    yield "key_reused", 422, event("e-1", time="2026-03-02T09:00:01Z")
    yield "key_reused", 422, event("e-1", {"customer": ME, "kind": "surprise"}, type=GESTURE)
    yield "unknown_type", 422, event("e-9", type="amends.failure.reported.v2")
    yield "unknown_type", 422, event("e-9", type="com.example.failure")
    for follows in ("deadline.set", "deadline.missed", "silence.noticed", "compensation.expired"):
        yield "not_postable", 422, event("e-9", type=f"amends.{follows}.v1")
    yield "future_event", 422, event("e-9", time="2026-03-02T12:05:00.000001Z")
    yield "too_old", 422, event("e-9", time="2025-01-26T11:59:59Z")
    yield "source_not_owned", 403, event("e-9", source="urn:somebody-else")
    yield "unknown_ref", 404, event("e-9", {"said": "regret"}, type=APOLOGY, subject=NOBODY)
    yield "wrong_phase", 409, event("e-9", {"outcome": "satisfied"}, type=CLOSED, subject=customer)
    yield "nothing_done", 409, event("e-9", {}, type="amends.recovery.resolved.v1", subject=customer)
    yield "validation_failed", 422, event("e-9", said | {"severity": 2**53})
    yield "validation_failed", 422, event("e-9", said | {"description": "a\u0000b"})
    yield "validation_failed", 422, event("e-9", said | {"position": 1})
    yield "validation_failed", 422, event("e\n9")
    yield "validation_failed", 422, [event("e-9")]


CLOSED = "amends.recovery.closed.v1"


def _unreadable() -> Iterator[bytes]:
    """What two readers of JSON might read in two ways, at the root and deep inside the data."""
    broken = (
        b"NaN",
        b"-Infinity",
        b"1e400",
        b'"\\ud800"',
        b'{"a": 1, "a": 2}',
        b"[" * 33 + b"]" * 33,
        b"'x'",
        b"",
    )
    for one in broken:
        yield json.dumps(event("e-9", {"x": "HERE"})).encode().replace(b'"HERE"', one)
        yield one
    whole = json.dumps(event("e-9")).encode()
    yield whole[:-1]
    yield whole + b"x"
    yield b"\xef\xbb\xbf" + whole
    yield whole.decode().encode("utf-16")


def test_an_event_at_the_very_edge_of_what_is_taken_is_taken(shop: Shop):
    shop.posts(event("ahead", time="2026-03-02T12:05:00Z"))
    shop.posts(event("old", time="2025-01-26T12:00:00Z"))
    shop.posts(event("zone", time="2026-03-02T14:00:00+02:00"))
    assert shop.finds_fault() == []


def test_a_batch_carries_what_fits_into_a_mebibyte_and_answers_each_item(shop: Shop):
    said = event("")["data"] | {"description": "ω" * 3_000}
    items = [event(f"n-{n}", said) for n in range(55)]
    assert 900_000 < len(json.dumps(items)) < 1024 * 1024
    assert {one["status"] for one in shop.posts_batch(*items)} == {201}
    assert {one["replayed"] for one in shop.posts_batch(*items)} == {True}
    assert shop.finds_fault() == []


def test_the_same_id_from_another_source_is_another_event(shop: Shop):
    other = shop.service.key("append", sources=("urn:other",))
    first = shop.posts(event("e-1")).json()
    answer = shop.sends(event("e-1", source="urn:other"), **other)
    assert answer.status_code == 201
    assert answer.json()["receipts"] != first["receipts"]
    assert answer.json()["customer_id"] == first["customer_id"]


def test_what_was_refused_may_be_posted_again_under_its_id_once_it_is_right(shop: Shop):
    shop.is_refused("future_event", 422, event("e-1", time="2026-03-02T13:00:00Z"))
    shop.service.clock.forward(hours=2)
    shop.posts(event("e-1", time="2026-03-02T13:00:00Z"))
    assert shop.finds_fault() == []


def test_two_mebibytes_are_answered_with_a_problem_over_a_real_socket(sqlite_database: str, tmp_path: Any):
    with house(sqlite_database, tmp_path).serving() as server, server.http() as http:
        body = b'{"x": "' + b"a" * 2 * 1024 * 1024 + b'"}'

        def chunks() -> Iterator[bytes]:
            for start in range(0, len(body), 65_536):
                yield body[start : start + 65_536]

        for content in (body, chunks()):
            answer = http.post("/v1/events", content=content, headers={"Content-Type": STRUCTURED})
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"].endswith("/problems/body_too_large")
        fine = {"specversion": "1.0", "id": str(uuid4()), "source": "urn:test", "type": GESTURE}
        answer = http.post(
            "/v1/events",
            content=json.dumps(fine | {"data": {"kind": "surprise"}}),
            headers={"Content-Type": STRUCTURED},
        )
        assert answer.status_code == 201
        entries, head = over_http(http)
        assert (len(entries), head) == (2, 2)
