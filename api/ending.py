"""What a demo ends with, as the program's own read models tell it: the pages that are worth a first look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.lessons.words import unnamed
from projections import budgets, knowledge, loyalty_makers, obstacles, recoveries
from projections.base import Source
from projections.knowledge import LessonItem
from projections.period import Period
from projections.readers import Reader

FEW: Final = 5
"""So many rows of each: enough to see what it is, and all of it on one screen."""
LESSONS: Final = 2
STORIES: Final = 3
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One table: what it tells and where all of it is found, its columns, and its first rows."""

    name: str
    title: str
    path: str
    columns: Row
    rows: Sequence[Row]

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {"path": self.path, "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows]}


def ending(source: Source, as_of: datetime) -> list[Section]:
    """Every section as it stands at this moment."""
    return [tell(source, as_of) for tell in SECTIONS]


def _queue(source: Source, as_of: datetime) -> Section:
    many = sum(row["n"] for row in recoveries.tally(source, "open") if row["open"])
    first = recoveries.queue(source, as_of=as_of, limit=FEW).data
    rows = [
        (str(one.risk), one.what, str(one.severity), _when(one.next_due_at), str(one.overdue), " ".join(one.flags))
        for one in first
    ]
    return Section(
        "queue",
        f"{many} open recoveries, the most pressing first",
        "/v1/recoveries",
        ("risk", "what", "severity", "next due", "overdue", "flags"),
        rows,
    )


def _stories(source: Source, as_of: datetime) -> Section:
    newest = knowledge.page(source, Reader(), as_of).items
    told = [one for one in newest if isinstance(one, LessonItem)][:LESSONS]
    shown = [*told, *(one for one in newest if one not in told)][: LESSONS + STORIES]
    rows = [(one.kind, unnamed(one.title)) for one in shown]
    return Section("feed", "What everybody is told, and what went well", "/v1/feed", ("kind", "title"), rows)


def _obstacles(source: Source, as_of: datetime) -> Section:
    report = obstacles.report(source, Period(None, None, as_of))
    rows = [(one.key, str(one.n), str(one.minutes), f"{one.cumulative:.0%}") for one in report.kind[:FEW]]
    return Section(
        "obstacles",
        f"What stood in the way: {report.n} times, {report.minutes} minutes",
        "/v1/reports/obstacles",
        ("kind", "n", "minutes", "of all so far"),
        rows,
    )


def _budgets(source: Source, as_of: datetime) -> Section:
    rows = [
        (
            f"{one.cost_centre} {one.period} {one.currency}",
            one.limit.amount,
            one.reserved.amount,
            one.committed.amount,
            f"{one.share:.0%}",
            f"{one.warn_at_pct}%",
            " ".join(one.warnings),
        )
        for one in budgets.listed(source, as_of, limit=FEW).data
    ]
    return Section(
        "budgets",
        "What goodwill may cost",
        "/v1/budgets",
        ("budget", "limit", "reserved", "committed", "used", "warns at", "warnings"),
        rows,
    )


def _makers(source: Source, as_of: datetime) -> Section:
    report = loyalty_makers.report(source, Period(None, None, as_of))
    shown = [*report.classes, *report.roles]
    rows = [
        (one.role_class, one.role or "all", str(one.colleagues), str(one.acts), str(one.gestures), _points(one))
        for one in shown
    ]
    return Section(
        "loyalty_makers",
        "Who makes loyalty (groups under five are hidden)",
        "/v1/reports/loyalty-makers",
        ("role class", "role", "colleagues", "acts", "gestures", "points"),
        rows,
    )


SECTIONS: Final[tuple[Callable[[Source, datetime], Section], ...]] = (
    _queue,
    _stories,
    _obstacles,
    _budgets,
    _makers,
)
"""Every page that is shown, in order. Another one is a function like these, and its name here."""


def _when(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%d %b %H:%M}"


def _points(maker: loyalty_makers.Makers) -> str:
    """How much they lifted customers' scores, in points of a hundred."""
    return f"{(maker.lift_inferred + maker.lift_stated) / 100:+.2f}"
