"""Back-pressure: a writer that is held up takes what it has room for, and tells the rest to come back."""

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
from tests.support.http import Service, service
from tests.support.processes import eventually
from tests.support.writing import crm, late

BATCH = {"Content-Type": "application/cloudevents-batch+json"}
ROOM = 3


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service with room for three orders, that knows one customer."""
    with service(database, tmp_path, queue_size=ROOM) as made:
        made.customer("C-1")
        yield made


@contextmanager
def held_up(amends: Service) -> Iterator[None]:
    """Somebody else holds the ledger's lock, as a slow process would; the writer waits for it with one order."""
    writer, other = amends.container.writer, make_engine(amends.container.settings.database_url)
    with other.connect() as conn:
        with begin_writing(conn):
            lock_head(conn, "main")
            first = writer.submit(Order(late(), crm("C-1"), Actor(kind="service", ref="k:test"), "urn:test"))
            eventually(lambda: not writer.waiting, "the writer has taken it")
            yield
        assert first.result(30).receipts
    other.dispose()


def batch(events: int) -> list[dict[str, Any]]:
    told = {"what": "late", "description": "the parcel did not come", "customer": {"kind": "crm", "value": "C-1"}}
    said = {"specversion": "1.0", "source": "urn:test", "type": "amends.failure.reported.v1", "data": told}
    return [said | {"id": str(uuid4())} for _ in range(events)]


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
