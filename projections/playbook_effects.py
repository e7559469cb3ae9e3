"""Playbook effects: for how many failures something was ready when they came, and how it went by playbook."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import select

from domain.publishing import Publication, in_force, turning_points
from domain.rates import FEWEST_COMPARED, Rate, Spread, rate, spread_of_counts
from domain.standards.document import Standard
from domain.standards.house import House
from domain.standards.playbook import Circumstances, Playbook
from projections.arrivals import Arrivals, arrivals
from projections.base import Source
from projections.calibration import DISPLEASED
from projections.period import AT_A_TIME, Period, Report, counted_cases
from projections.recovery_rows import recoveries

_SAID: Final = {"satisfied": False, "partly": False, "no_objection": False, "dissatisfied": True}
"""Whether a follow-up found the customer displeased; of the others nobody knows."""
_ENDS: Final = ("resolved_at", "closed_at", "outcome", "reopenings")
_WORDS: Final = ("first_instrument", "first_value", "follow_up")


class PlaybookEffect(BaseModel):
    """The failures for which one version of a playbook was the one in force when they came.

    `for_every_case`: it fits whatever happens, so nothing in particular was ready. `minutes_to_resolve` is of
    those that were resolved. `displeased`: of the customers who were heard, those whose first word was one of
    displeasure. `reopened` is of those ever resolved. `comparable`: enough of them (20) to stand beside another.
    """

    name: str
    version: int
    for_every_case: bool
    n: int
    resolved: int
    outcomes: dict[str, int]
    """How many were closed as what; those not closed are in none."""
    minutes_to_resolve: Spread
    displeased: Rate
    reopened: Rate
    comparable: bool


class PlaybookReport(Report):
    """What playbooks do, the most used first. `n` counts failures.

    `readiness` is the share of failures for which the house had a playbook of their sort when they came. Which one
    that was follows from the standards in force at that moment, and from the failure as it was first told.
    """

    readiness: Rate
    playbooks: list[PlaybookEffect]


@dataclass
class Effect:
    """What became of the failures of one version of a playbook so far."""

    n: int = 0
    resolved: int = 0
    ever_resolved: int = 0
    reopened: int = 0
    heard: int = 0
    displeased: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    minutes: Counter[int] = field(default_factory=Counter)

    def add(self, came: Any, case: Any, as_of: datetime) -> None:
        """One failure more."""
        self.n += 1
        if case.resolved_at is not None and case.resolved_at <= as_of:
            self.resolved += 1
            self.minutes[max(case.resolved_at - came.occurred_at, timedelta()) // timedelta(minutes=1)] += 1
        if case.closed_at is not None and case.closed_at <= as_of:
            self.outcomes[case.outcome] += 1
        self.ever_resolved += case.resolved_at is not None or case.reopenings > 0
        self.reopened += case.reopenings > 0
        displeased = _displeased(case)
        self.heard += displeased is not None
        self.displeased += displeased is True


class Books:
    """Which playbook was in force for a case at a moment."""

    def __init__(self, publications: Iterable[Publication]) -> None:
        self._published = [one for one in publications if one.kind == Playbook.KIND]
        self._points = turning_points(self._published)
        self._houses: dict[int, House] = {}
        self._chosen: dict[tuple[int, Circumstances], Standard[Playbook]] = {}

    def of(self, case: Circumstances, moment: datetime) -> Standard[Playbook]:
        """The playbook that the house would have gone by then."""
        # The same from one turning point to the next.
        between = bisect_right(self._points, moment)
        if between not in self._houses:
            self._houses[between] = House.at(moment, in_force(self._published, moment))
        if (between, case) not in self._chosen:
            self._chosen[between, case] = self._houses[between].playbook(case)
        return self._chosen[between, case]


def report(source: Source, period: Period, publications: Sequence[Publication] = ()) -> PlaybookReport:
    """The failures that came in this period, by the playbook that was in force for each."""
    books, effects = Books(publications), dict[tuple[str, int], tuple[Standard[Playbook], Effect]]()
    for came, case in _came(source, period):
        book = books.of(_circumstances(came), came.occurred_at)
        effects.setdefault((book.name, book.version), (book, Effect()))[1].add(came, case, period.as_of)
    told = [_told(book, effect) for book, effect in effects.values()]
    n = sum(one.n for one in told)
    return PlaybookReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=n,
        readiness=rate(sum(one.n for one in told if not one.for_every_case), n),
        playbooks=sorted(told, key=lambda one: (-one.n, one.name, one.version)),
    )


def _came(source: Source, period: Period) -> Iterator[tuple[Any, Any]]:
    """Every failure of the period as it came, with what is known of its recovery."""
    cases = counted_cases(source, [recoveries.c[name] for name in (*_ENDS, *_WORDS)])
    query = select(arrivals).where(*source.of(Arrivals, arrivals), *period.of(arrivals.c.occurred_at))
    for came in source.conn.execute(query.execution_options(yield_per=AT_A_TIME)):
        case = cases.get((came.stream_id, came.recovery_id))
        if case is not None:
            yield came, case


def _circumstances(came: Any) -> Circumstances:
    names = ("what", "failure_kind", "touchpoint", "severity", "similarity_key")
    return Circumstances(**{name: getattr(came, name) for name in names})


def _displeased(case: Any) -> bool | None:
    """Whether the customer's first word was one of displeasure; None where he was not heard."""
    if case.first_instrument in DISPLEASED and case.first_value is not None:
        return bool(case.first_value <= DISPLEASED[case.first_instrument])
    return _SAID.get(case.follow_up)


def _told(book: Standard[Playbook], effect: Effect) -> PlaybookEffect:
    return PlaybookEffect(
        name=book.name,
        version=book.version,
        for_every_case=not book.body.match.specific[0],
        n=effect.n,
        resolved=effect.resolved,
        outcomes=dict(sorted(effect.outcomes.items())),
        minutes_to_resolve=spread_of_counts(effect.minutes),
        displeased=rate(effect.displeased, effect.heard),
        reopened=rate(effect.reopened, effect.ever_resolved),
        comparable=effect.n >= FEWEST_COMPARED,
    )
