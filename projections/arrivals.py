"""Arrivals: every failure as it was when we heard of it, so that what was ready for it can be told later."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, SmallInteger, Text, Uuid

from domain.kinds import Fact
from projections.base import Instant, Key, Projection, Row, position_column, projection_table

arrivals = projection_table(
    "arrivals",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("what", Text, nullable=False),
    Column("failure_kind", Text, nullable=False),
    Column("touchpoint", Text),
    Column("severity", SmallInteger, nullable=False),
    Column("similarity_key", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per failure. `severity` is the one that clocks go by; what was reassessed later changes nothing here."""


class Arrivals(Projection):
    """Failures as they came."""

    name = "arrivals"
    version = 1
    topics = frozenset(("failure.reported",))
    tables = (arrivals,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a failure."""
        event: Any = fact.event
        if event.TOPIC != "failure.reported":
            return {}
        row = {
            "position": fact.position,
            "recovery_id": event.recovery_id,
            "what": event.what,
            "failure_kind": event.failure_kind,
            "touchpoint": event.touchpoint,
            "severity": max(event.severity, min(event.severity_customer or 0, 4)),
            "similarity_key": event.similarity_key,
            "occurred_at": fact.occurred_at,
        }
        return {("arrivals", fact.position): row}
