"""Aftermath: what customers answered when we asked how it went, and whether a remedy was what they had wished."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Column, SmallInteger, Text, Uuid

from domain.kinds import Fact
from projections.base import Instant, Key, Projection, Row, position_column, projection_table

follow_up_answers = projection_table(
    "follow_up_answers",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("treatment", SmallInteger),
    Column("confidence", SmallInteger),
    Column("would_return", Boolean),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per follow-up that was completed."""

wishes = projection_table(
    "wishes",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("met", Boolean, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per remedy of which somebody said whether it was what the customer had wished for."""


class Aftermath(Projection):
    """How it went, as customers say."""

    name = "aftermath"
    version = 1
    topics = frozenset(("follow_up.completed", "remedy.delivered"))
    tables = (follow_up_answers, wishes)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a follow-up, or for a remedy that was held against the wish."""
        event: Any = fact.event
        if event.TOPIC == "follow_up.completed":
            names = ("recovery_id", "outcome", "treatment", "confidence", "would_return")
            return _row("follow_up_answers", fact, {name: getattr(event, name) for name in names})
        if event.TOPIC == "remedy.delivered" and event.meets_desire is not None:
            return _row("wishes", fact, {"recovery_id": event.recovery_id, "met": event.meets_desire})
        return {}


def _row(table: str, fact: Fact, told: Row) -> dict[Key, Row | None]:
    return {(table, fact.position): {**told, "position": fact.position, "occurred_at": fact.occurred_at}}
