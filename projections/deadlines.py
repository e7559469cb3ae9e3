"""Deadlines: how well we keep the times we set ourselves, by step and severity, and how long each step takes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Table, Text, literal, null, select, type_coerce

from domain.rates import Rate, Spread, rate, spread_of_counts
from projections.base import Source
from projections.clocks import Clocks, clocks_running, clocks_stopped
from projections.period import AT_A_TIME, Period, Report, counted_cases
from projections.recovery_cases import CLOCKS
from projections.recovery_rows import recoveries

RESULTS: Final = ("met", "missed", "dropped", "running")
Cell = tuple[str, int | None]
"""A step, and a severity; None: all of them."""


class StepDeadlines(BaseModel):
    """One step at one severity; `severity` None: at all severities together."""

    step: str
    severity: int | None
    set: int
    """Clocks started; each is met, missed, dropped or running."""
    met: int
    missed: int
    """Not done in time, or of a clock of another system: missed by its own word."""
    done_late: int
    """Of the missed, those done in the end."""
    only_told: int
    """Of the missed, those of which another system told nothing but that; of those it kept it told nothing."""
    dropped: int
    """Stopped because nothing was due any more: waived, closed, opened again, promised anew."""
    running: int
    kept: Rate
    """Met, of those met or missed; without those of which nothing but the miss was told."""
    told_first: int
    """Of the steps done, those done by telling the customer before he asked (acknowledge only)."""
    minutes: Spread
    """How long the step took, of those done; clocks of other systems left out."""
    percent_of_allowed: Spread
    """The same in percent of the time that was allowed."""


@dataclass
class Times:
    """How often a step took so many minutes, and so many percent of the time that was allowed."""

    minutes: Counter[int] = field(default_factory=Counter)
    percent: Counter[int] = field(default_factory=Counter)

    def add(self, minutes: int, percent: int | None) -> None:
        """Counts one step more; where no time was set there is no percent of it."""
        self.minutes[minutes] += 1
        if percent is not None:
            self.percent[percent] += 1


class DeadlineReport(Report):
    """Every clock that was started in the period (`n`), as it stands at `as_of`.

    A clock counts by what happened: one that had run out before it was recorded raised no alarm, and is missed.
    """

    steps: list[StepDeadlines]


@dataclass
class Runs:
    """The clocks of one cell so far."""

    results: Counter[str] = field(default_factory=Counter)
    done_late: int = 0
    only_told: int = 0
    told_first: int = 0
    times: Times = field(default_factory=Times)

    def add(self, run: Any, result: str, as_of: datetime) -> None:
        """One clock more."""
        done = run.done and run.stopped_at <= as_of
        self.results[result] += 1
        self.done_late += done and result == "missed"
        self.only_told += result == "missed" and run.due_at is None
        self.told_first += done and run.told_first
        if done and not run.from_source:
            self.times.add(run.minutes, run.percent)


def report(source: Source, period: Period) -> DeadlineReport:
    """The clocks started in this period by step, first over all severities, then from the gravest down."""
    cells = _cells(source, period)
    return DeadlineReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=sum(runs.results.total() for (_, severity), runs in cells.items() if severity is None),
        steps=[_step(cell, cells[cell]) for cell in sorted(cells, key=_order)],
    )


def _order(cell: Cell) -> tuple[int, str, bool, int]:
    step, severity = cell
    return CLOCKS.index(step) if step in CLOCKS else len(CLOCKS), step, severity is not None, -(severity or 0)


def _step(cell: Cell, runs: Runs) -> StepDeadlines:
    step, severity = cell
    many = {result: runs.results[result] for result in RESULTS}
    return StepDeadlines(
        step=step,
        severity=severity,
        set=runs.results.total(),
        **many,
        done_late=runs.done_late,
        only_told=runs.only_told,
        kept=rate(many["met"], many["met"] + many["missed"] - runs.only_told),
        told_first=runs.told_first,
        minutes=spread_of_counts(runs.times.minutes),
        percent_of_allowed=spread_of_counts(runs.times.percent),
    )


def _cells(source: Source, period: Period) -> dict[Cell, Runs]:
    """What became of the clocks of each step, at each severity and at all."""
    # As text: of most recoveries nobody asks which deadlines they still have.
    deadlines = type_coerce(recoveries.c.deadlines, Text).label("deadlines")
    cases = counted_cases(source, (recoveries.c.urgency, deadlines))
    cells: defaultdict[Cell, Runs] = defaultdict(Runs)
    for run in chain(_running(source, period), _stopped(source, period)):
        case = cases.get((run.stream_id, run.recovery_id))
        if case is not None:
            result = _result(run, case.deadlines, period.as_of)
            for cell in ((run.step, case.urgency), (run.step, None)):
                cells[cell].add(run, result, period.as_of)
    return cells


def _running(source: Source, period: Period) -> Iterator[Any]:
    """Every clock started in the period that still runs, with the columns of one that was stopped."""
    no, nothing = literal(False), null()
    missing = (nothing.label("stopped_at"), no.label("done"), no.label("told_first"))
    return _clocks(source, period, clocks_running, missing)


def _stopped(source: Source, period: Period) -> Iterator[Any]:
    of = clocks_stopped.c
    return _clocks(source, period, clocks_stopped, (of.stopped_at, of.done, of.told_first, of.minutes, of.percent))


def _clocks(source: Source, period: Period, table: Table, more: Iterable[ColumnElement[Any]]) -> Iterator[Any]:
    of = table.c
    columns = (of.stream_id, of.recovery_id, of.step, of.due_at, of.from_source, of.missed_at)
    query = select(*columns, *more).where(*source.of(Clocks, table), *period.of(of.started_at))
    yield from source.conn.execute(query.execution_options(yield_per=AT_A_TIME))


def _result(run: Any, deadlines: str, as_of: datetime) -> str:
    """Met, missed, dropped or running, as of then."""
    stopped = run.stopped_at is not None and run.stopped_at <= as_of
    if run.missed_at is not None and run.missed_at <= as_of:
        return "missed"
    # A compensation that is expected no more stops its clock without a word; the recovery itself knows.
    if run.stopped_at is None and run.missed_at is None and f'"{run.step}"' not in deadlines:
        return "dropped"
    until = run.stopped_at if stopped else as_of
    if not run.from_source and run.due_at is not None and run.due_at <= until:
        return "missed"
    # Another system's clock ends with the recovery, and was kept unless that system says otherwise.
    if stopped:
        return "met" if run.done or run.from_source else "dropped"
    return "running"
