"""Period: which facts a report counts, and as of when it is told."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, or_, select

from projections.base import Source
from projections.checklist import VOID
from projections.recovery_rows import Recoveries, recoveries

AT_A_TIME: Final = 5_000
"""So many rows of a whole table are held at once while they are added up."""
Of = tuple[UUID, UUID]
"""A customer and a recovery of his."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on and before `until` (both may be open), and nothing that came after `as_of`."""

    since: datetime | None
    until: datetime | None
    as_of: datetime

    def of(self, column: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
        """The conditions that keep a query to moments inside it."""
        conditions = [column <= self.as_of]
        conditions += [column >= self.since] if self.since is not None else []
        conditions += [column < self.until] if self.until is not None else []
        return tuple(conditions)

    def covers(self, moment: datetime) -> bool:
        """The same of a moment that was read already."""
        begun = self.since is None or moment >= self.since
        return begun and moment <= self.as_of and (self.until is None or moment < self.until)


class Report(BaseModel):
    """What every report says of itself: the period asked for, as of when, and how many cases it counts."""

    since: datetime | None
    until: datetime | None
    as_of: datetime
    n: int


def counting(source: Source) -> tuple[ColumnElement[bool], ...]:
    """The conditions that keep a query to recoveries that count: not withdrawn, doubled or entered in error."""
    outcome = recoveries.c.outcome
    return (*source.of(Recoveries, recoveries), or_(outcome.is_(None), outcome.not_in(VOID)))


def counted_cases(
    source: Source, columns: Collection[ColumnElement[Any]], *conditions: ColumnElement[bool]
) -> dict[Of, Any]:
    """These columns of the recoveries that count, by customer and recovery.

    Asked by themselves, and joined to what is known of them by whoever asks: PostgreSQL, until it has statistics,
    reads all of one table for each row of another.
    """
    of = recoveries.c
    query = select(of.stream_id, of.recovery_id, *columns).where(*counting(source), *conditions)
    rows = source.conn.execute(query.execution_options(yield_per=AT_A_TIME))
    return {(row.stream_id, row.recovery_id): row for row in rows}
