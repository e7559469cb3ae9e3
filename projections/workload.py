"""Workload: what is open and promised beside what a team can take on, so that nobody promises what he cannot keep.

For colleagues, never about them: what one has on his desk is told to him and to whoever leads him alone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Table, or_, select

from domain.loyalty import shown, summable
from domain.rates import DECIMALS, hidden
from projections.base import Source
from projections.everybody import some_at_a_time
from projections.period import Period, Report, counted_cases
from projections.promises import Promises, absences, capacities, promises, promises_kept
from projections.recovery_rows import recoveries
from projections.staff import read_staff

PER_RECOVERY: Final = 1
PER_PROMISE: Final = 1
"""How many points an open recovery and an open promise take. An assumption: the house counts its own points."""
_ASKED: Final = tuple(recoveries.c[name] for name in ("owner", "team", "open", "phase"))


class Load(BaseModel):
    """What is open, and what can be taken on. `points` are of both, `capacity` is of those who are here.

    `capacity` is None where fewer than 5 colleagues of a group said theirs. Whether it is `overloaded`, that there
    are more points than that, nobody knows until all of them have said theirs.
    """

    open_recoveries: int
    open_promises: int
    overdue_promises: int
    points: int
    capacity: int | None
    share: float | None
    overloaded: bool | None


class TeamLoad(Load):
    """The load of one team."""

    team: str
    colleagues: int


class ColleagueLoad(Load):
    """The load of one colleague: the recoveries he owns, and what was promised in them."""

    colleague_id: UUID
    absent: bool


class WorkloadReport(Report):
    """What is open and promised, by team, the fullest first. `n` counts open recoveries.

    A recovery is of the team it was given to, else of its owner's; a promise is of the team of its recovery. Teams
    of fewer than 5 colleagues are hidden, and so is what would tell of them by taking others from the whole.
    """

    points_per_recovery: int
    points_per_promise: int
    whole: Load | None
    """None where it would tell of a team that is hidden."""
    teams: list[TeamLoad]
    hidden_teams: int
    colleague: ColleagueLoad | None
    """Only where one was asked for."""


@dataclass(frozen=True)
class Item:
    """One thing on somebody's desk."""

    team: str | None
    owner: UUID | None
    promise: bool = False
    overdue: bool = False


@dataclass(frozen=True)
class Room:
    """What some colleagues together can take on."""

    capacity: int | None = None
    """None where it would tell of fewer than five."""
    complete: bool = False
    """Whether all of them who are not away have said theirs."""

    @property
    def judged(self) -> int | None:
        """What there is to do is measured by this; None where nobody knows."""
        return self.capacity if self.complete else None

    def is_exceeded_by(self, points: int) -> bool:
        """Whether so much is known to be more than they can take on."""
        return self.judged is not None and points > self.judged


@dataclass(frozen=True)
class Hands:
    """How much each can take on who is here."""

    points: Mapping[UUID, int]
    """Of those who said so, whether they are away or not."""
    away: frozenset[UUID]

    def ready(self, of: Iterable[UUID]) -> set[UUID]:
        """Those of them who are not away and said how much they can take on."""
        return {one for one in of if one in self.points and one not in self.away}

    def room(self, of: Collection[UUID]) -> "Room":
        """What all of them together can take on."""
        ready = self.ready(of)
        capacity = None if hidden(len(ready)) else sum(self.points[one] for one in ready)
        return Room(capacity, complete={*of} - self.away <= self.points.keys())


def report(source: Source, period: Period, colleague_id: UUID | None = None) -> WorkloadReport:
    """What was open at `as_of` of the failures reported and the promises made in this period."""
    hands, here = _hands(source, period.as_of), read_staff(source, period.as_of).teams()
    items = _items(source, period, here)
    teams = {team: here.get(team, set()) for team in {one.team for one in items if one.team} | here.keys()}
    kept = shown(teams)
    told = [_team(team, teams[team], items, hands) for team in kept]
    return WorkloadReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=sum(not one.promise for one in items),
        points_per_recovery=PER_RECOVERY,
        points_per_promise=PER_PROMISE,
        whole=_load(items, _of_all(hands, teams, told)) if summable(teams, kept) else None,
        teams=sorted(told, key=lambda one: (-(one.share or 0.0), -one.points, one.team)),
        hidden_teams=len(teams) - len(kept),
        colleague=None if colleague_id is None else _colleague(colleague_id, items, hands),
    )


