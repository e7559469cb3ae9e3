"""Follow-ups: how sure and how well treated customers feel, beside how content they are, and what they wished."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import Table, select

from domain.rates import Rate, rate
from projections.aftermath import Aftermath, follow_up_answers, wishes
from projections.base import Source
from projections.period import AT_A_TIME, Of, Period, Report, counted_cases
from projections.recovery_rows import recoveries

WELL: Final = 4
"""From here on, of 5, an answer is a good one."""


class Marks(BaseModel):
    """So many answers from 1 to 5: how often each came, their mean, and the share of 4 and 5."""

    n: int
    mean: float | None
    counts: dict[int, int]
    good: Rate


class FollowUpFigures(BaseModel):
    """The follow-ups that ended in one way, and what customers said in them."""

    outcome: str
    n: int
    confidence: Marks
    """How sure he is that it will not happen again."""
    treatment: Marks
    """How he was treated."""
    would_return: Rate


class FollowUpReport(Report):
    """What customers say when we ask how it went. `n` counts follow-ups that were completed.

    `satisfied` is of those who said satisfied, partly or dissatisfied. `wish_met`: of the remedies delivered in
    the period that somebody held against the customer's wish. `treated_poorly_after`: of the recoveries that were
    reported in the period and resolved at some time, those in which somebody treated the customer poorly after it.
    """

    satisfied: Rate
    confidence: Marks
    treatment: Marks
    would_return: Rate
    by_outcome: list[FollowUpFigures]
    wish_met: Rate
    treated_poorly_after: Rate


def report(source: Source, period: Period) -> FollowUpReport:
    """The follow-ups completed, the remedies delivered and the recoveries reported in this period."""
    of = recoveries.c
    cases = counted_cases(source, (of.opened_at, of.resolved_at, of.reopenings, of.treated_after))
    answers = _rows(source, period, follow_up_answers, cases)
    outcomes = Counter(one.outcome for one in answers)
    said = sum(outcomes[one] for one in ("satisfied", "partly", "dissatisfied"))
    wished = [one.met for one in _rows(source, period, wishes, cases)]
    after = [case.treated_after for case in cases.values() if _ever_resolved(case, period)]
    return FollowUpReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=len(answers),
        satisfied=rate(outcomes["satisfied"], said),
        **_said(answers),
        by_outcome=[
            FollowUpFigures(outcome=one, n=n, **_said([row for row in answers if row.outcome == one]))
            for one, n in sorted(outcomes.items(), key=lambda some: (-some[1], some[0]))
        ],
        wish_met=rate(sum(wished), len(wished)),
        treated_poorly_after=rate(sum(after), len(after)),
    )


def _rows(source: Source, period: Period, table: Table, cases: dict[Of, Any]) -> list[Any]:
    """The rows of the period that are about recoveries that count."""
    query = select(table).where(*source.of(Aftermath, table), *period.of(table.c.occurred_at))
    rows = source.conn.execute(query.execution_options(yield_per=AT_A_TIME))
    return [row for row in rows if (row.stream_id, row.recovery_id) in cases]


def _ever_resolved(case: Any, period: Period) -> bool:
    """Whether it was reported in the period, and resolved; poor treatment itself has it opened again."""
    return period.covers(case.opened_at) and (case.resolved_at is not None or case.reopenings > 0)


def _said(answers: Sequence[Any]) -> dict[str, Any]:
    back = [one.would_return for one in answers if one.would_return is not None]
    return {
        "confidence": _marks(one.confidence for one in answers),
        "treatment": _marks(one.treatment for one in answers),
        "would_return": rate(sum(back), len(back)),
    }


def _marks(given: Iterable[int | None]) -> Marks:
    counts = Counter(one for one in given if one is not None)
    n, total = counts.total(), sum(mark * many for mark, many in counts.items())
    return Marks(
        n=n,
        mean=round(total / n, 2) if n else None,
        counts=dict(sorted(counts.items())),
        good=rate(sum(many for mark, many in counts.items() if mark >= WELL), n),
    )
