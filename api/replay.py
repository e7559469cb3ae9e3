"""Replay: a customer's story folded anew from the events, as it stood at a version, a position or a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from api.outgoing import of_colleague
from domain.errors import UnknownRef
from domain.kinds import Fact
from domain.relationship import Relationship
from projections import satisfaction
from projections.satisfaction import Satisfaction


class LedgerLike(Protocol):
    """Reads the events of one ledger."""

    def stream(
        self, stream_id: UUID, after_version: int = 0, to_version: int | None = None, personal: bool = False
    ) -> Sequence[Fact]: ...
    def position_at(self, time: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Point:
    """The moment of a story that is asked for; all None means now. At most one is given."""

    version: int | None = None
    position: int | None = None
    time: datetime | None = None


class Told(BaseModel):
    """One event of the story."""

    position: int
    version: int
    type: str
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime


class Replay(BaseModel):
    """A customer's story up to a point, and how satisfied he was then. What is about a colleague is left out."""

    customer_id: UUID
    version: int
    position: int
    as_of: AwareDatetime
    satisfaction: Satisfaction | None
    timeline: list[Told]


def facts_until(ledger: LedgerLike, customer_id: UUID, point: Point) -> Sequence[Fact]:
    """The customer's events up to the point. Raises UnknownRef where there was none."""
    facts = of_customer(ledger.stream(customer_id, to_version=point.version), customer_id)
    if point.version is not None and facts and len(facts) < point.version:
        raise UnknownRef("version", point.version)
    last = point.position if point.time is None else ledger.position_at(point.time)
    if last is not None:
        facts = [fact for fact in facts if fact.position <= last]
    if not facts:
        raise UnknownRef("customer", customer_id)
    return facts


def of_customer(facts: Sequence[Fact], customer_id: UUID) -> Sequence[Fact]:
    """These facts of a customer. Raises UnknownRef for a stream that holds something else, or nothing."""
    if not facts or facts[0].event.OF not in ("", Relationship.NAME):
        raise UnknownRef("customer", customer_id)
    return facts


def replayed(ledger: LedgerLike, customer_id: UUID, point: Point) -> Replay:
    """The story up to the point. Raises UnknownRef where there was none."""
    facts = facts_until(ledger, customer_id, point)
    as_of = point.time or facts[-1].recorded_at
    return Replay(
        customer_id=customer_id,
        version=facts[-1].version,
        position=facts[-1].position,
        as_of=as_of,
        satisfaction=satisfaction.of_facts(customer_id, facts, as_of),
        timeline=[_told(fact) for fact in facts if not of_colleague(fact)],
    )


def _told(fact: Fact) -> Told:
    return Told(
        position=fact.position,
        version=fact.version,
        type=fact.event.TYPE,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
    )
