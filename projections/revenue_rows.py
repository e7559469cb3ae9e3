"""Revenue rows: who stands where, who left, who stayed, and what it took: what the report of revenue adds up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, Table, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from domain.revenue import FROM_SEVERITY, STILL_THERE_AFTER, WON_THEN_LOST_WITHIN, counted_score
from domain.satisfaction import Band, RecoveryScore, band
from domain.satisfaction.terms import shown
from projections.base import Source
from projections.checklist import VOID
from projections.everybody import Everybody, Known, rows_of, some_at_a_time
from projections.grants import INVITATION, Grants, grants, grants_ended
from projections.period import AT_A_TIME, Of, Period
from projections.recovery_rows import Recoveries, recoveries
from projections.root_causes import RootCauses, root_causes
from projections.satisfaction import (
    SatisfactionState,
    satisfaction_recoveries,
    satisfaction_state,
    satisfaction_terms,
)
from projections.timeline import Timeline, timeline
from projections.worth import Worth, recovery_sites

NOT_WON: Final = (*VOID, "lost")
"""Outcomes of a closing by which nothing was put right."""
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer whose worth is known and who has not left, and the band he stands in."""

    currency: str
    annual: int
    band: Band


@dataclass(frozen=True, slots=True)
class Loss:
    """A customer who left and has not come back. `currency` is None where his worth is not known."""

    currency: str | None
    annual: int
    basis: str
    site: str
    cause: str
    resolved_before: bool
    """A case of his was resolved or closed in the 90 days before."""


@dataclass(frozen=True, slots=True)
class Stayed:
    """A customer who was still there 90 days after a severe failure, or came back after it."""

    currency: str
    annual: int
    margin_pct: int | None
    acquisition_cost: int | None
    then: Band
    now: Band
    capped: bool
    """More content than before the failure, which counts nothing."""
    site: str
    cause: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What one compensation or invitation that was taken up cost; None: nobody said how much."""

    currency: str | None
    cost: int
    by_value: bool
    """Only its value to the customer is known, which stands for the cost."""


def standings(everybody: Everybody) -> Iterator[Standing]:
    """Where customers stand now."""
    of = satisfaction_state.c
    for some in everybody.here():
        for stream_id, stands in rows_of(everybody.source, SatisfactionState, (of.stream_id, of.band), some):
            worth = everybody.worth[stream_id]
            yield Standing(worth.currency, worth.annual, stands)


def left(everybody: Everybody, upto: int) -> dict[Band, tuple[int, int]]:
    """Of those who stood in each band at a position of the ledger: how many there were, and how many left since.

    Who had left already does not count, nor of whom nothing was known but that he exists.
    """
    counts: dict[Band, tuple[int, int]] = {}
    for stream_id, total in _totals(everybody.source, upto):
        if not everybody.gone(stream_id, upto):
            stood = band(shown(total))
            seen, gone = counts.get(stood, (0, 0))
            counts[stood] = seen + 1, gone + everybody.left_after(stream_id, upto)
    return counts


def _totals(source: Source, upto: int) -> Iterable[Any]:
    """Each customer's unbounded sum as it was at a position of the ledger."""
    of = satisfaction_terms.c
    known = (*source.of(SatisfactionState, satisfaction_terms), of.position <= upto)
    if source.conn.dialect.name == "postgresql":
        # The key read backwards: nothing is sorted, and nothing ranked.
        query = select(of.stream_id, of.total).ext(distinct_on(of.stream_id)).where(*known)
        query = query.order_by(*(column.desc() for column in (of.stream_id, of.position, of.ordinal)))
    else:
        last = select(of.stream_id, func.max(of.position).label("position")).where(*known).group_by(of.stream_id)
        query = _total_at(source, last.subquery())
    return source.conn.execute(query.execution_options(yield_per=AT_A_TIME))


