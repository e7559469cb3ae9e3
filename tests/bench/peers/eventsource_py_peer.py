"""eventsource-py on PostgreSQL: its PostgreSQLEventStore by asyncpg, its repository with a decider.

Chosen for it, and why: one engine with as many connections as there are callers, no outbox, no tracing, the schema
its package brings. It takes one stream an append, so a thousand events a transaction are a thousand of one stream.
Callers are tasks on one loop, as its documentation has them.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

from answering import Settings, answer
from eventsource import AggregateRepository, AggregateRoot, DomainEvent, create_async_engine, register_event
from eventsource.adapters.postgresql.store import PostgreSQLEventStore
from eventsource.domain import StreamId
from eventsource.ports import ExpectedVersion
from pydantic import BaseModel

Work = Callable[[], int]
CATEGORY = "Relationship"


@register_event
class CustomerUpdated(DomainEvent):
    """The customer heard from us."""

    aggregate_type: str = CATEGORY
    kind: str
    note: str


class State(BaseModel):
    """What is kept of one customer."""

    told: int = 0
    kind: str = ""
    note: str = ""


class Relationship(AggregateRoot[State]):
    """One customer."""

    aggregate_type = CATEGORY

    def _get_initial_state(self) -> State:
        return State()

    def _apply(self, event: DomainEvent) -> None:
        if isinstance(event, CustomerUpdated):
            told = self._state.told if self._state else 0
            self._state = State(told=told + 1, kind=event.kind, note=event.note)


class Source:
    """The works, on one database."""

    def __init__(self, url: str, runner: "asyncio.Runner") -> None:
        self._run = runner.run
        self._engine = create_async_engine(_address(url), pool_size=16, max_overflow=0)
        self._store = PostgreSQLEventStore(self._engine, create_schema=True)
        self._customers: list[UUID] = []
        self._versions: dict[UUID, int] = {}
        self._loadable: list[UUID] = []

    def record(self, number: int, settings: Settings) -> Work:
        """Appends so many events a transaction, each time to one stream."""
        size, pages = settings["a_transaction"], settings["transactions"]
        made = [_made(uuid4(), 0, size, settings) for _ in range(pages)]

        async def append() -> int:
            for stream, events in made:
                await self._store.append(stream, events, ExpectedVersion.exact(0))
            return pages * size

        return lambda: int(self._run(append()))

    def save(self, number: int, settings: Settings) -> Work:
        """Appends one event at a time from so many callers."""
        threads = settings["threads"]
        while len(self._customers) < settings["customers"]:
            self._customers.append(uuid4())
        shares: list[list[UUID]] = [[] for _ in range(threads)]
        for chosen in settings["commands"]:
            shares[chosen % threads].append(self._customers[chosen])

        async def call(mine: Sequence[UUID]) -> int:
            for one in mine:
                version = self._versions.get(one, 0)
                stream, events = _made(one, version, 1, settings)
                await self._store.append(stream, events, ExpectedVersion.exact(version))
                self._versions[one] = version + 1
            return len(mine)

        async def all_of_them() -> int:
            return sum(await asyncio.gather(*map(call, shares)))

        return lambda: int(self._run(all_of_them()))

    def load(self, number: int, settings: Settings) -> Work:
        """Loads relationships of so many events each."""
        self._run(self._fill(settings))
        repository: AggregateRepository[Any] = AggregateRepository(
            event_store=self._store, aggregate_factory=Relationship, aggregate_type=CATEGORY
        )

        async def load() -> int:
            for _ in range(settings["times"]):
                for one in self._loadable:
                    await repository.load(one)
            times: int = settings["times"]
            return times * len(self._loadable)

        return lambda: int(self._run(load()))

    async def _fill(self, settings: Settings) -> None:
        while len(self._loadable) < settings["relationships"]:
            self._loadable.append(uuid4())
            stream, events = _made(self._loadable[-1], 0, settings["events"], settings)
            await self._store.append(stream, events, ExpectedVersion.exact(0))


def _made(one: UUID, version: int, n: int, settings: Settings) -> tuple[StreamId, list[CustomerUpdated]]:
    events = [
        CustomerUpdated(aggregate_id=one, aggregate_version=version + 1 + at, **settings["payload"])
        for at in range(n)
    ]
    return StreamId(category=CATEGORY, aggregate_id=one), events


def _address(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


if __name__ == "__main__":
    with asyncio.Runner() as runner:
        source = Source(sys.argv[1], runner)
        answer({"record": source.record, "save": source.save, "load": source.load})
