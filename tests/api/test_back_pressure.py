"""Back-pressure: a writer that is held up takes what it has room for, and tells the rest to come back."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.kinds import Actor
from infrastructure.engine import begin_writing, make_engine
from infrastructure.orders import Order
from infrastructure.recorder import lock_head
from tests.support.exposition import Exposition
from tests.support.http import Service, service
from tests.support.processes import eventually
from tests.support.writing import crm, late

JSON = {"Content-Type": "application/json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
ROOM = 3
FEW_BYTES = 50
"""Fewer than one command takes."""


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service with room for three orders, that knows one customer."""
    with service(database, tmp_path, queue_size=ROOM) as made:
        made.customer("C-1")
        yield made


@pytest.fixture
def tight(amends: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The same service, where the bytes of one command leave no room for another."""
    monkeypatch.setattr(amends.container.writer, "_queue_bytes", FEW_BYTES)
    return amends


@contextmanager
def held_up(amends: Service) -> Iterator[None]:
    """Somebody else holds the ledger's lock, as a slow process would; the writer waits for it with one order."""
    writer, other = amends.container.writer, make_engine(amends.container.settings.database_url)
    try:
        with other.connect() as conn:
            with begin_writing(conn):
                lock_head(conn, "main")
                first = writer.submit(Order(late(), crm("C-1"), Actor(kind="service", ref="k:test"), "urn:test"))
                eventually(lambda: not writer.waiting, "the writer has taken it")
                yield
            assert first.result(30).receipts
    finally:
        other.dispose()


def batch(events: int) -> list[dict[str, Any]]:
    told = {"what": "late", "description": "the parcel did not come", "customer": {"kind": "crm", "value": "C-1"}}
    said = {"specversion": "1.0", "source": "urn:test", "type": "amends.failure.reported.v1", "data": told}
    return [said | {"id": str(uuid4())} for _ in range(events)]


def waiting(amends: Service) -> tuple[float, float]:
    """How many commands wait, and their bytes, as an operator is told."""
    told = Exposition(amends.http.get("/metrics").text)
    return told.value("amends_writer_queue_commands"), told.value("amends_writer_queue_bytes")


def failures(amends: Service) -> int:
    """How many failures the ledger knows of."""
    facts = amends.container.ledger.facts(0, 100)
    return sum(fact.event.TOPIC == "failure.reported" for fact in facts)


def is_busy(answer: httpx2.Response) -> bool:
    """Whether a caller was put off for want of room, and told when to come back."""
    slug = answer.json()["type"].rpartition("/")[2]
    return (answer.status_code, slug, answer.headers["Retry-After"]) == (503, "busy", "1")


def statuses(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [one["status"] for one in answer.json()["results"]]


def test_a_batch_that_finds_room_for_a_part_says_of_every_event_what_became_of_it(amends: Service) -> None:
    events = batch(5)
    with ThreadPoolExecutor(1) as caller:
        with held_up(amends):
            posted = caller.submit(amends.http.post, "/v1/events", json=events, headers=BATCH)
            eventually(lambda: amends.container.writer.waiting == ROOM, "the queue is full")
        answer = posted.result(30)
    assert statuses(answer) == [201, 201, 201, 503, 503]
    assert [one["problem"]["type"].rpartition("/")[2] for one in answer.json()["results"][3:]] == ["busy", "busy"]
    assert answer.headers["Retry-After"] == "1"
    for n in (3, 4):
        again = amends.http.post("/v1/events", json=[events[n]], headers=BATCH)
        assert statuses(again) == [201]
        assert "Retry-After" not in again.headers
        assert not again.json()["results"][0]["replayed"]
    whole = amends.http.post("/v1/events", json=events[:3], headers=BATCH)
    assert [one["replayed"] for one in whole.json()["results"]] == [True, True, True]


def test_a_full_queue_is_told_at_once_and_later_there_is_room_again(amends: Service) -> None:
    with ThreadPoolExecutor(1) as caller:
        with held_up(amends):
            filling = caller.submit(amends.http.post, "/v1/events", json=batch(ROOM), headers=BATCH)
            eventually(lambda: amends.container.writer.waiting == ROOM, "the queue is full")
            refused = [
                amends.http.post("/v1/events", json=batch(2), headers=BATCH),
                amends.http.post("/v1/customers", json={"customer": {"kind": "crm", "value": "C-2"}}),
            ]
        assert statuses(filling.result(30)) == [201] * ROOM
    for answer in refused:
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("/problems/busy")
        assert answer.headers["Retry-After"] == "1"
    assert amends.http.post("/v1/customers", json={"customer": {"kind": "crm", "value": "C-2"}}).status_code == 201
    topics = [fact.event.TOPIC for fact in amends.container.ledger.facts(0, 100)]
    assert topics.count("failure.reported") == 1 + ROOM


def test_what_is_in_line_when_the_service_stops_is_answered(amends: Service) -> None:
    with ThreadPoolExecutor(2) as caller:
        with held_up(amends):
            posted = caller.submit(amends.http.post, "/v1/events", json=batch(ROOM), headers=BATCH)
            eventually(lambda: amends.container.writer.waiting == ROOM, "the queue is full")
            stopping = caller.submit(amends.container.writer.stop)
        stopping.result(30)
        assert statuses(posted.result(30)) == [201] * ROOM
    assert amends.http.post("/v1/events", json=batch(1), headers=BATCH).status_code == 503


def test_the_bytes_of_a_command_count_while_it_waits_and_leave_no_room_for_the_next(tight: Service) -> None:
    path = f"/v1/customers/{tight.customer()}/report-failure"
    body = json.dumps({"what": "late", "description": "the parcel did not come " * 10}).encode()
    with ThreadPoolExecutor(1) as caller:
        with held_up(tight):
            posted = caller.submit(tight.http.post, path, content=body, headers=JSON)
            eventually(lambda: waiting(tight)[0] == 1, "it waits")
            assert waiting(tight) == (1, len(body))
            assert is_busy(tight.http.post(path, content=body, headers=JSON))
            assert waiting(tight) == (1, len(body))
        assert posted.result(30).status_code == 201
    assert waiting(tight) == (0, 0)
    # The one that held the writer up, and the one that waited.
    assert failures(tight) == 2
    assert tight.http.post(path, content=body, headers=JSON).status_code == 201


def test_the_bytes_of_every_event_of_a_batch_count_and_leave_no_room_for_the_next(tight: Service) -> None:
    [event], [other] = batch(1), batch(1)
    with ThreadPoolExecutor(1) as caller:
        with held_up(tight):
            posted = caller.submit(tight.http.post, "/v1/events", json=[event], headers=BATCH)
            eventually(lambda: waiting(tight)[0] == 1, "it waits")
            # What its id stands for is counted: more than its data, and less than its attributes with it.
            assert FEW_BYTES < compact(event["data"]) <= waiting(tight)[1] <= compact(event)
            assert is_busy(tight.http.post("/v1/events", json=[other], headers=BATCH))
        assert statuses(posted.result(30)) == [201]
    assert waiting(tight) == (0, 0)
    assert failures(tight) == 2
    [again] = tight.http.post("/v1/events", json=[other], headers=BATCH).json()["results"]
    assert (again["status"], again["replayed"]) == (201, False)


def compact(said: Any) -> int:
    """How many bytes this takes as JSON without a blank too many."""
    return len(json.dumps(said, separators=(",", ":")).encode())
