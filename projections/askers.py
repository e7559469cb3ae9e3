"""Askers: whose team somebody was on when something was recorded, and who speaks for a team or keeps a rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from domain.duties.signs import Sign
from projections.base import Source
from projections.staff import Staff
from projections.training_rows import Training, colleague_posts, recovery_teams

LEADING: Final = "manager"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who was here then, and since which position."""

    stream_id: UUID
    since: int
    team: str | None
    role: str | None
    role_class: str | None

    @property
    def order(self) -> tuple[bool, int]:
        """Those who lead come first, then those who are here longest."""
        return self.role_class != LEADING, self.since


def team_of(source: Source, sign: Sign) -> str | None:
    """The team that whoever told of it was on, as the report on training counts it; else the one of the case."""
    of = colleague_posts.c
    columns = (of.stream_id, of.position, of.here, of.team, of.role_class)
    query = select(*columns).where(*source.of(Training, colleague_posts), of.stream_id == sign.told_by)
    staff = Staff(source.conn.execute(query.order_by(of.position)))
    return staff.team_at(sign.told_by, sign.position) or _team_of_case(source, sign)


def _team_of_case(source: Source, sign: Sign) -> str | None:
    of = recovery_teams.c
    query = select(of.team).where(*source.of(Training, recovery_teams), of.stream_id == sign.stream_id)
    query = query.where(of.recovery_id == sign.recovery_id, of.position < sign.position)
    found: str | None = source.conn.execute(query.order_by(of.position.desc()).limit(1)).scalar()
    return found


def asker_of(source: Source, sign: Sign, team: str) -> UUID | None:
    """Who asks for this team: its manager, else whoever told of it, if he is here; None where nobody is."""
    here = _here_at(source, sign.position)
    leading = [one for one in here if one.team == team and one.role_class == LEADING]
    if leading:
        return min(leading, key=lambda one: one.order).stream_id
    return sign.told_by if any(one.stream_id == sign.told_by for one in here) else None


def owner_of(source: Source, owner: str, position: int) -> UUID | None:
    """Who keeps what this team, role or role class owns: one who leads, if any; None where nobody is known."""
    keeping = [one for one in _here_at(source, position) if owner in (one.team, one.role, one.role_class)]
    return min(keeping, key=lambda one: one.order).stream_id if keeping else None


def _here_at(source: Source, position: int) -> Iterable[Colleague]:
    """Everybody who was here when that was recorded."""
    of = colleague_posts.c
    columns = (of.stream_id, of.position, of.here, of.team, of.role, of.role_class)
    query = select(*columns).where(*source.of(Training, colleague_posts), of.position <= position)
    found: dict[UUID, Colleague] = {}
    for row in source.conn.execute(query.order_by(of.position)):
        before = found.pop(row.stream_id, None)
        if not row.here:
            continue
        # Of a change only what changed is told.
        found[row.stream_id] = Colleague(
            row.stream_id,
            before.since if before else row.position,
            row.team or (before.team if before else None),
            row.role or (before.role if before else None),
            row.role_class or (before.role_class if before else None),
        )
    return found.values()
