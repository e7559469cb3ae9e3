"""Compensation spend: what was given beyond what was owed, by ground, by kind, and by whose budget it came from.

What draws on a budget is told by the entries of the budget itself, so the two can never differ. The rest, what law
or contract demands and what nobody keeps a budget for, is told by what customers were granted.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import and_, func, select

from projections.amounts import Amount, amount
from projections.base import Source
from projections.budgets import Budgets, budget_entries, budgets
from projections.grants import Grants, grants, grants_ended
from projections.period import AT_A_TIME, Period, Report

UNKNOWN: Final = "unknown"


class Spend(BaseModel):
    """What some grants cost: `spent` is in customers' hands, `open` is promised and may still be taken up.

    None where nobody said what they cost.
    """

    n: int
    currency: str | None
    spent: Amount | None
    open: Amount | None


class Line(Spend):
    """What was given on one ground, of one kind, from the budgets of one cost centre (None: from no budget)."""

    basis: str
    kind: str
    cost_centre: str | None


class Total(Spend):
    """The sum of some lines in one currency."""

    name: str | None


class SpendReport(Report):
    """What was given beyond what was owed. Sums are never made across currencies.

    The lines of a cost centre add up to its budgets. `statutory` and `contractual` draw on none and never wait.
    """

    without_amount: int
    """Of `n`, those of which nobody said what they cost or are worth: they are in no sum and under no limit."""
    lines: list[Line]
    by_basis: list[Total]
    by_kind: list[Total]
    by_cost_centre: list[Total]


@dataclass(slots=True)
class _Sum:
    basis: str
    kind: str
    cost_centre: str | None
    currency: str | None
    n: int
    spent: int
    open: int


def report(source: Source, period: Period) -> SpendReport:
    """What was granted in this period, as far as it is spent or may still be."""
    sums = _added_up(chain(_drawn(source, period), _undrawn(source, period)))
    return SpendReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=sum(one.n for one in sums),
        without_amount=sum(one.n for one in sums if one.currency is None),
        lines=[Line(basis=one.basis, kind=one.kind, cost_centre=one.cost_centre, **_spend([one])) for one in sums],
        by_basis=_totals(sums, lambda one: one.basis),
        by_kind=_totals(sums, lambda one: one.kind),
        by_cost_centre=_totals(sums, lambda one: one.cost_centre),
    )


def _drawn(source: Source, period: Period) -> Iterator[_Sum]:
    """What came from budgets."""
    centres, kinds = _cost_centres(source), _kinds(source)
    for stream_id, grant_id, reserved, committed in _entries(source, period):
        if stream_id in centres:
            basis, kind = kinds.get(grant_id, (UNKNOWN, UNKNOWN))
            yield _Sum(basis, kind, *centres[stream_id], n=1, spent=committed, open=reserved)


def _cost_centres(source: Source) -> dict[UUID, tuple[str, str]]:
    """Whose each budget is, and in which currency."""
    of = budgets.c
    query = select(of.stream_id, of.cost_centre, of.currency).where(*source.of(Budgets, budgets))
    return {row.stream_id: (row.cost_centre, row.currency) for row in source.conn.execute(query)}


def _entries(source: Source, period: Period) -> Iterator[tuple[UUID, UUID, int, int]]:
    """What each grant of the period has taken from a budget by then."""
    of = budget_entries.c
    query = (
        select(of.stream_id, of.grant_id, func.sum(of.reserved), func.sum(of.committed))
        .where(*source.of(Budgets, budget_entries), of.occurred_at <= period.as_of)
        .group_by(of.stream_id, of.grant_id)
        .having(and_(*period.of(func.min(of.occurred_at))))
    )
    for stream_id, grant_id, reserved, committed in source.conn.execute(query):
        yield stream_id, grant_id, int(reserved), int(committed)


def _kinds(source: Source) -> dict[UUID, tuple[str, str]]:
    """On which ground and of which kind each grant is; a request and what was granted upon it are alike."""
    of = grants.c
    query = select(of.grant_id, of.basis, of.kind).where(*source.of(Grants, grants))
    rows = source.conn.execute(query.execution_options(yield_per=AT_A_TIME))
    return {row.grant_id: (row.basis, row.kind) for row in rows}


def _undrawn(source: Source, period: Period) -> Iterator[_Sum]:
    """What came from no budget."""
    of, drawn, ended = grants.c, _all_drawn(source), _ended(source, period)
    query = select(of.grant_id, of.basis, of.kind, of.currency, of.cost)
    granted = query.where(*source.of(Grants, grants), of.granted, *period.of(of.occurred_at))
    for grant_id, basis, kind, currency, cost in source.conn.execute(granted):
        if grant_id not in drawn:
            how = ended.get(grant_id)
            spent, open_ = (cost or 0 if how == one else 0 for one in ("delivered", None))
            yield _Sum(basis, kind, None, currency, n=1, spent=spent, open=open_)


def _all_drawn(source: Source) -> set[UUID]:
    """Every grant that ever drew on a budget."""
    query = select(budget_entries.c.grant_id).where(*source.of(Budgets, budget_entries))
    return set(source.conn.scalars(query))


def _ended(source: Source, period: Period) -> dict[UUID, str]:
    """What became of each grant by then: the last word counts."""
    of = grants_ended.c
    query = select(of.grant_id, of.how).where(*source.of(Grants, grants_ended), of.occurred_at <= period.as_of)
    rows = source.conn.execute(query.order_by(of.position).execution_options(yield_per=AT_A_TIME))
    return {row.grant_id: row.how for row in rows}


def _added_up(parts: Iterable[_Sum]) -> list[_Sum]:
    """One sum for each line, in order."""
    lines: dict[tuple[str, ...], _Sum] = {}
    for part in parts:
        line = lines.setdefault(_order(part), replace(part, n=0, spent=0, open=0))
        line.n += part.n
        line.spent += part.spent
        line.open += part.open
    return [lines[key] for key in sorted(lines)]


def _totals(sums: Iterable[_Sum], name_of: Callable[[_Sum], str | None]) -> list[Total]:
    groups: dict[tuple[str | None, str | None], list[_Sum]] = {}
    for one in sums:
        groups.setdefault((name_of(one), one.currency), []).append(one)
    return [Total(name=name, **_spend(some)) for (name, _), some in groups.items()]


def _spend(sums: list[_Sum]) -> dict[str, int | str | Amount | None]:
    currency = sums[0].currency
    spent, open_ = sum(one.spent for one in sums), sum(one.open for one in sums)
    return {
        "n": sum(one.n for one in sums),
        "currency": currency,
        "spent": None if currency is None else amount(spent, currency),
        "open": None if currency is None else amount(open_, currency),
    }


def _order(one: _Sum) -> tuple[str, ...]:
    return one.basis, one.kind, one.cost_centre or "", one.currency or ""
