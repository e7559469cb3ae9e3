"""Calibration: how far what we had inferred was from what customers then said themselves."""

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import ColumnElement, case, func, select

from domain.rates import FEWEST_COMPARED, Rate, rate
from domain.satisfaction import MODEL
from projections.base import Row, Source
from projections.checklist import VOID
from projections.period import Period, Report
from projections.recovery_rows import Recoveries, recoveries
from projections.statements import Statements, error_of, statements

DISPLEASED: Final = {"CSAT": 2, "NPS": 4, "OUTCOME": 0}
"""Up to which value a word is one of displeasure, by instrument. Source: domain.md section 3 (I-19)."""
_HEARD: Final = ("satisfied", "partly", "dissatisfied", "no_objection")
"""Outcomes of a follow-up in which the customer was heard."""


class Gap(BaseModel):
    """Stated minus inferred, in hundredths of a point: below zero we had thought the customer more content.

    `bias` is the mean, `mean_absolute_error` the mean without its sign; both None of nothing.
    """

    n: int
    bias: float | None
    mean_absolute_error: float | None


class InstrumentGap(Gap):
    """The same of one way of asking."""

    instrument: str


class ResponseGap(Gap):
    """The same of recoveries resolved in one way; None: said while nothing was resolved, or about no recovery."""

    how_code: str | None


class Displeased(Rate):
    """Of the recoveries resolved in one way and whose customer was heard: how many were dissatisfied at first.

    `comparable`: enough of them (20) to stand beside another way.
    """

    how_code: str | None
    comparable: bool


class CalibrationReport(Report):
    """How well the model knows customers. `n` counts statements in numbers, made in the period.

    `dissatisfied` counts recoveries reported in the period, by the first word: the way that displeased the largest
    share first, and those with fewer than 20 cases at the end.
    """

    model: str
    overall: Gap
    by_instrument: list[InstrumentGap]
    by_response: list[ResponseGap]
    dissatisfied: list[Displeased]


def report(source: Source, period: Period) -> CalibrationReport:
    """Stated minus inferred for the words of this period, by instrument and by how the recovery was resolved."""
    rows = _errors(source, period)
    overall = _gap(rows)
    return CalibrationReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=overall.n,
        model=MODEL,
        overall=overall,
        by_instrument=[
            InstrumentGap(instrument=name, **dict(_gap(some))) for name, some in _grouped(rows, "instrument")
        ],
        by_response=[ResponseGap(how_code=name, **dict(_gap(some))) for name, some in _grouped(rows, "how_code")],
        dissatisfied=_displeased(source, period),
    )


def _errors(source: Source, period: Period) -> list[Row]:
    """Number, sum and absolute sum of the errors by instrument and response."""
    of = statements.c
    error = error_of(source, of.stream_id, of.position).label("error")
    answered = select(recoveries.c.how_code).where(
        *source.of(Recoveries, recoveries),
        recoveries.c.stream_id == of.stream_id,
        recoveries.c.recovery_id == of.recovery_id,
    )
    told = (
        select(of.instrument, answered.scalar_subquery().label("how_code"), error)
        .where(*source.of(Statements, statements), *period.of(of.occurred_at))
        .subquery()
    )
    by = (told.c.instrument, told.c.how_code)
    sums = (func.count(), func.sum(told.c.error), func.sum(func.abs(told.c.error)))
    query = select(*by, *(one.label(name) for one, name in zip(sums, ("n", "sum", "absolute"), strict=True)))
    return [row._asdict() for row in source.conn.execute(query.group_by(*by))]


def _grouped(rows: list[Row], by: str) -> list[tuple[Any, list[Row]]]:
    names = sorted({row[by] for row in rows}, key=lambda name: (name is None, name))
    return [(name, [row for row in rows if row[by] == name]) for name in names]


def _gap(rows: Iterable[Row]) -> Gap:
    n, total, absolute = (sum(int(row[name]) for row in rows) for name in ("n", "sum", "absolute"))
    if n == 0:
        return Gap(n=0, bias=None, mean_absolute_error=None)
    return Gap(n=n, bias=round(total / n, 2), mean_absolute_error=round(absolute / n, 2))


def _displeased(source: Source, period: Period) -> list[Displeased]:
    of = recoveries.c
    low = _low(of.first_instrument, of.first_value)
    heard = (of.first_value.is_not(None) & of.first_instrument.in_(DISPLEASED)) | of.follow_up.in_(_HEARD)
    hits = func.sum(case((low | ((of.first_value.is_(None)) & (of.follow_up == "dissatisfied")), 1), else_=0))
    query = (
        select(of.how_code, func.count().label("n"), hits.label("hits"))
        .where(*source.of(Recoveries, recoveries), *period.of(of.opened_at), heard)
        .where(func.coalesce(of.outcome, "").not_in(VOID))
        .group_by(of.how_code)
    )
    found = [
        Displeased(how_code=row.how_code, comparable=row.n >= FEWEST_COMPARED, **dict(rate(int(row.hits), row.n)))
        for row in source.conn.execute(query)
    ]
    return sorted(found, key=lambda one: (not one.comparable, -(one.share or 0), one.how_code or ""))


def _low(instrument: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[bool]:
    return case(DISPLEASED, value=instrument, else_=-1) >= value
