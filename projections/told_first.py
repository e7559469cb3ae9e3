"""Told first: of the failures we noticed ourselves, in how many the customer heard it from us before he asked."""

from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import select

from domain.rates import Rate, rate
from projections.base import Source
from projections.clocks import Clocks, tellings
from projections.period import AT_A_TIME, Period, Report, counted_cases


class ToldFirst(BaseModel):
    """The failures noticed in one way."""

    detection: str
    n: int
    told_first: Rate
    asked_first: int
    """The customer came to us before we had told him."""
    not_yet: int
    """Nobody has spoken yet."""


class ToldFirstReport(Report):
    """Failures that we noticed ourselves (`n`), and the share of them that we told the customer first.

    Those that nobody has told yet count as not told.
    """

    told_first: Rate
    asked_first: int
    not_yet: int
    detections: list[ToldFirst]


@dataclass
class Counted:
    """How many failures were noticed in one way, and who spoke first."""

    detection: str
    n: int = 0
    told: int = 0
    asked: int = 0


def report(source: Source, period: Period) -> ToldFirstReport:
    """The failures that we noticed in this period, without those withdrawn, doubled or entered in error."""
    rows = _counted(source, period)
    n, told, asked = (sum(getattr(row, name) for row in rows) for name in ("n", "told", "asked"))
    return ToldFirstReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=n,
        told_first=rate(told, n),
        asked_first=asked,
        not_yet=n - told - asked,
        detections=[_detection(row) for row in rows],
    )


def _detection(row: Counted) -> ToldFirst:
    return ToldFirst(
        detection=row.detection,
        n=row.n,
        told_first=rate(row.told, row.n),
        asked_first=row.asked,
        not_yet=row.n - row.told - row.asked,
    )


def _counted(source: Source, period: Period) -> list[Counted]:
    of, cases = tellings.c, counted_cases(source, ())
    query = select(of.stream_id, of.recovery_id, of.detection, of.told_at, of.asked_at)
    found = query.where(*source.of(Clocks, tellings), *period.of(of.found_at))
    counts: dict[str, Counted] = {}
    for row in source.conn.execute(found.execution_options(yield_per=AT_A_TIME)):
        if (row.stream_id, row.recovery_id) in cases:
            one = counts.setdefault(row.detection, Counted(row.detection))
            one.n += 1
            one.told += row.told_at is not None and row.told_at <= period.as_of
            one.asked += row.asked_at is not None and row.asked_at <= period.as_of
    return [counts[name] for name in sorted(counts)]
