"""Justice: what customers got for a failure, how they were met, and how it went; 0-100 each, per recovery."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Select, and_, func, select

from domain.satisfaction import RecoveryScore, justice, recovery_satisfaction
from projections.base import Source
from projections.checklist import VOID
from projections.period import Period, Report
from projections.recovery_rows import Recoveries, recoveries
from projections.satisfaction import SatisfactionState, satisfaction_recoveries

MOST: Final = 20_000
"""So many recoveries are looked at, the latest ones: each is worked out from all that the score knows of it."""
_AT_A_TIME: Final = 2_000


class Justices(BaseModel):
    """`distributive`: what he got. `interactional`: how he was met. `procedural`: how it went. All 0-100.

    `satisfaction` weighs the three; it is how well this one recovery went, uncapped, and no forecast of his score.
    """

    distributive: float
    interactional: float
    procedural: float
    satisfaction: float


class JusticeOfKind(BaseModel):
    """The averages of `n` recoveries from failures of one kind; None of nothing."""

    failure_kind: str
    n: int
    average: Justices


class JusticeOfRecovery(Justices):
    """One recovery as it stands."""

    recovery_id: UUID
    failure_kind: str
    resource: str
    phase: str
    opened_at: datetime


class JusticeReport(Report):
    """How just recoveries were, on average by kind of failure. `n` counts those resolved or closed.

    Of more than 20,000 the latest count, and `left_out` says how many do not. `recoveries` is filled when one
    customer is asked for: every recovery of his, also those still open.
    """

    left_out: int
    overall: Justices | None
    by_kind: list[JusticeOfKind]
    recoveries: list[JusticeOfRecovery] | None


class Scored(NamedTuple):
    """One recovery with what the score knows of it."""

    row: Any
    scores: tuple[int, int, int, int]


def report(source: Source, period: Period, customer_id: UUID | None = None, most: int = MOST) -> JusticeReport:
    """The averages of the recoveries reported in this period; of one customer only, if one is asked for."""
    asked = _asked(source, period, customer_id)
    all_ended = asked.where(recoveries.c.phase.in_(("resolved", "closed")))
    n = source.conn.execute(select(func.count()).select_from(all_ended.subquery())).scalar_one()
    ended = list(_scored(source, all_ended, most))
    kinds = sorted({one.row.failure_kind for one in ended})
    return JusticeReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=len(ended),
        left_out=n - len(ended),
        overall=_average([one.scores for one in ended]) if ended else None,
        by_kind=[_of_kind(kind, [one for one in ended if one.row.failure_kind == kind]) for kind in kinds],
        recoveries=None if customer_id is None else [_told(one) for one in _scored(source, asked, most)],
    )


def _asked(source: Source, period: Period, customer_id: UUID | None) -> Select[Any]:
    of = recoveries.c
    conditions = (*source.of(Recoveries, recoveries), *period.of(of.opened_at))
    conditions += () if customer_id is None else (of.stream_id == customer_id,)
    columns = (of.stream_id, of.recovery_id, of.failure_kind, of.resource, of.phase, of.opened_at)
    return select(*columns).where(*conditions, func.coalesce(of.outcome, "").not_in(VOID))


def _scored(source: Source, asked: Select[Any], most: int) -> Iterator[Scored]:
    """The latest of these recoveries with what the score knows of each."""
    # Chosen first: what the score knows is the largest part of a row, and need not be sorted with it.
    latest = asked.order_by(recoveries.c.opened_at.desc(), recoveries.c.recovery_id).limit(most).subquery()
    kept = satisfaction_recoveries.c
    same = and_(kept.stream_id == latest.c.stream_id, kept.recovery_id == latest.c.recovery_id)
    query = (
        select(latest, kept.kept)
        .select_from(latest.join(satisfaction_recoveries, same))
        .where(*source.of(SatisfactionState, satisfaction_recoveries))
        .order_by(latest.c.opened_at.desc(), latest.c.recovery_id)
    )
    for row in source.conn.execute(query.execution_options(yield_per=_AT_A_TIME)):
        score: RecoveryScore = row.kept
        yield Scored(row, (*justice(score), recovery_satisfaction(score)))


def _of_kind(kind: str, some: Sequence[Scored]) -> JusticeOfKind:
    return JusticeOfKind(failure_kind=kind, n=len(some), average=_average([one.scores for one in some]))


def _average(scores: Sequence[tuple[int, int, int, int]]) -> Justices:
    return _justices([round(sum(column) / len(scores), 2) for column in zip(*scores, strict=True)])


def _told(one: Scored) -> JusticeOfRecovery:
    given = {
        name: getattr(one.row, name) for name in ("recovery_id", "failure_kind", "resource", "phase", "opened_at")
    }
    return JusticeOfRecovery(**dict(_justices(one.scores)), **given)


def _justices(scores: Sequence[float]) -> Justices:
    distributive, interactional, procedural, satisfaction = scores
    return Justices(
        distributive=distributive, interactional=interactional, procedural=procedural, satisfaction=satisfaction
    )
