"""Speed and retention: whether customers whom we helped quickly are still there half a year later."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from domain.rates import Rate, quantile, rate
from projections.base import Source
from projections.period import AT_A_TIME, Period, Report, counted_cases
from projections.recovery_rows import recoveries
from projections.worth import Worth, customer_moves

KEPT_AFTER: Final = timedelta(days=180)
FEWEST: Final = 30
"""Of fewer recoveries no share is told. Source: practices S2.25."""
_MINUTE: Final = timedelta(minutes=1)
Solved = tuple[int, bool]
"""In how many minutes, and whether the customer was there half a year later."""


class Quarter(BaseModel):
    """A quarter of the recoveries by how long they took, the quickest first. `kept` is None of fewer than 30."""

    quarter: int
    from_minutes: int | None
    to_minutes: int | None
    n: int
    kept: Rate | None


class SpeedReport(Report):
    """Recoveries resolved half a year before `as_of` or earlier (`n`), by how long that took.

    `kept`: 180 days later the customer had not left, or had come back. Equal times stand in one quarter, so that
    quarters may differ in size. That two things go together does not say that one is the cause.
    """

    kept_after_days: int
    quarters: list[Quarter]


def report(source: Source, period: Period) -> SpeedReport:
    """The recoveries resolved in this period that could be followed for half a year."""
    solved = sorted(_solved(source, period))
    times = [minutes for minutes, _ in solved]
    ends = [quantile(times, share) or 0.0 for share in (0.25, 0.5, 0.75)]
    cells: list[list[Solved]] = [[], [], [], []]
    for one in solved:
        cells[bisect_left(ends, one[0])].append(one)
    return SpeedReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=len(solved),
        kept_after_days=KEPT_AFTER.days,
        quarters=[_quarter(number, cell) for number, cell in enumerate(cells, start=1)],
    )


def _quarter(number: int, cell: Sequence[Solved]) -> Quarter:
    return Quarter(
        quarter=number,
        from_minutes=cell[0][0] if cell else None,
        to_minutes=cell[-1][0] if cell else None,
        n=len(cell),
        kept=rate(sum(kept for _, kept in cell), len(cell)) if len(cell) >= FEWEST else None,
    )


def _solved(source: Source, period: Period) -> list[Solved]:
    of, moves = recoveries.c, _moves(source, period.as_of)
    followed = of.resolved_at <= period.as_of - KEPT_AFTER
    cases = counted_cases(source, (of.opened_at, of.resolved_at), *period.of(of.resolved_at), followed)
    found = []
    for (customer, _), case in cases.items():
        last = _last(moves.get(customer, ()), case.resolved_at + KEPT_AFTER)
        # Of somebody who was forgotten nobody knows whether he is there.
        if last != "erased":
            found.append((max(case.resolved_at - case.opened_at, timedelta()) // _MINUTE, last != "lost"))
    return found


def _last(moves: Sequence[tuple[datetime, str]], until: datetime) -> str | None:
    made = [move for at, move in moves if at <= until]
    return made[-1] if made else None


def _moves(source: Source, as_of: datetime) -> dict[UUID, list[tuple[datetime, str]]]:
    """Who left, came back or was forgotten, in order."""
    of = customer_moves.c
    query = select(of.stream_id, of.move, of.occurred_at).where(*source.of(Worth, customer_moves))
    rows: Any = source.conn.execute(
        query.where(of.occurred_at <= as_of)
        .order_by(of.stream_id, of.position)
        .execution_options(yield_per=AT_A_TIME)
    )
    moves: dict[UUID, list[tuple[datetime, str]]] = {}
    for row in rows:
        moves.setdefault(row.stream_id, []).append((row.occurred_at, row.move))
    return moves
