"""Lessons: how far each has come, whom it is for, and how much of the house has read and acknowledged it.

Nobody is named: figures about fewer than five colleagues are hidden.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, or_, select

from domain.lessons.lesson import Audience, LessonKind
from domain.loyalty import shown
from domain.rates import Rate, hidden, rate
from projections.base import Row, Source
from projections.lesson_rows import Lessons, Receipts, lesson_receipts, lessons
from projections.readers import Reader, staff
from projections.recovery_rows import Recoveries, recoveries

State = Literal["draft", "approved", "published", "to_reconfirm", "retired"]
CLASSES: Final = ("front", "back", "manager", "partner", "system")


class LessonView(BaseModel):
    """One lesson: its newest wording (`edition`), and which version is told, to whom and until when.

    `state` is `published` while a version is told, whatever waits behind it: where `edition` is above `published`,
    a new wording waits for approval or publication. With `digest_only` it is told in the weekly digest, not in the
    feed: it is learned from a customer who was lost. `to_reconfirm`: it has expired, and somebody should look
    whether it holds still.
    """

    model_config = ConfigDict(from_attributes=True)

    lesson_id: UUID
    position: int
    state: State
    kind: LessonKind
    topic: str | None
    title: str
    text: str
    edition: int
    approved: int
    published: int
    drafted_at: datetime
    published_at: datetime | None
    expires_at: datetime | None
    must_ack: bool
    digest_only: bool
    audience: Audience
    recognises: UUID | None
    customer_id: UUID | None
    recovery_id: UUID | None


class ClassCoverage(BaseModel):
    """How many of the colleagues of a role class whom it is for have read this version, and acknowledged it."""

    role_class: str
    read: Rate
    acknowledged: Rate


class Coverage(BaseModel):
    """How far a lesson has reached those who work here and whom it is for. `version` is the one that is told.

    Role classes of fewer than 5 colleagues are hidden, and so is what would tell of them by taking others from the
    sum; the sum is None where it is about fewer than 5.
    """

    version: int
    as_of: datetime
    colleagues: int | None
    unread: int | None
    read: Rate | None
    acknowledged: Rate | None
    by_class: list[ClassCoverage]
    hidden_classes: int


class LessonDetail(LessonView):
    """One lesson with how far it has reached; `coverage` is None until a version is told."""

    coverage: Coverage | None


class LessonPage(BaseModel):
    """Lessons in the order in which they were drafted; `next` is the `after` of the following page."""

    data: list[LessonView]
    next: int | None


def listed(
    source: Source,
    as_of: datetime,
    *,
    state: State | None = None,
    kind: LessonKind | None = None,
    private: bool = False,
    after: int = 0,
    limit: int = 50,
) -> LessonPage:
    """The lessons of this state and kind; those for one colleague alone only where `private`."""
    of = lessons.c
    wanted = [
        of.drafted > after,
        *([of.kind == kind] if kind else []),
        *([] if private else [of.only_for.is_(None)]),
    ]
    # The state is a matter of the moment: read in order, and cut once there are enough.
    found = (
        view
        for row in rows(source, *wanted, order=of.drafted)
        if (view := _view(row, as_of)).state == (state or view.state)
    )
    page = [view for _, view in zip(range(limit + 1), found, strict=False)]
    return LessonPage(data=page[:limit], next=page[limit - 1].position if len(page) > limit else None)


def found(source: Source, lesson_id: UUID, as_of: datetime, *, private: bool = False) -> LessonDetail | None:
    """One lesson; None where there is none, and for one colleague's own where not `private`."""
    for row in rows(source, lessons.c.stream_id == lesson_id):
        if private or row["only_for"] is None:
            view, told = _view(row, as_of), coverage(source, row, as_of) if row["published"] else None
            return LessonDetail.model_validate({**view.model_dump(), "coverage": told})
    return None


def rows(source: Source, *conditions: ColumnElement[bool], order: Any = lessons.c.drafted) -> list[dict[str, Any]]:
    """The lessons as they are kept that meet these conditions."""
    query = select(lessons).where(*source.of(Lessons, lessons), *conditions).order_by(order)
    return [dict(row._mapping) for row in source.conn.execute(query)]


