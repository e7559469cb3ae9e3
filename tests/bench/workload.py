"""The workload of all parts: many customers, a few of them busy, one event a command, 200 personal bytes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import Engine, make_url

from domain.kinds import Actor
from domain.moves.contact import CustomerUpdated, UpdateCustomer
from domain.moves.failure import ReportFailure
from domain.values import RecoveryId
from infrastructure.keys import Keyring, SubjectKey
from infrastructure.mapper import Mapper
from infrastructure.orders import Order
from infrastructure.record import Draft, Record
from infrastructure.recorder import COLUMNS

CUSTOMERS: Final = 10_000
BUSY: Final = 2_000
"""So many customers get four fifths of all commands."""
WORDS: Final = "Your six plums leave the warehouse tomorrow at nine; "
KIND: Final = "progress"
NOTE: Final = (WORDS * 5)[:200]
"""The personal field of every event, ours and the peers'."""
ACTOR: Final = Actor(kind="service", ref="k:bench")
SOURCE: Final = "urn:bench"
DESCRIBED: Final = (
    f"{CUSTOMERS:,} customers, 80 % of the commands on {BUSY:,} of them; "
    f"UpdateCustomer with one personal field of {len(NOTE.encode())} bytes, one event a command"
)
Values = tuple[Any, ...]
"""The thirteen values of one row."""


def choices(seed: int, n: int, customers: int = CUSTOMERS, busy: int = BUSY) -> list[int]:
    """The numbers of the customers that n commands are about."""
    chance = random.Random(seed)
    return [chance.randrange(busy if chance.random() < 0.8 else customers) for _ in range(n)]


def opening() -> Order:
    """Opens a customer with a failure, so that there is something to tell him about."""
    command = ReportFailure(what="wrong_or_broken", description="Three of the six plums were rotten.")
    return Order(command=command, stream=None, actor=ACTOR, source=SOURCE)


def updating(customer: UUID) -> Order:
    """One command that becomes one event with 200 personal bytes."""
    return Order(command=UpdateCustomer(kind=KIND, note=NOTE), stream=customer, actor=ACTOR, source=SOURCE)


def payload() -> dict[str, str]:
    """What a peer's event says: the same bytes as ours."""
    return {"kind": KIND, "note": NOTE}


@dataclass
class Drafting:
    """Makes drafts of the event that such a command becomes, on streams of its own."""

    mapper: Mapper
    keyring: Keyring
    engine: Engine
    streams: int = BUSY

    @cached_property
    def subjects(self) -> list[tuple[UUID, SubjectKey]]:
        """The streams and their keys, stored as they must be."""
        now = datetime.now(UTC)
        ids = [self.keyring.entropy.random_id() for _ in range(self.streams)]
        with self.engine.begin() as conn:
            return [(one, self.keyring.make_subject_key(conn, self.mapper.ledger, one, now)) for one in ids]

    def __post_init__(self) -> None:
        self._versions = [0] * self.streams

    def drafts(self, seed: int, n: int) -> Iterator[Draft]:
        """So many drafts, encrypted and with their headers prepared."""
        now = datetime.now(UTC)
        for number in choices(seed, n, self.streams, self.streams):
            stream, key = self.subjects[number]
            self._versions[number] += 1
            event_id = self.keyring.entropy.new_id()
            yield self.mapper.draft(
                CustomerUpdated(recovery_id=RecoveryId(stream), kind=KIND, note=NOTE),
                stream_id=stream,
                version=self._versions[number],
                event_id=event_id,
                occurred_at=now,
                actor=ACTOR,
                source=SOURCE,
                correlation_id=event_id,
                customer_key=key,
            )


def values(record: Record) -> Values:
    """The row as the driver takes it."""
    return tuple(getattr(record, name) for name in COLUMNS)


def raw_connection(url: str) -> psycopg.Connection[Any]:
    """The driver's own connection, with nothing of ours around it."""
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
