"""A real writer on a real database, with a clock that tests move and orders that fill in what does not matter."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from domain.kinds import Actor, Command
from domain.milestones import Reference
from domain.moves.failure import ReportFailure
from domain.relationship import RelationshipCommand
from infrastructure.engine import make_engine
from infrastructure.key_file import create_secrets
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from infrastructure.orders import Order, Outcome
from infrastructure.writer import Writer

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANSWER_WITHIN_SECONDS = 30.0


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> datetime:
        self.now += timedelta(**amount)
        return self.now


@dataclass
class Desk:
    """A writer with everything around it."""

    engine: Engine
    keyring: Keyring
    mapper: Mapper
    writer: Writer
    clock: Clock

    def order(
        self,
        command: Command | None,
        customer: UUID | Reference | None = None,
        *,
        key: str | None = None,
        said: str = "",
        source: str = "urn:test",
        **envelope: Any,
    ) -> Order:
        """An order; `said` stands for the bytes the caller sent."""
        fingerprint = self.keyring.fingerprint(said.encode()) if key is not None else None
        return Order(
            command=command,
            stream=customer,
            actor=Actor(kind="service", ref="k:test"),
            source=source,
            key=key,
            fingerprint=fingerprint,
            **envelope,
        )

    def post(
        self, command: RelationshipCommand | None, customer: UUID | Reference | None = None, **envelope: Any
    ) -> Outcome:
        """The outcome of this command, after its commit."""
        return self.writer.submit(self.order(command, customer, **envelope)).result(ANSWER_WITHIN_SECONDS)


@contextmanager
def desk(database: str, folder: Path, *, start: bool = True, **options: Any) -> Iterator[Desk]:
    """A writer on this database, with a key file in this folder."""
    secrets = folder / "amends.key"
    if not secrets.exists():
        create_secrets(secrets)
    engine = make_engine(database)
    keyring = Keyring(secrets)
    mapper = Mapper("main", keyring)
    clock = Clock()
    writer = Writer(engine, mapper, keyring, ledger="main", **{"clock": clock} | options)
    if start:
        writer.start()
    try:
        yield Desk(engine, keyring, mapper, writer, clock)
    finally:
        writer.stop()
        engine.dispose()


def crm(number: str) -> Reference:
    """A customer as a caller's own system knows him."""
    return Reference(kind="crm", value=number)


def late(**fields: Any) -> ReportFailure:
    """A parcel that is late."""
    return ReportFailure.model_validate({"what": "late", "description": "the parcel did not come"} | fields)