def state_of(row: Row, as_of: datetime) -> State:
    """How far this lesson has come at a moment."""
    if row["retired"]:
        return "retired"
    if row["published"]:
        return "published" if row["expires_at"] > as_of else "to_reconfirm"
    return "approved" if row["approved"] == row["edition"] else "draft"


def _view(row: Row, as_of: datetime) -> LessonView:
    named = {"lesson_id": row["stream_id"], "position": row["drafted"], "state": state_of(row, as_of)}
    digest_only = bool(row["published"]) and row["told"] is None
    return LessonView.model_validate({**row, **named, "digest_only": digest_only})


# How far it has reached.


def coverage(source: Source, row: Row, as_of: datetime) -> Coverage:
    """Who of those whom this lesson is for has read and acknowledged the version that is told."""
    audience = Audience.model_validate(row["audience"])
    meant = [one for one in staff(source, as_of).values() if one.belongs_to(audience)]
    read, acknowledged = _receipts(source, row, as_of)
    cells = {name: {one.colleague_id for one in meant if one.role_class == name} for name in CLASSES}
    cells = {name: some for name, some in cells.items() if some}
    kept = set(shown(cells))
    everybody = {one.colleague_id for one in meant}
    told = not hidden(len(everybody))
    return Coverage(
        version=row["published"],
        as_of=as_of,
        colleagues=len(everybody) if told else None,
        unread=len(everybody - read) if told else None,
        read=_share(everybody, read) if told else None,
        acknowledged=_share(everybody, acknowledged) if told else None,
        by_class=[
            ClassCoverage(role_class=name, read=_share(some, read), acknowledged=_share(some, acknowledged))
            for name, some in cells.items()
            if name in kept
        ],
        hidden_classes=len(cells) - len(kept),
    )


def _share(of: Collection[UUID | None], those: Collection[UUID | None]) -> Rate:
    return rate(len({*of} & {*those}), len(of))


def _receipts(source: Source, row: Row, as_of: datetime) -> tuple[set[UUID | None], set[UUID | None]]:
    of = lesson_receipts.c
    query = select(of.stream_id, of.acknowledged).where(
        *source.of(Receipts, lesson_receipts),
        of.lesson_id == row["stream_id"],
        of.version == row["published"],
        of.occurred_at <= as_of,
    )
    given = source.conn.execute(query).all()
    return {one.stream_id for one in given}, {one.stream_id for one in given if one.acknowledged}


def receipts_of(source: Source, colleague_id: UUID) -> dict[tuple[UUID, int], bool]:
    """What a colleague read, by lesson and version, and whether he acknowledged it."""
    of = lesson_receipts.c
    query = select(of.lesson_id, of.version, of.acknowledged).where(
        *source.of(Receipts, lesson_receipts), of.stream_id == colleague_id
    )
    # In the order of positions: who has acknowledged once has acknowledged.
    found: dict[tuple[UUID, int], bool] = {}
    for row in source.conn.execute(query.order_by(of.position)):
        key = row.lesson_id, row.version
        found[key] = found.get(key, False) or row.acknowledged
    return found


def told_to(source: Source, reader: Reader, as_of: datetime, *conditions: ColumnElement[bool]) -> list[Row]:
    """The lessons that are told to this reader at a moment, in the order in which they were last published.

    What was learned from a customer who is lost by now is told in the digest alone.
    """
    of, case = lessons.c, recoveries.c
    gone = (case.stream_id == of.customer_id, or_(case.lost, case.outcome == "lost"))
    lost = select(case.recovery_id).where(*source.of(Recoveries, recoveries), *gone)
    still_ours = or_(of.recovery_id.is_(None), of.recovery_id.not_in(lost))
    wanted = (of.told.is_not(None), of.retired.is_(False), of.expires_at > as_of, still_ours, *conditions)
    told = rows(source, *wanted, order=of.told)
    return [row for row in told if reader.belongs_to(Audience.model_validate(row["audience"]))]
