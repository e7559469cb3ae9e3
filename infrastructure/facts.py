"""Facts as the ledger has them: ours, whose envelope is read where it is asked for, and another program's."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID

import orjson
from pydantic import ConfigDict, TypeAdapter

from domain.kinds import AMENDS, Actor, Event, Fact
from infrastructure.record import Record, Told

# Quicker than UUID(text), and as strict.
uuid_of: Final[Callable[[str], UUID]] = TypeAdapter(UUID).validator.validate_python
META: Final = "m"
"""The member of the public part that says by whom and through what the event came."""
FOREIGN: Final = "foreign"
"""The source of what another program recorded, which knows of no sources."""
_BY: Final = b'{"actor":"'
_LEFT_OUT: Final = ("actor", "source", "correlation_id", "causation_id", "traceparent", "time_known")


class ForeignEvent(Event):
    """An event of a kind, or of a version, that this program does not know. Kept as it is."""

    model_config = ConfigDict(frozen=True)

    TOPIC: ClassVar[str] = "foreign"
    TYPE: ClassVar[str] = "foreign"
    PERSONAL: ClassVar[frozenset[str]] = frozenset()
    COLLEAGUE: ClassVar[frozenset[str]] = frozenset()

    topic: str
    state: bytes


class SealedPart(NamedTuple):
    """What an event says about a colleague, as it is stored, and where the event stands."""

    position: int
    stream_id: UUID
    version: int
    header: bytes
    personal_2: bytes | None


class StoredFact(Fact):
    """A fact as the ledger has it: what every fold looks at is here, the rest is read when it is asked for."""

    __slots__ = ("_record",)
    _record: Record | Told

    @classmethod
    def of(cls, record: Record | Told, event: Event) -> "StoredFact":
        """The fact of this record, which holds this event."""
        fact = cls.__new__(cls)  # the parts that are left out are what it saves
        fact.event, fact.stream_id, fact.event_id = event, record.stream_id, record.event_id  # type: ignore[misc]
        fact.version, fact.position = record.version, record.position  # type: ignore[misc]
        fact.occurred_at, fact.recorded_at = record.occurred_at, record.recorded_at  # type: ignore[misc]
        fact._record = record
        return fact

    def __getattr__(self, name: str) -> Any:
        """A part that was left out."""
        if name not in _LEFT_OUT:
            raise AttributeError(name)
        meta = orjson.loads(self._record.public)[META]
        if name == "time_known":
            self.time_known = meta.get("time_known", True)  # type: ignore[misc]
            return self.time_known
        # Read models ask who did it of nearly every fact, and of nothing else: no need to read the whole header.
        if name == "actor" and (ref := _actor_said_first(self._record.header)):
            self.actor = _actor(meta["kind"], ref, meta["role"], meta["role_class"])  # type: ignore[misc]
            return self.actor
        whole = fact_of(self._record, orjson.loads(self._record.header), meta, self.event)
        for one in _LEFT_OUT:
            setattr(self, one, getattr(whole, one))
        return getattr(whole, name)


@lru_cache(maxsize=4096)
def _actor(kind: Any, ref: str, role: str, role_class: Any) -> Actor:
    return Actor(kind=kind, ref=ref, role=role, role_class=role_class)


def fact_of(record: Record | Told, header: dict[str, Any], meta: dict[str, Any], event: Event) -> Fact:
    """The fact of this record: the event, and its envelope read from the header and from what stands beside it."""
    correlation, causation = header.get("corr"), header.get("cause")
    return Fact(
        event,
        record.stream_id,
        record.version,
        record.position,
        record.event_id,
        record.occurred_at,
        record.recorded_at,
        _actor(meta["kind"], header["actor"], meta["role"], meta["role_class"]),
        meta["source"],
        uuid_of(correlation) if correlation else None,
        uuid_of(causation) if causation else None,
        meta.get("traceparent"),
        meta.get("time_known", True),
    )


def _actor_said_first(header: bytes) -> str | None:
    """Who, where a whole header of ours begins with it. A reference holds nothing that would be escaped."""
    if not header.startswith(_BY) or not header.endswith(b"}"):
        return None
    return header[len(_BY) : header.index(b'"', len(_BY))].decode()


def is_ours(header: dict[str, Any]) -> bool:
    """Whether Amends wrote it, of whatever version."""
    return str(header.get("type", "")).startswith("amends.")


def foreign(record: Record | Told, header: dict[str, Any]) -> Fact:
    """The fact of an event that this program does not know."""
    event = ForeignEvent(topic=record.topic, state=record.public)
    if is_ours(header):  # written by a newer Amends: the envelope is ours
        return fact_of(record, header, orjson.loads(record.public)[META], event)
    envelope = {"actor": AMENDS.ref}
    meta = {"kind": AMENDS.kind, "role": AMENDS.role, "role_class": AMENDS.role_class, "source": FOREIGN}
    return fact_of(record, envelope, meta, event)