def _team(team: str, members: Collection[UUID], items: Sequence[Item], hands: Hands) -> TeamLoad:
    load = _load([one for one in items if one.team == team], hands.room(members))
    return TeamLoad(team=team, colleagues=len(members), **dict(load))


def _colleague(colleague_id: UUID, items: Sequence[Item], hands: Hands) -> ColleagueLoad:
    mine = [one for one in items if one.owner == colleague_id]
    points = hands.points.get(colleague_id)
    absent = colleague_id in hands.away
    capacity = 0 if absent and points is not None else points
    load = _load(mine, Room(capacity, complete=True))
    return ColleagueLoad(colleague_id=colleague_id, absent=absent, **dict(load))


def _of_all(hands: Hands, teams: Mapping[str, Collection[UUID]], told: Iterable[TeamLoad]) -> Room:
    """What everybody together can take on; nothing where those told would leave fewer than five of them."""
    ready = {team: hands.ready(members) for team, members in teams.items()}
    if not summable(ready, [one.team for one in told if one.capacity is not None]):
        return Room()
    return hands.room({one for members in teams.values() for one in members})


def _load(items: Sequence[Item], room: Room) -> Load:
    judged = room.judged
    open_promises = sum(one.promise for one in items)
    open_recoveries = len(items) - open_promises
    points = PER_RECOVERY * open_recoveries + PER_PROMISE * open_promises
    return Load(
        open_recoveries=open_recoveries,
        open_promises=open_promises,
        overdue_promises=sum(one.overdue for one in items),
        points=points,
        capacity=room.capacity,
        share=round(points / judged, DECIMALS) if judged else None,
        overloaded=None if judged is None else room.is_exceeded_by(points),
    )


# What is open.


def _items(source: Source, period: Period, here: Mapping[str, Collection[UUID]]) -> list[Item]:
    teams = {one: team for team, members in here.items() for one in members}
    of = recoveries.c
    still = or_(of.open, of.closed_at > period.as_of)
    cases = counted_cases(source, _ASKED, still, *period.of(of.opened_at))
    found = [Item(team=_team_of(case, teams), owner=case.owner) for case in cases.values()]
    return found + [
        Item(team=_team_of(case, teams), owner=case.owner, promise=True, overdue=due_at <= period.as_of)
        for case, due_at in _promised(source, period)
    ]


def _team_of(case: Any, teams: Mapping[UUID, str]) -> str | None:
    return case.team or teams.get(case.owner)


def _promised(source: Source, period: Period) -> Iterator[tuple[Any, datetime]]:
    """The recovery behind every promise of the period that was not kept by then, and when it is due."""
    waiting = _waiting(source, period)
    for some in some_at_a_time(iter(waiting)):
        cases = counted_cases(source, _ASKED, recoveries.c.stream_id.in_(some))
        for one in (promise for customer in some for promise in waiting[customer]):
            case = cases.get((one.stream_id, one.recovery_id))
            # Neither open nor closed is what is left of somebody who was forgotten: to him nobody can keep it.
            if case is not None and (case.open or case.phase == "closed"):
                yield case, one.due_at


def _waiting(source: Source, period: Period) -> dict[UUID, list[Any]]:
    """Every promise of the period that was not kept by then, by customer."""
    of = promises.c
    query = select(of.stream_id, of.recovery_id, of.commitment_id, of.due_at)
    made = source.conn.execute(query.where(*source.of(Promises, promises), *period.of(of.occurred_at)))
    kept = {(one.stream_id, one.commitment_id) for one in _until(source, promises_kept, period.as_of)}
    waiting: dict[UUID, list[Any]] = {}
    for one in made:
        if (one.stream_id, one.commitment_id) not in kept:
            waiting.setdefault(one.stream_id, []).append(one)
    return waiting


# Who is here.


def _hands(source: Source, as_of: datetime) -> Hands:
    points = {one.stream_id: one.points for one in _until(source, capacities, as_of)}
    last = {one.stream_id: one for one in _until(source, absences, as_of)}
    away = frozenset(one for one, said in last.items() if is_away(said, as_of))
    return Hands(points, away)


def is_away(said: Any, as_of: datetime) -> bool:
    """Whether this absence has begun and not ended by then."""
    return bool(said.begins <= as_of and (said.ends is None or as_of < said.ends))


def _until(source: Source, table: Table, as_of: datetime) -> Iterable[Any]:
    """The rows of this table until then, in the order in which they were recorded."""
    query = select(table).where(*source.of(Promises, table), table.c.occurred_at <= as_of)
    return source.conn.execute(query.order_by(table.c.position))
