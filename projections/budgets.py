"""Budgets: what each may spend, what is set aside, spent and left, and which need somebody's eye."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, Integer, Text, Uuid, select

from domain.budgets.budget import Budget, BudgetEvent
from domain.budgets.events import KINDS
from domain.budgets.periods import period
from domain.budgets.watch import Alarm, watch
from domain.kinds import Fact
from projections.amounts import Amount, amount
from projections.base import (
    Folded,
    Instant,
    Key,
    Projection,
    Row,
    Source,
    derived,
    index,
    position_column,
    projection_table,
    said,
)

budgets = projection_table(
    "budgets",
    position_column(),
    *derived(
        Column("version", Integer, nullable=False),
        Column("cost_centre", Text, nullable=False),
        Column("currency", Text, nullable=False),
        Column("closed", Boolean, nullable=False),
        Column("next_due_at", Instant),
    ),
    Column("kept", Folded(Budget), nullable=False),
    index("ix_budgets_next_due_at", "next_due_at", of="next_due_at IS NOT NULL"),
)
"""One row per budget, at the position where it was opened; `next_due_at` is for the sweeper."""

budget_entries = projection_table(
    "budget_entries",
    position_column(),
    Column("grant_id", Uuid, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("committed", BigInteger, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per entry: by how much, in minor units, it changed what is set aside and what is spent."""

_BUDGET: Final[Key] = ("budgets",)


class Budgets(Projection):
    """What goodwill may cost, and what it costs."""

    name = "budgets"
    version = 1
    topics = frozenset(kind.TOPIC for kind in KINDS)
    tables = (budgets, budget_entries)
    loaded = (budgets,)

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """The budget as it is now, and the entry for a grant."""
        if not isinstance(fact.event, BudgetEvent):
            return {}
        row = rows.get(_BUDGET)
        before = Budget.begun(fact.stream_id) if row is None else row["kept"]
        after = before.after(fact)
        position = fact.position if row is None else row["position"]
        changes: dict[Key, Row | None] = {_BUDGET: {"position": position, "kept": after}}
        grant_id = said(fact.event, "grant_id")
        if grant_id is not None:
            changes["budget_entries", fact.position] = {
                "position": fact.position,
                "grant_id": grant_id,
                "reserved": after.reserved - before.reserved,
                "committed": after.committed - before.committed,
                "occurred_at": fact.occurred_at,
            }
        return changes

    def stored(self, key: Key, row: Row) -> Row:
        """The row with what is looked for in it."""
        if key != _BUDGET:
            return row
        budget: Budget = row["kept"]
        return {
            **row,
            "version": budget.version,
            "cost_centre": budget.cost_centre,
            "currency": budget.currency,
            "closed": budget.closed,
            "next_due_at": budget.next_due_at,
        }


class BudgetView(BaseModel):
    """How a budget stands now, and how much of its period is over at `as_of`.

    The money is that of today, whatever moment is asked for. `left` is what may still be promised. `share` is
    the part of the limit that is set aside or spent, `elapsed` the part of the period that is over, `burn_rate`
    the one over the other: above 1 the money ends before the period does. `warnings` says what is worth a look:
    `share` from `warn_at_pct` on, `burn_rate` above 1.2.
    """

    budget_id: UUID
    version: int
    cost_centre: str
    currency: str
    period: str
    timezone: str
    begins_at: datetime
    ends_at: datetime
    limit: Amount
    reserved: Amount
    committed: Amount
    left: Amount
    share: float
    elapsed: float
    burn_rate: float | None
    warn_at_pct: int
    warnings: list[Alarm]
    closed: bool
    next_due_at: datetime | None
    """When the first of what is set aside becomes free by itself."""
    as_of: datetime


class BudgetPage(BaseModel):
    """Some budgets in the order in which they were opened; `next` leads to those after them."""

    data: list[BudgetView]
    next: int | None


def listed(
    source: Source, as_of: datetime, *, cost_centre: str | None = None, after: int = 0, limit: int = 50
) -> BudgetPage:
    """The budgets opened after this position, of all cost centres or of one."""
    of_centre: list[ColumnElement[bool]] = [] if cost_centre is None else [budgets.c.cost_centre == cost_centre]
    query = (
        select(budgets.c.position, budgets.c.kept)
        .where(*source.of(Budgets, budgets), budgets.c.position > after, *of_centre)
        .order_by(budgets.c.position)
        .limit(limit + 1)
    )
    rows = source.conn.execute(query).all()
    following = rows[limit - 1].position if len(rows) > limit else None
    return BudgetPage(data=[view(row.kept, as_of) for row in rows[:limit]], next=following)


def found(source: Source, budget_id: UUID, as_of: datetime) -> BudgetView | None:
    """This budget; None where there is none."""
    query = select(budgets.c.kept).where(*source.of(Budgets, budgets), budgets.c.stream_id == budget_id)
    kept: Any = source.conn.scalar(query)
    return None if kept is None else view(kept, as_of)


def due_streams(source: Source, now: datetime, limit: int = 500) -> list[UUID]:
    """The budgets where money set aside was not taken up in time, the longest overdue first."""
    query = (
        select(budgets.c.stream_id)
        .where(*source.of(Budgets, budgets), budgets.c.next_due_at <= now)
        .order_by(budgets.c.next_due_at, budgets.c.stream_id)
        .limit(limit)
    )
    return list(source.conn.scalars(query))


def view(budget: Budget, as_of: datetime) -> BudgetView:
    """How this budget stands at a moment."""
    watched, days = watch(budget, as_of), period(budget.period)
    return BudgetView(
        budget_id=budget.stream_id,
        version=budget.version,
        cost_centre=budget.cost_centre,
        currency=budget.currency,
        period=budget.period,
        timezone=budget.timezone,
        begins_at=days.begins(budget.timezone),
        ends_at=days.ends(budget.timezone),
        limit=amount(budget.limit, budget.currency),
        reserved=amount(budget.reserved, budget.currency),
        committed=amount(budget.committed, budget.currency),
        left=amount(budget.left, budget.currency),
        share=watched.share,
        elapsed=watched.elapsed,
        burn_rate=watched.burn_rate,
        warn_at_pct=budget.warn_at_pct,
        warnings=list(watched.warnings),
        closed=budget.closed,
        next_due_at=budget.next_due_at,
        as_of=as_of,
    )
