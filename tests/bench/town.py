"""A town to serve: a database with every customer of the workload in it, and the requests they make."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Engine, make_url

from domain.moves.contact import CustomerUpdated
from infrastructure.projector import Projector
from projections import ALL
from tests.bench.place import Place
from tests.bench.workload import choices, payload
from tests.bench.writer import open_customers, writing
from tests.support.processes import House, Serving, house

BATCH: Final = 500
"""Events in a batch."""


@dataclass(frozen=True, slots=True)
class Town:
    """The customers of one database, their read models caught up, and a key for its servers."""

    house: House
    customers: Sequence[UUID]

    @contextmanager
    def production(self) -> Iterator[Serving]:
        """A server as in production, with a worker beside it that projects and sweeps on the same machine."""
        with self.house.working(), self.house.serving("--no-worker") as server:
            yield server

    def posts(self, number: int, n: int, *, keyed: bool = False) -> list[bytes]:
        """So many requests with one command each. `keyed` ones may be sent again without doing twice."""
        body = orjson.dumps(payload())
        return [
            self._request(
                "POST",
                f"/v1/customers/{self.customers[one]}/update-customer",
                body,
                {"Idempotency-Key": f'"{uuid4()}"'} if keyed else {},
            )
            for one in self._chosen(number, n)
        ]

    def batches(self, number: int, n: int) -> list[bytes]:
        """So many requests with a batch of CloudEvents each, which say the same as `posts`."""
        chosen = iter(self._chosen(number, n * BATCH))
        return [
            self._request(
                "POST",
                "/v1/events",
                orjson.dumps([self._event(next(chosen)) for _ in range(BATCH)]),
                {"Content-Type": "application/cloudevents-batch+json"},
            )
            for _ in range(n)
        ]

    def gets(self, number: int, n: int) -> list[bytes]:
        """So many questions how a customer stands."""
        return [self._request("GET", f"/v1/customers/{self.customers[one]}") for one in self._chosen(number, n)]

    def _chosen(self, number: int, n: int) -> list[int]:
        # Four fifths of all about a fifth of them, however many a part opens.
        return choices(number, n, len(self.customers), len(self.customers) // 5)

    def _event(self, customer: int) -> dict[str, object]:
        return {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "urn:test",
            "type": CustomerUpdated.TYPE,
            "subject": str(self.customers[customer]),
            "data": payload(),
        }

    def _request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        told = {"Host": "127.0.0.1", "Authorization": f"Bearer {self.house.bearer}", "Accept": "*/*"}
        if body:
            told |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        told |= headers or {}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        return "\r\n".join(lines).encode() + body


@contextmanager
def town(place: Place, url: str) -> Iterator[Town]:
    """The town of this migrated and empty database, with key files of its own."""
    folder = place.folder / f"town-{uuid4().hex}"
    folder.mkdir()
    built = house(url, folder)
    own = replace(place, folder=folder)
    with own.engine(url) as engine:
        projector = _entered(own, engine)
        with writing(own, engine) as writer:
            customers = open_customers(writer)
        projector.catch_up()
    yield Town(built, customers)


@contextmanager
def copied(place: Place, town: Town) -> Iterator[Town]:
    """The same town on a copy of its database, which nobody may be connected to now."""
    with place.database(make_url(town.house.database).database) as url:
        yield replace(town, house=replace(town.house, database=url))


def address(server: Serving) -> tuple[str, int]:
    """Where it listens."""
    return address_in(server.url)


def address_in(url: str) -> tuple[str, int]:
    """Host and port in this URL."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80


def _entered(place: Place, engine: Engine) -> Projector:
    # While the ledger is empty: what comes then is folded at once, not rebuilt.
    projector = Projector(engine, place.mapper(), ALL)
    projector.enter()
    return projector
