"""What is handed to the writer, and what comes back."""

from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

from domain.kinds import Actor, Aggregate, Command, Event
from domain.milestones import Reference
from domain.relationship import Relationship
from domain.values import unchanging
from infrastructure.record import Record, leaf_hash, uuid_text

DUTIES_SOURCE: Final = "amends:duties"
"""The source of what follows from time, and of what the house learns by itself: nobody posted it."""


@unchanging
class Order:
    """One command with its envelope. A command of None only settles what is due on the stream."""

    command: Command | None
    stream: UUID | Reference | None
    """The stream, or the reference it is known by; None opens an unnamed relationship."""
    actor: Actor
    source: str
    occurred_at: datetime | None = None
    """When it happened; None means now, by the page's clock."""
    key: str | None = None
    """The idempotency key, unique per source."""
    fingerprint: bytes | None = None
    """HMAC of the command as it was received."""
    event_id: UUID | None = None
    """The caller's event id, taken for the first event when it is unused in the ledger."""
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None
    if_match: int | None = None
    """The version the caller decided on; 0 means the customer must not exist."""
    importing: bool = False
    time_known: bool = True
    size: int = 0
    """How many bytes its caller sent: so much memory it takes while it waits."""
    settling: type[Aggregate] = Relationship
    """What the stream holds that is to be settled, where there is no command to say it."""

    @property
    def kind(self) -> type[Aggregate]:
        """What its stream holds."""
        return self.settling if self.command is None else self.command.ON


@unchanging
class Receipt:
    """The proof that one event was recorded: where it stands and its leaf hash (hex)."""

    event_id: UUID
    topic: str
    stream: UUID
    version: int
    position: int
    leaf_hash: str

    @classmethod
    def of(cls, record: Record) -> "Receipt":
        """The receipt of a recorded event."""
        digest = leaf_hash(record.header).hex()
        return cls(record.event_id, record.topic, record.stream_id, record.version, record.position, digest)


@unchanging
class Outcome:
    """What became of an order: its customer, the receipts of its events, and the ids they carry.

    `position` is the last event's, or the ledger's head when nothing new had to be said.
    """

    customer_id: UUID
    receipts: tuple[Receipt, ...]
    position: int
    version: int
    ids: dict[str, str]
    replayed: bool = False


Answer = Outcome | BaseException
"""What becomes of an order: its outcome, or why there is none."""


def ids_of(events: list[Event]) -> dict[str, str]:
    """Every id (recovery_id, remedy_id ...) in these events by name; the first of a name wins."""
    found: dict[str, str] = {}
    for event in events:
        for name in _id_fields(type(event)):
            value = getattr(event, name)
            if isinstance(value, UUID) and name not in found:
                found[name] = uuid_text(value).decode()
    return found


@cache
def _id_fields(kind: type[Event]) -> tuple[str, ...]:
    return tuple(name for name in kind.model_fields if name.endswith("_id"))
