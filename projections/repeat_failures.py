"""Repeat failures: what goes wrong again for the same customer, before and after something changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Subquery, case, func, select

from domain.rates import FEWEST_COMPARED, Rate, comparable, rate
from projections.base import Source
from projections.checklist import VOID
from projections.elapsed import within
from projections.period import Period, Report
from projections.recovery_rows import Recoveries, recoveries

WITHIN_DAYS: Final = 180
"""So soon the same failure is a repetition. Source: satisfaction.md section 2."""
MOST_KEYS: Final = 100


class Frequency(BaseModel):
    """How often it failed, and how often it failed again for the same customer within the days asked for.

    `again` counts only failures that have been followed for all those days, within the time this is about.
    """

    failures: int
    again: Rate


class Change(BaseModel):
    """Before and after. `difference`: the share that failed again after, minus before; None with the reason.

    The two `failures` are of times of different length, and only to be read with them.
    """

    before: Frequency
    after: Frequency
    difference: float | None
    why_not: str | None


class RepeatedFailure(Frequency):
    """One sort of failure."""

    similarity_key: str
    customers: int
    change: Change | None
    """When a date to compare by is given."""


class RepeatReport(Report):
    """What fails again, the most frequent first. `n` counts failures reported in the period.

    Of more than 100 sorts of failure the most frequent are listed; `keys` says how many there are.
    """

    within_days: int
    changed_at: datetime | None
    keys: int
    overall: Frequency
    change: Change | None
    data: list[RepeatedFailure]


def report(
    source: Source,
    period: Period,
    changed_at: datetime | None = None,
    within_days: int = WITHIN_DAYS,
    similarity_key: str | None = None,
) -> RepeatReport:
    """How often failures of the period came back; with `changed_at`, before and after that moment."""
    span = timedelta(days=within_days)
    failures = _failures(source, period, span, similarity_key)
    of_key = failures.c.similarity_key
    sums = [one.label(name) for name, one in _sums(failures, period, changed_at, span).items()]
    whole = source.conn.execute(select(*sums)).one()
    keys = source.conn.execute(select(func.count(of_key.distinct()))).scalar_one()
    most = select(of_key, *sums).group_by(of_key).order_by(func.count().desc(), of_key).limit(MOST_KEYS)
    return RepeatReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=whole.failures,
        within_days=within_days,
        changed_at=changed_at,
        keys=keys,
        overall=_frequency(whole),
        change=None if changed_at is None else _change(whole),
        data=[_repeated(row, changed_at) for row in source.conn.execute(most)],
    )


def _failures(source: Source, period: Period, span: timedelta, similarity_key: str | None) -> Subquery:
    """Every failure of the period with whether the same customer met the same again within the span."""
    of = recoveries.c
    following = func.lead(of.opened_at).over(
        partition_by=(of.stream_id, of.similarity_key), order_by=(of.opened_at, of.recovery_id)
    )
    known = [*source.of(Recoveries, recoveries), of.opened_at <= period.as_of]
    known += [func.coalesce(of.outcome, "").not_in(VOID)]
    known += [] if similarity_key is None else [of.similarity_key == similarity_key]
    # Before the period is cut out: what comes back after its end came back all the same.
    one = (
        select(of.stream_id, of.similarity_key, of.opened_at, following.label("next_at")).where(*known).subquery()
    )
    again = case((within(source, one.c.opened_at, one.c.next_at, span), 1), else_=0)
    query = select(one.c.stream_id, one.c.similarity_key, one.c.opened_at, again.label("again"))
    return query.where(*period.of(one.c.opened_at)).subquery()


def _sums(
    failures: Subquery, period: Period, changed_at: datetime | None, span: timedelta
) -> dict[str, ColumnElement[Any]]:
    of = failures.c
    followed = of.opened_at <= period.as_of - span
    found = {
        "failures": func.count(),
        "customers": func.count(of.stream_id.distinct()),
        **_followed(of, "", followed),
    }
    if changed_at is None:
        return found
    # A failure shortly before the change would be followed mostly after it, and tell of neither.
    before, after = of.opened_at < changed_at, of.opened_at >= changed_at
    return found | {
        "failures_before": _counted(before),
        **_followed(of, "_before", of.opened_at <= min(changed_at, period.as_of) - span),
        "failures_after": _counted(after),
        **_followed(of, "_after", after & followed),
    }


def _followed(of: Any, when: str, condition: ColumnElement[bool]) -> dict[str, ColumnElement[Any]]:
    return {f"followed{when}": _counted(condition), f"again{when}": _counted(condition & (of.again == 1))}


def _counted(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _frequency(row: Any, when: str = "") -> Frequency:
    failures, again, followed = (getattr(row, f"{name}{when}") for name in ("failures", "again", "followed"))
    return Frequency(failures=int(failures), again=rate(int(again), int(followed)))


def _change(row: Any) -> Change:
    before, after = _frequency(row, "_before"), _frequency(row, "_after")
    enough = comparable(before.again.n, after.again.n)
    difference = _difference([before.again, after.again]) if enough else None
    why_not = None if enough else f"fewer than {FEWEST_COMPARED} failures were followed for so long on one side"
    return Change(before=before, after=after, difference=difference, why_not=why_not)


def _difference(rates: Sequence[Rate]) -> float:
    before, after = (one.share or 0.0 for one in rates)
    return round(after - before, 4)


def _repeated(row: Any, changed_at: datetime | None) -> RepeatedFailure:
    return RepeatedFailure(
        similarity_key=row.similarity_key,
        customers=row.customers,
        change=None if changed_at is None else _change(row),
        **dict(_frequency(row)),
    )
