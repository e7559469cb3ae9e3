"""Promises: what we told customers we would do, what was kept, and how much each colleague can take on."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Uuid

from domain.kinds import Fact
from projections.base import Instant, Key, Projection, Row, position_column, projection_table

promises = projection_table(
    "promises",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("commitment_id", Uuid, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per promise to a customer."""

promises_kept = projection_table(
    "promises_kept",
    position_column(),
    Column("commitment_id", Uuid, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per promise that was kept."""

capacities = projection_table(
    "capacities",
    position_column(),
    Column("points", BigInteger, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row each time that somebody said how much a colleague can take on; the last one counts."""

absences = projection_table(
    "absences",
    position_column(),
    Column("begins", Instant, nullable=False),
    Column("ends", Instant),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row each time that somebody said when a colleague is not here; the last one counts."""


class Promises(Projection):
    """What was promised, and by how many it can be kept."""

    name = "promises"
    version = 1
    topics = frozenset(("commitment.made", "commitment.kept", "capacity.set", "absence.recorded"))
    tables = (promises, promises_kept, capacities, absences)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a promise, for one kept, or for what a colleague can take on and when."""
        made = _MADE.get(fact.event.TOPIC)
        if made is None:
            return {}
        table, names = made
        event: Any = fact.event
        row = {name: getattr(event, name) for name in names}
        return {(table, fact.position): {**row, "position": fact.position, "occurred_at": fact.occurred_at}}


_MADE: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "commitment.made": ("promises", ("recovery_id", "commitment_id", "due_at")),
    "commitment.kept": ("promises_kept", ("commitment_id",)),
    "capacity.set": ("capacities", ("points",)),
    "absence.recorded": ("absences", ("begins", "ends")),
}
"""Into which table each kind of event goes, and which of its fields."""
