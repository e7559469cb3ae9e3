"""Feed: what everybody in the house can learn from, without a name: good recoveries and kind gestures.

A story holds codes and offsets ("+6 min") only: no person, no words, no date, no id of the customer's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final, Literal
from uuid import UUID, uuid5

from pydantic import BaseModel
from sqlalchemy import Boolean, Column, Text, Uuid, select

from domain.kinds import Fact
from domain.lessons.stories import step as told_step
from domain.lessons.telling import text, title
from domain.milestones import SatisfactionStated
from domain.moves.failure import FailureReassessed, FailureReported
from domain.moves.gesture import GestureMade
from domain.moves.outcome import RecoveryClosed
from domain.relationship import RelationshipEvent
from domain.values import Frozen
from projections.base import (
    Codes,
    Folded,
    Key,
    Projection,
    Row,
    Source,
    derived,
    index,
    position_column,
    projection_table,
    said,
)

WORTH_TELLING: Final = 3
"""From this severity on a recovery that was put right is told. Source: domain.md section 5 (D8)."""
CONTENT: Final = {"CSAT": 4, "CES": 6, "NPS": 8, "OUTCOME": 2}
"""From which answer on, by instrument, a customer counts as at least four fifths content."""
UNTOLD: Final = ("dissatisfied", "withdrawn", "lost", "duplicate", "entered_in_error")
"""Outcomes without a good end; lost customers reach the house in the weekly digest only."""
MOST_STEPS: Final = 60
_ITEMS: Final = UUID("5b0f2c7e-57a4-5d0c-9f3e-2f6f7d1c8a10")


@dataclass(frozen=True)
class Story(Frozen):
    """One recovery as it may be told; its steps stand beside it."""

    opened_at: datetime
    what: str
    failure_kind: str
    severity: int
    severity_customer: int | None = None
    failed_again: bool = False
    content: bool = False
    phase: Literal["open", "resolved", "closed"] = "open"
    outcome: str | None = None

    @property
    def told(self) -> bool:
        """Whether it is put right, worth telling, and no story of how somebody treated a customer."""
        if self.what == "treated_badly" or self.failure_kind == "interactional":
            return False
        urgency = max(self.severity, min(self.severity_customer or 0, 4))
        worth = urgency >= WORTH_TELLING or self.failed_again or self.content
        return worth and self.phase != "open" and self.outcome not in UNTOLD


feed_items = projection_table(
    "feed_items",
    Column("item_id", Uuid, nullable=False),
    *derived(
        position_column(),
        Column("told", Boolean, nullable=False),
        Column("codes", Codes, nullable=False),
        Column("outcome", Text),
    ),
    Column("kind", Text, nullable=False),
    Column("steps", Codes, nullable=False),
    Column("story", Folded(Story)),
    index("ix_feed_items_told", "position", of="told"),
    key=("item_id",),
)
"""One row per recovery and per gesture; `told` ones are the feed. `item_id` says nothing of what it stands for."""


class Feed(Projection):
    """Stories for the whole house."""

    name = "feed"
    version = 2
    tables = (feed_items,)
    loaded = (feed_items,)
    volatile: ClassVar[Mapping[str, tuple[str, ...]]] = {"feed_items": ("position", "steps")}

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """The story this fact belongs to, one step longer; a gesture is a story of its own."""
        event = fact.event
        if not isinstance(event, RelationshipEvent):
            return {}
        if isinstance(event, GestureMade):
            return _changed(event.gesture_id, fact, _gesture(event)) | self._continued(rows, fact)
        if isinstance(event, FailureReported):
            return _changed(event.recovery_id, fact, _told(_begun(event, fact), ()))
        return self._continued(rows, fact)

    def stored(self, key: Key, row: Row) -> Row:
        """What may be told of the story."""
        if row["kind"] != "recovery":
            return row
        story: Story = row["story"]
        return {
            **row,
            "told": story.told,
            "codes": {"what": story.what, "failure_kind": story.failure_kind, "severity": story.severity},
            "outcome": story.outcome,
        }

    def only_volatile(self, key: Key, before: Row, row: Row) -> Row | None:
        """The steps of a story of which everything else is told as before."""
        known, story = before["story"], row["story"]
        if story is None or (known is not story and known != story):
            return None
        return {"position": row["position"], "steps": row["steps"]}

    def _continued(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        recovery_id = said(fact.event, "recovery_id")
        if recovery_id is None:
            return {}
        row = rows.get(_key(item_of(recovery_id)))
        if row is None:
            return {}
        before, steps = row["story"], row["steps"]
        story = _turned(before, fact.event)
        step = told_step(fact, story.opened_at) if len(steps) < MOST_STEPS else None
        if step is not None:
            return _changed(recovery_id, fact, _told(story, (*steps, step)))
        return {} if story is before else _changed(recovery_id, fact, _told(story, steps))


@lru_cache(maxsize=10_000)
def item_of(object_id: UUID) -> UUID:
    """The id under which the story of this recovery or gesture is told: it leads back to nothing."""
    # Remembered: every event of a recovery asks for it anew.
    return uuid5(_ITEMS, object_id.hex)


def _key(item_id: UUID) -> Key:
    return "feed_items", item_id


def _told(story: Story, steps: Sequence[Mapping[str, Any]]) -> Row:
    return {"kind": "recovery", "story": story, "steps": steps}


def _changed(object_id: UUID, fact: Fact, row: Row) -> dict[Key, Row | None]:
    item_id = item_of(object_id)
    return {_key(item_id): {"item_id": item_id, "position": fact.position, **row}}


def _gesture(event: GestureMade) -> Row:
    codes = {name: getattr(event, name) for name in ("kind", "degree", "unasked", "avoided_contacts")}
    return {"kind": "gesture", "told": True, "codes": codes, "steps": (), "outcome": None, "story": None}


def _begun(event: FailureReported, fact: Fact) -> Story:
    return Story(
        opened_at=fact.occurred_at,
        what=event.what,
        failure_kind=event.failure_kind,
        severity=event.severity,
        severity_customer=event.severity_customer,
    )


_TURNS: Final = frozenset(
    ("failure.reassessed", "satisfaction.stated", "recovery.resolved", "recovery.reopened", "recovery.closed")
    + ("remedy.failed",)
)


def _turned(story: Story, event: Any) -> Story:
    """The story after what this event means for whether it is told."""
    if event.TOPIC not in _TURNS:
        return story
    if isinstance(event, FailureReassessed):
        return _reassessed(story, event)
    if isinstance(event, SatisfactionStated) and event.value is not None:
        return story.but(content=event.value >= CONTENT.get(event.instrument, event.value + 1))
    match event.TOPIC:
        case "recovery.resolved":
            return story.but(phase="resolved")
        case "recovery.reopened":
            again = story.failed_again or event.cause not in ("dissatisfied", "treatment")
            return story.but(phase="open", outcome=None, failed_again=again)
        case "remedy.failed" if story.phase == "open":
            return story.but(failed_again=True)
    if isinstance(event, RecoveryClosed):
        return story.but(phase="closed", outcome=event.outcome)
    return story


def _reassessed(story: Story, event: FailureReassessed) -> Story:
    if event.field in ("severity", "severity_customer"):
        return story.but(**{event.field: int(event.to)})
    return story.but(failure_kind=str(event.to)) if event.field == "failure_kind" else story


class FeedItem(BaseModel):
    """One story: what it is about in codes, its steps with offsets, how it ended, and all of it in words."""

    id: UUID
    position: int
    kind: Literal["recovery", "gesture"]
    title: str
    text: str
    codes: dict[str, Any]
    steps: list[dict[str, Any]]
    outcome: str | None


class FeedPage(BaseModel):
    """Stories by when they last changed; `next` is the `after` (or the `before`) of the following page."""

    items: list[FeedItem]
    next: int | None


def page(source: Source, after: int | None = None, before: int | None = None, limit: int = 50) -> FeedPage:
    """The stories that changed last, the newest first; those before a position when `before` is given.

    With `after`, for who follows the feed: those that changed since, in order. One that goes on comes again,
    under the same id.
    """
    table, position = feed_items, feed_items.c.position
    shown = select(table.c.item_id, position, table.c.kind, table.c.codes, table.c.steps, table.c.outcome)
    found = shown.where(*source.of(Feed, table), table.c.told)
    if after is not None:
        found = found.where(position > after).order_by(position, table.c.item_id)
    else:
        found = found.order_by(position.desc(), table.c.item_id)
        found = found if before is None else found.where(position < before)
    # A gesture that belongs to a recovery changes two stories at one position: both must be on one page.
    rows = source.conn.execute(found.limit(limit + 2)).all()
    size = limit + (len(rows) > limit and rows[limit].position == rows[limit - 1].position)
    items = [_read(row._asdict()) for row in rows[:size]]
    return FeedPage(items=items, next=items[-1].position if len(rows) > size else None)


def stories(source: Source, positions: tuple[int, int]) -> list[FeedItem]:
    """The stories that last changed after one position and up to another, the last first."""
    table, position = feed_items, feed_items.c.position
    after, upto = positions
    query = select(table.c.item_id, position, table.c.kind, table.c.codes, table.c.steps, table.c.outcome)
    query = query.where(*source.of(Feed, table), table.c.told, position > after, position <= upto)
    rows = source.conn.execute(query.order_by(position.desc(), table.c.item_id))
    return [_read(row._asdict()) for row in rows]


def _read(row: Row) -> FeedItem:
    kind, codes, steps = row["kind"], row["codes"], row["steps"]
    return FeedItem(
        id=row["item_id"],
        position=row["position"],
        kind=kind,
        title=title(kind, codes, steps, row["outcome"]),
        text=text(kind, codes, steps),
        codes=codes,
        steps=steps,
        outcome=row["outcome"],
    )
