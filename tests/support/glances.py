"""Glances: what readers see of the read models while somebody rebuilds them, held against what ever was true."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final
from uuid import UUID

import httpx2
from sqlalchemy import Connection, Engine, select

from domain.kinds import Fact
from infrastructure.checkpoints import Generation, positions
from infrastructure.engine import make_engine
from infrastructure.generations import number_of_live
from projections import ALL, satisfaction
from projections.base import Key, Projection, Row
from tests.support.folded import same
from tests.support.ledgers import Rows
from tests.support.processes import House, Serving
from tests.support.writing import NOON

MOST: Final = 40
"""So many glances at all rows are enough, each being dear to check."""
TOLD: Final = ("score", "band", "basis", "baseline", "version", "position")
"""What an answer about a customer says that follows from his events alone."""
Which = Callable[[Connection, str, str], Generation]
"""Gives the generation to look at, by ledger and name."""


@dataclass(frozen=True, slots=True)
class Glance:
    """Every row of one read model at one moment, and how far it said it had come."""

    projection: Projection
    generation: int
    position: int
    rows: Rows


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection whose queries all see the same moment."""
    level = "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"
    with engine.connect().execution_options(isolation_level=level) as conn, conn.begin():
        yield conn


def glance(conn: Connection, projection: Projection, which: Which = number_of_live) -> Glance:
    """The rows of this read model as a reader finds them now."""
    live, name = which(conn, "main", projection.name), projection.name
    at = positions(conn, "main", [number_of_live(conn, "main", name)])
    rows: Rows = {
        table.name: [
            dict(row._mapping)
            for row in conn.execute(
                select(*(column for column in table.c if column.name not in ("ledger", "generation"))).where(
                    table.c.ledger == "main", table.c.generation == live.number
                )
            )
        ]
        for table in projection.tables
    }
    return Glance(projection, live.number, max(at.values(), default=0), rows)


def never_true(glances: Sequence[Glance], facts: Sequence[Fact]) -> list[str]:
    """The glances that showed something else than the ledger's first events give."""
    found = []
    for projection in ALL:
        seen = sorted((one for one in glances if one.projection is projection), key=lambda one: one.position)
        folding = _Folding(projection)
        for one in seen:
            folding.forward(facts[: one.position])
            if not same(one.rows, folding.rows()):
                found.append(f"{projection.name} {one.generation} is not what {one.position} events give")
    return found


class _Folding:
    """The rows of a read model at ever later positions."""

    def __init__(self, projection: Projection) -> None:
        self._projection, self._at = projection, 0
        self._streams: dict[UUID, dict[Key, Row]] = {}

    def forward(self, facts: Sequence[Fact]) -> None:
        for fact in facts[self._at :]:
            rows = self._streams.setdefault(fact.stream_id, {})
            for key, row in self._projection.apply(rows, fact).items():
                rows.pop(key, None) if row is None else rows.update({key: row})
        self._at = len(facts)

    def rows(self) -> Rows:
        made: Rows = {table.name: [] for table in self._projection.tables}
        for stream, rows in self._streams.items():
            for key, row in rows.items():
                made[key[0]].append({"stream_id": stream, **self._projection.stored(key, row)})
        return made


def never_told(answers: Sequence[dict[str, Any]], facts: Sequence[Fact]) -> list[str]:
    """The answers about a customer that no beginning of his story gives."""
    stories: dict[str, list[Fact]] = {}
    for fact in facts:
        stories.setdefault(str(fact.stream_id), []).append(fact)
    found = []
    for one in answers:
        story = stories[one["customer_id"]][: one["version"]]
        then = satisfaction.of_facts(story[0].stream_id, story, NOON)
        if then is None or any(getattr(then, name) != one[name] for name in TOLD):
            found.append(f"{one} was never true")
    return found


@dataclass
class Onlookers:
    """Readers who look all the time: one at every row, one through the service at one customer after the other."""

    house: House
    server: Serving
    customers: Sequence[str]
    glances: list[Glance] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Onlookers":
        self._threads = [threading.Thread(target=self._guarded, args=(look,)) for look in (self._look, self._ask)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        assert self.faults == []

    def _guarded(self, look: Callable[[], None]) -> None:
        try:
            look()
        except BaseException as fault:  # noqa: BLE001 - told by the thread that waits for this one
            self.faults.append(fault)

    def _look(self) -> None:
        engine, last = make_engine(self.house.database), {}
        try:
            while not self._over.wait(0.05):
                with one_moment(engine) as conn:
                    for projection in ALL:
                        number = number_of_live(conn, "main", projection.name)
                        # Every switch is worth a look; of what lies between, some.
                        if last.get(projection.name) != number or len(self.glances) < MOST:
                            self.glances.append(glance(conn, projection))
                        last[projection.name] = number
        finally:
            engine.dispose()

    def _ask(self) -> None:
        paths = ("", "/timeline", "/explain")
        for customer in cycle(self.customers):
            if self._over.wait(0.01) or not self.server.ready.wait(60):
                return
            try:
                with self.server.http() as http:
                    for path in paths:
                        self._heard(http.get(f"/v1/customers/{customer}{path}"), path)
                    self._heard(http.get("/v1/recoveries"), "data")
                    self._heard(http.get("/v1/feed"), "items")
            except httpx2.TransportError:
                continue  # it was killed; whoever asks, asks again

    def _heard(self, answer: httpx2.Response, path: str) -> None:
        if answer.status_code != 200:
            self.refused.append(f"{answer.url} was answered {answer.status_code}: {answer.text}")
        elif path == "":
            self.answers.append(answer.json()["satisfaction"])
        elif path in ("data", "items") and not answer.json()[path]:
            self.refused.append(f"{answer.url} was empty")
