"""Timeline: everything that happened between a customer and us, in order, with what it did to his satisfaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Boolean, Column, Text, Uuid, func, select

from domain.kinds import Fact
from domain.moves.treatment import TreatmentAnswered
from domain.relationship import RelationshipEvent
from projections.base import Instant, Key, Projection, Row, Source, position_column, projection_table, said
from projections.satisfaction import SatisfactionState, satisfaction_terms

TURNING_POINT: Final = 1000
"""A change of ten points is a turning point. Source: domain.md section 7."""

timeline = projection_table(
    "timeline",
    position_column(),
    Column("kind", Text, nullable=False),
    Column("role_class", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("time_known", Boolean, nullable=False),
    Column("recovery_id", Uuid),
    key=("position",),
)
"""One row per event that the customer may see. Obstacles, and reports about a named colleague, have none."""


class Timeline(Projection):
    """The customer's story, event by event."""

    name = "timeline"
    version = 1
    tables = (timeline,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for the fact, unless it is not for the customer."""
        event = fact.event
        if not isinstance(event, RelationshipEvent) or not _shown(event):
            return {}
        row = {
            "position": fact.position,
            "kind": event.TOPIC,
            "role_class": fact.actor.role_class,
            "occurred_at": fact.occurred_at,
            "time_known": fact.time_known,
            "recovery_id": said(event, "recovery_id"),
        }
        return {("timeline", fact.position): row}


def _shown(event: RelationshipEvent) -> bool:
    # An answer is a named colleague's side of it, so it goes where the report went.
    if isinstance(event, TreatmentAnswered):
        return False
    return event.FOR_CUSTOMER and said(event, "by_colleague") is None


class Moment(BaseModel):
    """One thing that happened. `delta`: what it did to the score, in hundredths of a point."""

    position: int
    kind: str
    role_class: str
    occurred_at: datetime
    time_known: bool
    recovery_id: UUID | None
    delta: int
    turning_point: bool


class TimelinePage(BaseModel):
    """Moments in order; `next` is the `after` of the following page, None at the end."""

    data: list[Moment]
    next: int | None


def of_customer(source: Source, customer_id: UUID, after: int = 0, limit: int = 500) -> TimelinePage:
    """What happened to this customer after a position."""
    terms = satisfaction_terms
    deltas = (
        select(terms.c.position, func.sum(terms.c.change).label("delta"))
        .where(*source.of(SatisfactionState, terms), terms.c.stream_id == customer_id, terms.c.position > after)
        .group_by(terms.c.position)
        .subquery()
    )
    rows = source.conn.execute(
        select(timeline, deltas.c.delta)
        .select_from(timeline.outerjoin(deltas, timeline.c.position == deltas.c.position))
        .where(*source.of(Timeline, timeline), timeline.c.stream_id == customer_id, timeline.c.position > after)
        .order_by(timeline.c.position)
        .limit(limit + 1)
    ).all()
    moments = [_moment(row._asdict()) for row in rows[:limit]]
    return TimelinePage(data=moments, next=moments[-1].position if len(rows) > limit else None)


def _moment(row: Row) -> Moment:
    delta = int(row["delta"] or 0)
    seen = {"delta": delta, "turning_point": abs(delta) >= TURNING_POINT}
    return Moment.model_validate({**{name: row[name] for name in Moment.model_fields if name in row}, **seen})