def _total_at(source: Source, last: Subquery) -> Select[Any]:
    """The sums after the last term of each of these positions, looked up one by one."""
    of = satisfaction_terms.c
    same = (of.stream_id == last.c.stream_id, of.position == last.c.position)
    total = select(of.total).where(*source.of(SatisfactionState, satisfaction_terms), *same)
    return select(last.c.stream_id, total.order_by(of.ordinal.desc()).limit(1).scalar_subquery())


def losses(everybody: Everybody, period: Period) -> Iterator[Loss]:
    """Who left in this period and has not come back."""
    found = {one: everybody.loss(one) for one in everybody.moves}
    lost = {one: move for one, move in found.items() if move is not None and _inside(period, move.at)}
    for some in some_at_a_time(iter(lost)):
        sites, causes = _abouts(everybody.source, some)
        endings = _endings(everybody.source, some)
        for one in some:
            about = one, lost[one].cause_recovery_id
            yield Loss(
                *_priced(everybody.worth.get(one)),
                basis=lost[one].basis or UNKNOWN,
                site=sites.get(about, UNKNOWN),
                cause=causes.get(about, UNKNOWN),
                resolved_before=any(_just_before(at, lost[one].at) for at in endings.get(one, ())),
            )


def stayed(everybody: Everybody, period: Period) -> Iterator[Stayed]:
    """Who stayed after a severe failure that was resolved in this period; each once, by his worst moment."""
    for some in everybody.here():
        cases = _severe(everybody.source, period, some)
        back = _came(everybody.source, period.as_of, list({stream_id for stream_id, _ in cases}))
        kept = {of: at for of, at in cases.items() if _there_again(back.get(of[0], ()), at)}
        yield from _worst_of_each(everybody, kept)


def spent(source: Source, period: Period) -> list[Spent]:
    """What was handed over in this period beyond what was owed, and what it cost, but for what was taken back."""
    ended = grants_ended.c
    handed: dict[Any, datetime] = {}
    for row in _known(source, grants_ended, period, ended.how.in_(("delivered", "reversed"))):
        if row.how == "reversed":
            handed.pop((row.stream_id, row.grant_id), None)
        else:
            handed[row.stream_id, row.grant_id] = row.occurred_at
    counted = {one for one, at in handed.items() if _inside(period, at)}
    # What an invitation promises is paid by the compensation behind it, where there is one.
    paid = or_(grants.c.kind != INVITATION, grants.c.cost.is_not(None))
    given = (row for row in _known(source, grants, period, paid) if (row.stream_id, row.grant_id) in counted)
    return [Spent(row.currency, row.cost or 0, row.by_value) for row in given]


def _known(source: Source, table: Table, period: Period, *conditions: ColumnElement[bool]) -> Iterable[Any]:
    """What the house gave, or what became of it, in the order in which it was recorded."""
    query = select(table).where(*source.of(Grants, table), table.c.occurred_at <= period.as_of, *conditions)
    return source.conn.execute(query.order_by(table.c.position))


def _inside(period: Period, at: datetime) -> bool:
    return (period.since is None or period.since <= at) and (period.until is None or at < period.until)


def _priced(worth: Known | None) -> tuple[str | None, int]:
    return (None, 0) if worth is None else (worth.currency, worth.annual)


def _abouts(source: Source, streams: Sequence[UUID]) -> tuple[dict[Any, str], dict[Any, str]]:
    """Where each failure happened, and the class of cause that was named last."""
    site, cause = recovery_sites.c, root_causes.c
    sites = rows_of(source, Worth, (site.stream_id, site.recovery_id, site.site), streams)
    causes = rows_of(source, RootCauses, (cause.stream_id, cause.recovery_id, cause.cause_class), streams)
    # In the order of positions: the last one stays.
    return {(one, of): name for one, of, name in sites}, {(one, of): name for one, of, name in causes}


