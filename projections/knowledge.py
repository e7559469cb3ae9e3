"""Knowledge: what the house is told, lessons and stories of good recoveries together, and what of it is unread."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from domain.lessons.lesson import Audience, LessonKind
from projections import feed
from projections.base import Row, Source
from projections.feed import FeedItem
from projections.lesson_rows import Receipts, lessons, naming_consents
from projections.lessons import receipts_of, told_to
from projections.readers import Reader


class LessonItem(BaseModel):
    """A lesson as it is told. `read` and `acknowledged` are the reader's own; None where nobody is named."""

    id: UUID
    position: int
    kind: LessonKind
    version: int
    title: str
    text: str
    topic: str | None
    audience: Audience
    must_ack: bool
    published_at: datetime
    expires_at: datetime
    recognises: UUID | None
    read: bool | None = None
    acknowledged: bool | None = None


class KnowledgePage(BaseModel):
    """Lessons and stories by when they last changed; `next` is the cursor of the following page."""

    items: list[LessonItem | FeedItem]
    next: int | None


class Unread(BaseModel):
    """How much of what a colleague is told he has not read, and not acknowledged though he must."""

    unread: int
    to_acknowledge: int


def page(
    source: Source,
    reader: Reader,
    as_of: datetime,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> KnowledgePage:
    """What is told to this reader, the newest first; cursors as in `feed.page`."""
    stories = feed.page(source, after, before, limit)
    told = _items(source, reader, as_of, after, before)
    items: Sequence[LessonItem | FeedItem] = [*stories.items, *told]
    ordered = sorted(items, key=lambda one: (one.position if after is not None else -one.position, str(one.id)))
    more = stories.next is not None
    if len(ordered) > limit:
        # What one event changed belongs on one page.
        last = ordered[limit - 1].position
        size = limit + len(list(takewhile(lambda one: one.position == last, ordered[limit:])))
        ordered, more = ordered[:size], more or len(ordered) > size
    return KnowledgePage(items=ordered, next=ordered[-1].position if more else None)


def _items(
    source: Source, reader: Reader, as_of: datetime, after: int | None, before: int | None
) -> list[LessonItem]:
    position = lessons.c.told
    wanted = [position > after] if after is not None else [] if before is None else [position < before]
    receipts = None if reader.colleague_id is None else receipts_of(source, reader.colleague_id)
    return [_item(row, receipts) for row in told_to(source, reader, as_of, *wanted)]


def _item(row: Row, receipts: Mapping[tuple[UUID, int], bool] | None) -> LessonItem:
    mine: dict[str, Any] = {}
    if receipts is not None:
        receipt = receipts.get((row["stream_id"], row["published"]))
        mine = {"read": receipt is not None, "acknowledged": bool(receipt)}
    same = ("kind", "topic", "audience", "must_ack", "published_at", "expires_at", "recognises")
    return LessonItem.model_validate(
        {
            "id": row["stream_id"],
            "position": row["told"],
            "version": row["published"],
            "title": row["told_title"],
            "text": row["told_text"],
            **{name: row[name] for name in same},
            **mine,
        }
    )


def unread(source: Source, reader: Reader, as_of: datetime) -> Unread:
    """How much of all that is told to him a colleague has not read, and not acknowledged though he must."""
    told = _items(source, reader, as_of, None, None)
    return Unread(
        unread=sum(not one.read for one in told),
        to_acknowledge=sum(one.must_ack and not one.acknowledged for one in told),
    )


def consents(source: Source, colleagues: Sequence[UUID]) -> dict[UUID, int]:
    """Where those of these colleagues said so who may be named: there stands the name."""
    of = naming_consents.c
    query = select(of.stream_id, of.position).where(
        *source.of(Receipts, naming_consents), of.stream_id.in_(colleagues), of.given.is_(True)
    )
    return {row.stream_id: row.position for row in source.conn.execute(query)} if colleagues else {}
