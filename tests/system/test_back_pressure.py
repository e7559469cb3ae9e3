"""A server whose database is held up puts callers off, and grows by clearly less than they offer."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest

from infrastructure.engine import begin_writing, make_engine
from infrastructure.recorder import lock_head
from tests.support.checker import Entry, disorder, in_headers
from tests.support.inspection import reading
from tests.support.memory import resident_mb
from tests.support.posts import BATCH, SOURCE
from tests.support.processes import House, Serving, client, eventually

BATCHES: Final = 320
"""All offered at once, by as many callers."""
EVENTS: Final = 100
"""In a batch, which takes nearly a MiB."""
WORDS: Final = "the parcel did not come " * 400
OFFERED_MB: Final = BATCHES * EVENTS * len(WORDS) / 2**20
"""Nine times as much as may wait for the writer."""
KEPT: Final = 0.75
"""The share of it that the server may grow by: it holds what waits as bytes and as commands, and reads more."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A batch, and what its caller was told."""

    ids: list[str]
    response: httpx2.Response

    @property
    def busy(self) -> bool:
        """Whether it was put off as a whole for want of room."""
        return self.response.status_code == 503 and self.response.json()["type"].endswith("/busy")

    @property
    def results(self) -> dict[str, Mapping[str, Any]]:
        """What became of each event; of a batch that was put off as a whole, of each the same."""
        told = self.response.json()
        if self.response.status_code == 200:
            return dict(zip(self.ids, told["results"], strict=True))
        return {one: {"status": self.response.status_code, "problem": told} for one in self.ids}


def offer(server: Serving, number: int) -> Offered:
    """Posts a batch about a customer of its own."""
    data = {"what": "late", "description": WORDS, "customer": {"kind": "crm", "value": f"C-{number}"}}
    said = {"specversion": "1.0", "source": SOURCE, "type": "amends.failure.reported.v1", "data": data}
    ids = [str(uuid4()) for _ in range(EVENTS)]
    body = json.dumps([said | {"id": one} for one in ids])
    with client(base_url=server.url, headers=dict(server.headers), timeout=60) as http:
        return Offered(ids, http.post("/v1/events", content=body, headers={"Content-Type": BATCH}))


@contextmanager
def held_up(house: House) -> Iterator[None]:
    """Somebody else holds the ledger's lock."""
    engine = make_engine(house.database)
    try:
        with engine.connect() as conn, begin_writing(conn):
            lock_head(conn, "main")
            yield
    finally:
        engine.dispose()


def put_off(offers: "list[Future[Offered]]") -> int:
    """How many batches found no room so far."""
    return sum(one.done() and one.result().busy for one in offers)


def slug(result: Mapping[str, Any]) -> str:
    """Why an event was not taken; nothing when it was."""
    return str(result["problem"]["type"]).rpartition("/")[2] if result["status"] == 503 else ""


@pytest.mark.soak
def test_a_server_whose_database_is_held_up_keeps_clearly_less_than_it_is_offered(postgres_house: House) -> None:
    with postgres_house.serving("--no-worker") as server, ThreadPoolExecutor(BATCHES) as callers:
        # Whatever is imported late is imported by now.
        first = offer(server, 0)
        assert server.process is not None
        pid = server.process.pid
        before = resident_mb("VmRSS", pid)
        with held_up(postgres_house):
            offers = [callers.submit(offer, server, number) for number in range(1, BATCHES + 1)]
            eventually(lambda: put_off(offers) > BATCHES / 2, "most were put off")
        told = [one.result() for one in offers]
        assert resident_mb("VmHWM", pid) - before < KEPT * OFFERED_MB
        # Whoever comes back finds room.
        told += [first, offer(server, BATCHES + 1)]
        with reading(postgres_house) as conn:
            stored = in_headers(conn)

    assert all(int(one.response.headers["Retry-After"]) >= 1 for one in told if one.response.status_code == 503)
    results = {event_id: result for one in told for event_id, result in one.results.items()}
    assert {one["status"] for one in results.values()} == {201, 503}
    busy = {event_id for event_id, one in results.items() if slug(one) == "busy"}
    assert len(busy) > BATCHES * EVENTS / 2
    # Who got in line, and waited longer than callers do, was told so.
    assert {slug(one) for one in results.values()} <= {"", "busy", "unavailable"}

    assert disorder(stored, len(stored)) == []
    acknowledged = [one for one in results.values() if one["status"] == 201]
    assert len(acknowledged) >= 2 * EVENTS
    assert {Entry(**receipt) for one in acknowledged for receipt in one["receipts"]} <= set(stored)
    assert busy.isdisjoint(entry.event_id for entry in stored)
