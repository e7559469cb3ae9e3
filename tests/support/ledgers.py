"""Ledgers filled with given facts, without a writer: for tests of whoever reads them."""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, select

from domain.kinds import Fact
from infrastructure.engine import make_engine, writing
from infrastructure.generations import live_generation
from infrastructure.key_file import create_secrets
from infrastructure.keys import Keyring, SubjectKey
from infrastructure.mapper import Mapper
from infrastructure.projector import Projector
from infrastructure.record import Draft, Record
from infrastructure.recorder import insert_records, lock_head, move_head
from infrastructure.stories import ProjectionLike
from projections import ALL
from projections.base import Source
from tests.support.entropy import seeded
from tests.support.histories import GAPS, told
from tests.support.teller import BEGINNING, TELLINGS
from tests.support.writing import Clock

Rows = dict[str, list[dict[str, object]]]


@dataclass
class Book:
    """A ledger on a real database, and what is needed to fill it and to read it."""

    engine: Engine
    mapper: Mapper
    keyring: Keyring
    clock: Clock = field(default_factory=Clock)
    keys: dict[UUID, SubjectKey] = field(default_factory=dict)

    def record(self, facts: Iterable[Fact], page: int = 1_000) -> None:
        """Appends these facts in this order, whatever positions they name; the streams must begin here."""
        waiting = list(facts)
        for start in range(0, len(waiting), page):
            self._append(waiting[start : start + page])

    def projector(self, projections: Sequence[ProjectionLike] = ALL, **options: object) -> Projector:
        """A projector of this ledger that has entered its read models."""
        made = Projector(self.engine, self.mapper, projections, **{"clock": self.clock} | options)  # type: ignore[arg-type]
        made.enter()
        return made

    @contextmanager
    def source(self) -> Iterator[Source]:
        """Where queries read."""
        with self.engine.connect() as conn:
            yield Source(conn, self.mapper.ledger, live_generation(self.mapper.ledger))

    def rows(self, *projections: ProjectionLike) -> Rows:
        """Every row of the live generations by table, in the order of keys, without ledger and generation."""
        live = live_generation(self.mapper.ledger)
        with self.engine.connect() as conn:
            return {
                table.name: [
                    dict(row._mapping)
                    for row in conn.execute(
                        select(*_shown(table))
                        .where(table.c.ledger == self.mapper.ledger, table.c.generation == live(one.name))
                        .order_by(*table.primary_key)
                    )
                ]
                for one in projections or ALL
                for table in one.tables
            }

    def append(self, conn: Connection, facts: Sequence[Fact], recorded_at: datetime | None = None) -> list[Record]:
        """Appends in a transaction of the caller's, as recorded when the facts say or not before that moment."""
        head = lock_head(conn, self.mapper.ledger)
        now = None if recorded_at is None else max(recorded_at, head.recorded_at)
        drafts = [self._drafted(conn, fact) for fact in facts]
        records = [
            draft.complete(head.position + n, now or fact.recorded_at)
            for n, (draft, fact) in enumerate(zip(drafts, facts, strict=True), start=1)
        ]
        insert_records(conn, records)
        move_head(conn, self.mapper.ledger, records[-1].position, records[-1].recorded_at)
        return records

    def _append(self, facts: Sequence[Fact]) -> None:
        with writing(self.engine) as conn:
            self.append(conn, facts)

    def _drafted(self, conn: Connection, fact: Fact) -> Draft:
        customer, sealed = self.mapper.needs(fact.event)
        return self.mapper.draft(
            fact.event,
            stream_id=fact.stream_id,
            version=fact.version,
            event_id=fact.event_id,
            occurred_at=fact.occurred_at,
            actor=fact.actor,
            source=fact.source,
            time_known=fact.time_known,
            customer_key=self._key(conn, fact.stream_id) if customer else None,
            colleague_key=self._own_key(conn, fact.recorded_at) if sealed else None,
        )

    def _own_key(self, conn: Connection, at: datetime) -> SubjectKey:
        drawn = self.keyring.draw(self.mapper.ledger, None, at)
        self.keyring.store(conn, [drawn])
        return drawn.key

    def _key(self, conn: object, subject: UUID) -> SubjectKey:
        if subject not in self.keys:
            self.keys[subject] = self.keyring.make_subject_key(conn, self.mapper.ledger, subject, BEGINNING)  # type: ignore[arg-type]
        return self.keys[subject]


def _shown(table: Table) -> list[object]:
    return [column for column in table.c if column.name not in ("ledger", "generation")]


@contextmanager
def book(database: str, folder: Path, ledger: str = "main") -> Iterator[Book]:
    """An empty ledger of this name on this database."""
    secrets = folder / "amends.key"
    if not secrets.exists():
        create_secrets(secrets)
    keyring = Keyring(secrets, seeded())
    engine = make_engine(database)
    try:
        yield Book(engine, Mapper(ledger, keyring), keyring)
    finally:
        engine.dispose()


def mixed(streams: int, tellings: int, seed: int = 1) -> list[Fact]:
    """Facts of so many relationships, each of so many random tellings, mixed as a busy ledger mixes them."""
    chance = random.Random(seed)
    stories = [
        told(
            [
                (chance.choice(GAPS), chance.choice(sorted(TELLINGS)), chance.randrange(2**24))
                for _ in range(tellings)
            ],
            n,
        )
        for n in range(streams)
    ]
    turns = [n for n, story in enumerate(stories) for _ in story]
    chance.shuffle(turns)
    return in_order([stories[n].pop(0) for n in turns])


def in_order(facts: Sequence[Fact]) -> list[Fact]:
    """The same facts with positions dense from 1, recorded ever later."""
    recorded_at: datetime = BEGINNING
    ordered = []
    for position, fact in enumerate(facts, start=1):
        recorded_at = max(recorded_at + timedelta(microseconds=1), fact.recorded_at)
        ordered.append(replace(fact, position=position, recorded_at=recorded_at))
    return ordered
