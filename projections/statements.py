"""Statements: what customers said in numbers, so that what we had inferred can be held against it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, SmallInteger, Text, Uuid, func, select
from sqlalchemy.sql.selectable import ScalarSelect

from domain.kinds import Fact
from projections.base import Instant, Key, Projection, Row, Source, position_column, projection_table
from projections.satisfaction import SatisfactionState, satisfaction_terms

statements = projection_table(
    "statements",
    position_column(),
    Column("instrument", Text, nullable=False),
    Column("value", SmallInteger, nullable=False),
    Column("about", Text, nullable=False),
    Column("recovery_id", Uuid),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per statement in numbers; words alone have none."""


class Statements(Projection):
    """What customers said, as they said it."""

    name = "statements"
    version = 1
    topics = frozenset(("satisfaction.stated",))
    tables = (statements,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a statement that has a value."""
        event: Any = fact.event
        if event.TOPIC != "satisfaction.stated" or event.value is None:
            return {}
        row = {
            "position": fact.position,
            "instrument": event.instrument,
            "value": event.value,
            "about": event.about,
            "recovery_id": event.recovery_id,
            "occurred_at": fact.occurred_at,
        }
        return {("statements", fact.position): row}


def error_of(source: Source, stream_id: ColumnElement[Any], position: ColumnElement[Any]) -> ColumnElement[Any]:
    """Stated minus inferred at this event, in hundredths of a point.

    Where the word was what we had inferred, nothing moved and there is no term: that error is 0.
    """
    return func.coalesce(_of_terms(source, func.min(satisfaction_terms.c.error), stream_id, position), 0)


def moved_by(source: Source, stream_id: ColumnElement[Any], position: ColumnElement[Any]) -> ColumnElement[Any]:
    """What this event did to the score, in hundredths of a point."""
    return func.coalesce(_of_terms(source, func.sum(satisfaction_terms.c.change), stream_id, position), 0)


def _of_terms(
    source: Source, what: ColumnElement[Any], stream_id: ColumnElement[Any], position: ColumnElement[Any]
) -> ScalarSelect[Any]:
    # Event by event, by the primary key: a join would first add up the terms of the whole ledger.
    table = satisfaction_terms
    of_event = (table.c.stream_id == stream_id, table.c.position == position)
    return select(what).where(*source.of(SatisfactionState, table), *of_event).scalar_subquery()
