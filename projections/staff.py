"""Staff: who is here, in which team and role class, now and whenever something was recorded."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from projections.base import Source
from projections.training_rows import Training, colleague_posts


@dataclass(frozen=True)
class Post:
    """What a colleague was from a position on."""

    position: int
    here: bool
    team: str | None
    role_class: str | None


class Staff:
    """Colleagues by stream, with every post they had."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._posts: dict[UUID, list[Post]] = {}
        for row in rows:
            posts = self._posts.setdefault(row.stream_id, [])
            before = posts[-1] if posts else Post(0, False, None, None)
            # Of a change only what changed is told.
            team, role_class = row.team or before.team, row.role_class or before.role_class
            posts.append(Post(row.position, row.here, team, role_class))

    def team_at(self, colleague_id: UUID | None, position: int) -> str | None:
        """The team he was on when that was recorded; None for one who was not here."""
        posts = [] if colleague_id is None else self._posts.get(colleague_id, [])
        before = bisect_right([post.position for post in posts], position)
        return posts[before - 1].team if before and posts[before - 1].here else None

    def teams(self) -> dict[str, set[UUID]]:
        """Everybody here, by team."""
        return self._by("team")

    def classes(self) -> dict[str, set[UUID]]:
        """Everybody here, by role class."""
        return self._by("role_class")

    def _by(self, name: str) -> dict[str, set[UUID]]:
        found: dict[str, set[UUID]] = {}
        for colleague_id, posts in self._posts.items():
            if posts[-1].here:
                found.setdefault(getattr(posts[-1], name), set()).add(colleague_id)
        return found


def read_staff(source: Source, as_of: datetime) -> Staff:
    """Everybody who had joined by then."""
    of = colleague_posts.c
    columns = (of.stream_id, of.position, of.here, of.team, of.role_class)
    query = select(*columns).where(*source.of(Training, colleague_posts), of.occurred_at <= as_of)
    return Staff(source.conn.execute(query.order_by(of.position)))
