"""Training as it is kept: where it is missing, which help colleagues ask for, who was trained in what.

A team is the one of whoever met the obstacle, as he stood then; where he never joined, the one that had the case.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, Column, Text, Uuid, select

from domain.kinds import Fact
from projections.base import Instant, Key, Projection, Row, Source, index, position_column, projection_table, said

training_gaps = projection_table(
    "training_gaps",
    position_column(),
    Column("recovery_id", Uuid),
    Column("met_by", Uuid),
    Column("topic", Text),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per obstacle of missing training. `met_by` is the stream of the colleague who told of it."""

recovery_teams = projection_table(
    "recovery_teams",
    position_column(),
    Column("recovery_id", Uuid, nullable=False),
    Column("team", Text, nullable=False),
    key=("position",),
)
"""One row each time that a recovery went to a team."""

colleague_posts = projection_table(
    "colleague_posts",
    position_column(),
    Column("here", Boolean, nullable=False),
    Column("role", Text),
    Column("role_class", Text),
    Column("team", Text),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row each time that a colleague joined, changed or left; of a change only what changed."""

trainings = projection_table(
    "trainings",
    position_column(),
    Column("topic", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per training of a colleague."""

help_requests = projection_table(
    "help_requests",
    position_column(),
    Column("help_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("topic_class", Text),
    Column("asked_by", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per request for help. `asked_by`: the colleague himself, or what stood in his way."""

help_moves = projection_table(
    "help_moves",
    position_column(),
    Column("help_id", Uuid, nullable=False),
    Column("move", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row for what became of a request: planned, refused, or escalated because nobody had answered."""

help_clocks = projection_table(
    "help_clocks",
    Column("help_id", Uuid, nullable=False),
    Column("due_at", Instant),
    index("ix_help_clocks_due_at", "due_at", of="due_at IS NOT NULL"),
    key=("help_id",),
)
"""One row per request whose answer is still awaited and due some time, for the sweeper."""

POSTS: Final = {"colleague.joined": True, "role.changed": True, "colleague.left": False}
MOVES: Final = frozenset(("help.answered", "help.escalated"))
TEAM_MOVES: Final = frozenset(("recovery.assigned", "recovery.handed_off"))


class Training(Projection):
    """Training that is missing, asked for and completed."""

    name = "training"
    version = 1
    topics = frozenset((*POSTS, *MOVES, *TEAM_MOVES, "obstacle.encountered", "training.completed", "help.asked"))
    tables = (
        training_gaps,
        recovery_teams,
        colleague_posts,
        trainings,
        help_requests,
        help_moves,
        help_clocks,
    )
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a gap, a team, a post, a training, or a step in a request for help."""
        made = _MADE.get(fact.event.TOPIC)
        return {} if made is None else made(fact.event, fact)


def _gap(event: Any, fact: Fact) -> dict[Key, Row | None]:
    if event.kind != "no_training":
        return {}
    about = {"recovery_id": event.recovery_id, "met_by": fact.actor.colleague_id, "topic": event.topic}
    return _row("training_gaps", fact, about)


def _team(event: Any, fact: Fact) -> dict[Key, Row | None]:
    if event.team is None:
        return {}
    row = {"position": fact.position, "recovery_id": event.recovery_id, "team": event.team}
    return {("recovery_teams", fact.position): row}


def _post(event: Any, fact: Fact) -> dict[Key, Row | None]:
    about = {name: said(event, name) for name in ("role", "role_class", "team")}
    return _row("colleague_posts", fact, {"here": POSTS[event.TOPIC], **about})


def _trained(event: Any, fact: Fact) -> dict[Key, Row | None]:
    return _row("trainings", fact, {"topic": event.topic, "format": event.format})


def _asked(event: Any, fact: Fact) -> dict[Key, Row | None]:
    about = {
        "help_id": event.help_id,
        "kind": event.kind,
        "topic": event.topic,
        "topic_class": event.class_,
        "asked_by": event.from_,
    }
    asked = _row("help_requests", fact, about)
    if event.due_at is None or event.due_at <= fact.recorded_at:
        return asked
    return asked | {("help_clocks", event.help_id): {"help_id": event.help_id, "due_at": event.due_at}}


def _moved(event: Any, fact: Fact) -> dict[Key, Row | None]:
    move = "escalated" if event.TOPIC == "help.escalated" else "refused" if event.refused else "planned"
    changes = _row("help_moves", fact, {"help_id": event.help_id, "move": move})
    return changes | {("help_clocks", event.help_id): None}


def _row(table: str, fact: Fact, about: Row) -> dict[Key, Row | None]:
    return {(table, fact.position): {"position": fact.position, "occurred_at": fact.occurred_at, **about}}


_MADE: Final = {
    "obstacle.encountered": _gap,
    **dict.fromkeys(TEAM_MOVES, _team),
    **dict.fromkeys(POSTS, _post),
    "training.completed": _trained,
    "help.asked": _asked,
    **dict.fromkeys(MOVES, _moved),
}


def due_streams(source: Source, now: datetime, limit: int) -> list[UUID]:
    """The colleagues whose request for help should have been answered by now, the longest overdue first."""
    of = help_clocks.c
    query = (
        select(of.stream_id)
        .where(*source.of(Training, help_clocks), of.due_at.is_not(None), of.due_at <= now)
        .order_by(of.due_at, of.stream_id)
        .limit(limit)
    )
    return list(dict.fromkeys(source.conn.execute(query).scalars()))