def _endings(source: Source, streams: Sequence[UUID]) -> Mapping[UUID, list[datetime]]:
    """When cases of these customers were put right, as we saw it."""
    of, case = timeline.c, recoveries.c
    given_up = rows_of(source, Recoveries, (case.stream_id, case.recovery_id), streams, case.outcome.in_(NOT_WON))
    never = {(stream_id, recovery_id) for stream_id, recovery_id in given_up}
    kinds = of.kind.in_(("recovery.resolved", "recovery.closed"))
    columns = (of.stream_id, of.recovery_id, of.kind, of.occurred_at)
    found: dict[UUID, list[datetime]] = {}
    for stream_id, recovery_id, kind, at in rows_of(source, Timeline, columns, streams, kinds):
        if kind == "recovery.resolved" or (stream_id, recovery_id) not in never:
            found.setdefault(stream_id, []).append(at)
    return found


def _just_before(ended_at: datetime, lost_at: datetime) -> bool:
    return lost_at - WON_THEN_LOST_WITHIN <= ended_at <= lost_at


def _severe(source: Source, period: Period, streams: Sequence[UUID]) -> dict[Of, datetime]:
    """Severe failures of these customers that are put right, and when."""
    of = recoveries.c
    right = (of.urgency >= FROM_SEVERITY, of.phase.in_(("resolved", "closed")), *period.of(of.resolved_at))
    won = func.coalesce(of.outcome, "").not_in(NOT_WON)
    rows = rows_of(source, Recoveries, (of.stream_id, of.recovery_id, of.resolved_at), streams, *right, won)
    return {(row.stream_id, row.recovery_id): row.resolved_at for row in rows}


def _came(source: Source, as_of: datetime, streams: Sequence[UUID]) -> Mapping[UUID, list[tuple[str, datetime]]]:
    """When these customers came back, and when they were served."""
    of = timeline.c
    came = (of.kind.in_(("customer.returned", "encounter.completed")), of.occurred_at <= as_of)
    found: dict[UUID, list[tuple[str, datetime]]] = {}
    for stream_id, kind, at in rows_of(source, Timeline, (of.stream_id, of.kind, of.occurred_at), streams, *came):
        found.setdefault(stream_id, []).append((kind, at))
    return found


def _there_again(came: Sequence[tuple[str, datetime]], resolved_at: datetime) -> bool:
    """Whether he came back after his case was resolved, or was served 90 days later."""
    served_from = resolved_at + STILL_THERE_AFTER
    return any(at >= (resolved_at if kind == "customer.returned" else served_from) for kind, at in came)


def _worst_of_each(everybody: Everybody, kept: Mapping[Of, datetime]) -> Iterator[Stayed]:
    source, streams = everybody.source, list({stream_id for stream_id, _ in kept})
    of, state = satisfaction_recoveries.c, satisfaction_state.c
    worst: dict[UUID, tuple[UUID, RecoveryScore]] = {}
    for stream_id, recovery_id, score in rows_of(
        source, SatisfactionState, (of.stream_id, of.recovery_id, of.kept), streams
    ):
        known = worst.get(stream_id)
        if (stream_id, recovery_id) in kept and (known is None or score.lowest < known[1].lowest):
            worst[stream_id] = recovery_id, score
    sites, causes = _abouts(source, streams)
    for stream_id, score_now in rows_of(source, SatisfactionState, (state.stream_id, state.score), streams):
        # Nothing is known yet of a recovery that waits to be folded.
        if stream_id not in worst:
            continue
        recovery_id, then = worst[stream_id]
        about = stream_id, recovery_id
        places = sites.get(about, UNKNOWN), causes.get(about, UNKNOWN)
        yield _one_who_stayed(everybody.worth[stream_id], then, score_now, *places)


def _one_who_stayed(worth: Known, worst: RecoveryScore, score_now: int, site: str, cause: str) -> Stayed:
    counted = band(counted_score(score_now, worst.shown_before))
    return Stayed(
        currency=worth.currency,
        annual=worth.annual,
        margin_pct=worth.margin_pct,
        acquisition_cost=worth.acquisition_cost,
        then=worst.worst_band,
        now=counted,
        capped=counted != band(score_now),
        site=site,
        cause=cause,
    )
