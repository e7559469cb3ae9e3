"""Readers: for whom a lesson is meant, as colleagues stand now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from domain.lessons.lesson import Audience
from projections.base import Source
from projections.training_rows import Training, colleague_posts


@dataclass(frozen=True)
class Reader:
    """Somebody who looks at the feed: a colleague, or whoever has this role, team and role class."""

    colleague_id: UUID | None = None
    role_class: str | None = None
    team: str | None = None
    role: str | None = None

    def belongs_to(self, audience: Audience) -> bool:
        """Whether something for this audience is for him."""
        return audience.holds(self.colleague_id, self.role_class, self.team, self.role)


def staff(source: Source, as_of: datetime) -> dict[UUID, Reader]:
    """Everybody who works here then, as he stood then."""
    return _standing(source, colleague_posts.c.occurred_at <= as_of)


def reader_of(source: Source, colleague_id: UUID, as_of: datetime) -> Reader:
    """One colleague as he stood then; one who is not here has no team and no role."""
    of = colleague_posts.c
    found = _standing(source, of.stream_id == colleague_id, of.occurred_at <= as_of)
    return found.get(colleague_id, Reader(colleague_id))


def _standing(source: Source, *conditions: ColumnElement[bool]) -> dict[UUID, Reader]:
    of = colleague_posts.c
    query = select(of.stream_id, of.here, of.role, of.role_class, of.team)
    rows = source.conn.execute(
        query.where(*source.of(Training, colleague_posts), *conditions).order_by(of.position)
    )
    return dict(_folded(rows))


def _folded(rows: Iterable[Any]) -> Mapping[UUID, Reader]:
    found: dict[UUID, Reader] = {}
    for row in rows:
        if not row.here:
            found.pop(row.stream_id, None)
            continue
        before = found.get(row.stream_id, Reader(row.stream_id))
        # Of a change only what changed is told.
        found[row.stream_id] = Reader(
            row.stream_id,
            role_class=row.role_class or before.role_class,
            team=row.team or before.team,
            role=row.role or before.role,
        )
    return found
