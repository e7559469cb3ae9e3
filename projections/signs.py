"""Signs: the facts from which the house learns by itself, found by where they stand in the ledger."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, Column, SmallInteger, Text, Uuid, select

from domain.duties.signs import Sign
from domain.kinds import Fact
from domain.satisfaction.terms import START_TOTAL, shown
from projections.base import Instant, Key, Projection, Row, Source, index, position_column, projection_table, said
from projections.satisfaction import SatisfactionState, satisfaction_terms

Told = dict[str, Any]
"""What one kind of event says as a sign."""

signs = projection_table(
    "signs",
    position_column(),
    Column("kind", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recovery_id", Uuid),
    Column("told_by", Uuid),
    Column("about", Text),
    Column("value", SmallInteger),
    Column("customer_value", SmallInteger),
    Column("counts", Boolean, nullable=False),
    index("ix_signs_position", "position", of="counts"),
    key=("position", "kind"),
)
"""One row per sign, added once and never changed. `told_by` is the stream of the colleague who told of it."""


class Signs(Projection):
    """What happens that somebody should learn from."""

    name = "signs"
    version = 1
    topics = frozenset(
        ("obstacle.encountered", "failure.reported", "failure.reassessed", "remedy.failed", "recovery.reopened")
        + ("recovery.closed", "satisfaction.stated")
    )
    tables = (signs,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for every sign that this fact is."""
        made = _MADE.get(fact.event.TOPIC)
        if made is None:
            return {}
        row = {
            "position": fact.position,
            "event_id": fact.event_id,
            "occurred_at": fact.occurred_at,
            "recorded_at": fact.recorded_at,
            "recovery_id": said(fact.event, "recovery_id"),
            "told_by": fact.actor.colleague_id,
            "about": None,
            "value": None,
            "customer_value": None,
            "counts": True,
        }
        return {("signs", fact.position, one["kind"]): row | one for one in made(fact.event)}


def _obstacle(event: Any) -> Iterator[Told]:
    if event.kind == "no_training" and event.topic is not None:
        yield {"kind": "untrained", "about": event.topic}
    if event.rule_id is not None:
        yield {"kind": "blocked", "about": event.rule_id}


def _failure(event: Any) -> Iterator[Told]:
    weighed = {"value": event.severity, "customer_value": event.severity_customer}
    yield {"kind": "failed", "about": event.similarity_key, "counts": not event.history, **weighed}


def _reassessed(event: Any) -> Iterator[Told]:
    if event.field in ("severity", "severity_customer"):
        yield {"kind": "weighed", "about": event.field, "value": int(event.to)}


def _stated(event: Any) -> Iterator[Told]:
    if event.about == "recovery" and event.recovery_id is not None and event.value is not None:
        yield {"kind": "stated", "about": event.instrument, "value": event.value}


def _failed_again(event: Any) -> Iterator[Told]:
    yield {"kind": "failed_again"}


def _reopened(event: Any) -> Iterator[Told]:
    yield {"kind": "reopened", "about": event.cause}


def _closed(event: Any) -> Iterator[Told]:
    yield {"kind": "closed", "about": event.outcome}


_MADE: Final[Mapping[str, Callable[[Any], Iterator[Told]]]] = {
    "obstacle.encountered": _obstacle,
    "failure.reported": _failure,
    "failure.reassessed": _reassessed,
    "satisfaction.stated": _stated,
    "remedy.failed": _failed_again,
    "recovery.reopened": _reopened,
    "recovery.closed": _closed,
}
_COLUMNS: Final = tuple(column for column in signs.c if column.name not in ("ledger", "generation"))


def page(source: Source, after: int, upto: int, limit: int, of: UUID | None = None) -> list[Sign]:
    """The next signs after a position, up to another one, at most so many: everybody's, or one customer's."""
    query = select(*_COLUMNS).where(*source.of(Signs, signs), signs.c.counts)
    query = query if of is None else query.where(signs.c.stream_id == of)
    query = query.where(signs.c.position > after, signs.c.position <= upto)
    rows = source.conn.execute(query.order_by(signs.c.position, signs.c.kind).limit(limit))
    return [Sign(**row._mapping) for row in rows]


def by_recovery(source: Source, streams: Collection[UUID]) -> dict[UUID, list[Sign]]:
    """All signs of each recovery of these customers, in the order of the ledger."""
    found: dict[UUID, list[Sign]] = {}
    query = select(*_COLUMNS).where(*source.of(Signs, signs), signs.c.stream_id.in_(streams))
    query = query.where(signs.c.recovery_id.is_not(None)).order_by(signs.c.position, signs.c.kind)
    for row in source.conn.execute(query):
        found.setdefault(row.recovery_id, []).append(Sign(**row._mapping))
    return found


def shown_before(source: Source, stream: UUID, position: int) -> int:
    """The score of this customer that was published before the event at a position."""
    of = satisfaction_terms.c
    query = select(of.total).where(*source.of(SatisfactionState, satisfaction_terms), of.stream_id == stream)
    query = query.where(of.position < position).order_by(of.position.desc(), of.ordinal.desc()).limit(1)
    total: int | None = source.conn.execute(query).scalar()
    return shown(START_TOTAL if total is None else total)
