"""Overload: whether a team has more to do than it can take on, once one more promise is made in its name.

Asked while somebody waits for the answer to that promise, so it is one statement about one team. What it counts
stands each in a question of its own, found by key or by index: a join may be read whole where PostgreSQL knows
nothing of its tables yet.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, Table, bindparam, func, or_, select

from domain.rates import hidden
from projections.base import Numbered, Projection, Source, within
from projections.checklist import VOID
from projections.promises import Promises, absences, capacities, promises, promises_kept
from projections.recovery_rows import Recoveries, recoveries
from projections.training_rows import Training, colleague_posts
from projections.workload import PER_PROMISE, PER_RECOVERY, Hands, is_away

Where = tuple[ColumnElement[bool], ...]
Inside = Callable[[type[Projection], FromClause], Where]
"""The conditions that keep a query inside one ledger and the generation to be read."""


def overloaded(source: Source, customer_id: UUID, recovery_id: UUID, position: int, as_of: datetime) -> str | None:
    """The team of this recovery, where the promise at this position makes more than it can take on.

    None where it does not, and where nobody may tell: of fewer than 5 colleagues, and before all of them have said
    how much they can take on. Of the other promises those count whose recovery is open.
    """
    asked = {"customer": customer_id, "recovery": recovery_id, "but": position}
    rows = source.conn.execute(_asked(source.ledger, source.generation), asked).all()
    crew = [row for row in rows if row.here and row.last_team == row.team]
    if hidden(len(crew)):
        return None
    points = {row.stream_id: row.points for row in crew if row.points is not None}
    away = frozenset(row.stream_id for row in crew if row.begins is not None and is_away(row, as_of))
    room = Hands(points, away).room([row.stream_id for row in crew])
    exceeded = room.is_exceeded_by(crew[0].points_of_others + PER_PROMISE)
    return str(crew[0].team) if exceeded else None


def team_of(source: Source, customer_id: UUID, recovery_id: UUID) -> str | None:
    """The team that this recovery was given to, else its owner's; None where nobody knows."""
    asked = {"customer": customer_id, "recovery": recovery_id}
    found: str | None = source.conn.execute(_whose(source.ledger, source.generation), asked).scalar()
    return found


@lru_cache(maxsize=16)
def _whose(ledger: str, generation: Numbered) -> Select[Any]:
    return select(_team(partial(within, ledger, generation)))


@lru_cache(maxsize=16)
def _asked(ledger: str, generation: Numbered) -> Select[Any]:
    """A row for everybody who ever was of the team, beside what the whole team has to do.

    Made once for all promises: putting it together takes longer than answering it.
    """
    inside: Inside = partial(within, ledger, generation)
    team, post = _team(inside), colleague_posts.alias()
    was = select(post.c.stream_id).where(*inside(Training, post), post.c.team == team).distinct().subquery()
    said = {label: _last(inside, *where, was.c.stream_id) for label, where in _SAID.items()}
    by_name, by_owner = _points(inside, (_CASE.c.team == team,)), _points(inside, _of_owners(inside, team))
    named = {"team": team, **said, "points_of_others": by_name + by_owner}
    return select(was.c.stream_id, *(one.label(label) for label, one in named.items()))


_SAID: Final[dict[str, tuple[type[Projection], Table, str]]] = {
    "here": (Training, colleague_posts, "here"),
    "last_team": (Training, colleague_posts, "team"),
    "points": (Promises, capacities, "points"),
    "begins": (Promises, absences, "begins"),
    "ends": (Promises, absences, "ends"),
}
"""What is said of a colleague, and in which column of which read model."""


def _last(
    inside: Inside, projection: type[Projection], table: Table, name: str, colleague: ColumnElement[Any]
) -> ScalarSelect[Any]:
    """What this column says of this colleague in the row that was recorded last."""
    of = table.alias()
    # Of a change of his post only what changed is told: without a team, he stays in the one he had.
    told = (of.c.team.is_not(None),) if name == "team" else ()
    found = select(of.c[name]).where(*inside(projection, of), of.c.stream_id == colleague, *told)
    return found.order_by(of.c.position.desc()).limit(1).scalar_subquery()


def _team(inside: Inside) -> ScalarSelect[Any]:
    """The team that the recovery was given to, else its owner's."""
    case = recoveries.alias()
    this = (case.c.stream_id == bindparam("customer"), case.c.recovery_id == bindparam("recovery"))
    owners = _last(inside, *_SAID["last_team"], case.c.owner)
    return select(func.coalesce(case.c.team, owners)).where(*inside(Recoveries, case), *this).scalar_subquery()


# What the team has to do: of the recoveries given to it by name, and of those given to one of it alone.

_CASE: Final = recoveries.alias("open_case")


def _of_owners(inside: Inside, team: ScalarSelect[Any]) -> Where:
    where, here = (_last(inside, *_SAID[label], _CASE.c.owner) for label in ("last_team", "here"))
    return _CASE.c.team.is_(None), where == team, here


def _points(inside: Inside, of: Where) -> ScalarSelect[Any]:
    """How many points these recoveries take with what was promised in them, but for the promise asked about."""
    points = PER_RECOVERY + PER_PROMISE * _promises(inside)
    total = func.coalesce(func.sum(points), 0)
    return select(total).where(*_counted(inside, of)).select_from(_CASE).scalar_subquery()


def _promises(inside: Inside) -> ScalarSelect[Any]:
    made, kept = promises.alias(), promises_kept.alias()
    keeping = (kept.c.stream_id == made.c.stream_id, kept.c.commitment_id == made.c.commitment_id)
    unkept = ~select(kept.c.position).where(*inside(Promises, kept), *keeping).exists()
    its = (made.c.stream_id == _CASE.c.stream_id, made.c.recovery_id == _CASE.c.recovery_id)
    others = (*inside(Promises, made), *its, made.c.position != bindparam("but"), unkept)
    return select(func.count()).where(*others).select_from(made).scalar_subquery()


def _counted(inside: Inside, of: Where) -> Where:
    outcome = _CASE.c.outcome
    return *inside(Recoveries, _CASE), _CASE.c.open, or_(outcome.is_(None), outcome.not_in(VOID)), *of
