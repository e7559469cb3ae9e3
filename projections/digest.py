"""Digest: what a team meeting talks about, out of the week's real cases. The same ledger gives the same agenda.

Here alone lost cases are told: without a name, to learn from. Who treated a customer badly is told nowhere.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from domain.lessons.lesson import LessonKind
from domain.lessons.telling import sentence, words
from domain.lessons.words import unnamed
from projections import obstacles
from projections.base import Row, Source
from projections.feed import Feed, FeedItem, feed_items, item_of, stories
from projections.lesson_rows import lessons
from projections.lessons import rows, state_of
from projections.obstacles import ObstacleBar, Obstacles, treatments
from projections.period import Period
from projections.recovery_rows import Recoveries, recoveries
from projections.worth import Worth, customer_moves

MOST: Final = 20
"""So many stories fill a meeting."""
HEAVIEST: Final = 5


class LostCase(BaseModel):
    """A customer who left: how we know (`basis`), and the recovery that he left over, where one is known.

    Its steps are left out where it was about how somebody treated him.
    """

    basis: str | None
    title: str
    text: str
    codes: dict[str, Any]
    steps: list[dict[str, Any]]


class ToldLesson(BaseModel):
    """A lesson in one line; the feed has the rest, but of a customer who was lost: of those the `text` is here."""

    id: UUID
    kind: LessonKind
    version: int
    title: str
    must_ack: bool
    text: str | None


class Digest(BaseModel):
    """The agenda of a meeting: what went well, who left, what stood in the way, what is new, what to look into.

    `stories_n` and `lost_n` count all; at most 20 of each are told, the last first. `obstacles` are the heaviest
    kinds of `obstacles_n`.
    """

    since: datetime
    until: datetime
    stories_n: int
    stories: list[FeedItem]
    lost_n: int
    lost: list[LostCase]
    obstacles_n: int
    obstacles: list[ObstacleBar]
    new_lessons: list[ToldLesson]
    to_reconfirm: list[ToldLesson]


def digest(source: Source, since: datetime, until: datetime, positions: tuple[int, int]) -> Digest:
    """What happened from `since` on and before `until`; the ledger's positions after and up to which that is."""
    told = stories(source, positions)
    period = Period(since, until, until)
    left = _lost(source, period)
    met = obstacles.report(source, period)
    return Digest(
        since=since,
        until=until,
        stories_n=len(told),
        stories=told[:MOST],
        lost_n=len(left),
        lost=left[:MOST],
        obstacles_n=met.n,
        obstacles=met.kind[:HEAVIEST],
        new_lessons=[
            _in_a_line(row) for row in _lessons(source, "published", until) if row["published_at"] >= since
        ],
        to_reconfirm=[_in_a_line(row) for row in _lessons(source, "to_reconfirm", until)],
    )


def _lessons(source: Source, state: str, until: datetime) -> list[dict[str, Any]]:
    """The lessons for more than one that stand so at the end, in the order in which they were published."""
    of = lessons.c
    told = rows(source, of.published > 0, of.only_for.is_(None), of.published_at < until, order=of.published_at)
    return [row for row in told if state_of(row, until) == state]


def _in_a_line(row: Row) -> ToldLesson:
    return ToldLesson(
        id=row["stream_id"],
        kind=row["kind"],
        version=row["published"],
        title=unnamed(row["told_title"]),
        must_ack=row["must_ack"],
        text=unnamed(row["told_text"]) if row["told"] is None else None,
    )


# Who left.


def _lost(source: Source, period: Period) -> list[LostCase]:
    """Those who left in this period, and recoveries that were closed as lost; the last first, each once."""
    left = [*_left(source, period), *_closed(source, period)]
    ordered = sorted(left, key=lambda one: (one[0], str(one[2])), reverse=True)
    about = [recovery_id for _, _, recovery_id in ordered if recovery_id is not None]
    known, personal = _stories(source, about), _about_treatment(source, about)
    seen: set[UUID] = set()
    cases = []
    for _, basis, recovery_id in ordered:
        if recovery_id in seen:
            continue
        seen |= {recovery_id} if recovery_id is not None else set()
        story = None if recovery_id is None else known.get(item_of(recovery_id))
        cases.append(_case(basis, story, personal=recovery_id in personal))
    return cases


def _about_treatment(source: Source, recovery_ids: Collection[UUID]) -> set[UUID]:
    """Those in which somebody was said to have treated the customer badly."""
    of = treatments.c
    query = select(of.recovery_id).where(*source.of(Obstacles, treatments), of.recovery_id.in_(recovery_ids))
    return set(source.conn.scalars(query)) if recovery_ids else set()


Left = tuple[datetime, str | None, UUID | None]


def _left(source: Source, period: Period) -> list[Left]:
    of = customer_moves.c
    query = select(of.occurred_at, of.basis, of.cause_recovery_id).where(
        *source.of(Worth, customer_moves), of.move == "lost", *period.of(of.occurred_at)
    )
    return [tuple(row) for row in source.conn.execute(query)]


def _closed(source: Source, period: Period) -> list[Left]:
    of = recoveries.c
    query = select(of.closed_at, of.recovery_id).where(
        *source.of(Recoveries, recoveries), of.outcome == "lost", *period.of(of.closed_at)
    )
    return [(row.closed_at, None, row.recovery_id) for row in source.conn.execute(query)]


def _stories(source: Source, recovery_ids: Iterable[UUID]) -> dict[UUID, Mapping[str, Any]]:
    wanted = [item_of(one) for one in recovery_ids]
    of = feed_items.c
    query = select(of.item_id, of.codes, of.steps).where(*source.of(Feed, feed_items), of.item_id.in_(wanted))
    return {row.item_id: row._asdict() for row in source.conn.execute(query)} if wanted else {}


def _case(basis: str | None, story: Mapping[str, Any] | None, *, personal: bool) -> LostCase:
    codes = {} if story is None else story["codes"]
    personal = personal or codes.get("what") == "treated_badly" or codes.get("failure_kind") == "interactional"
    steps = [] if story is None or personal else story["steps"]
    what = words(codes["what"]).capitalize() if codes else None
    return LostCase(
        basis=basis,
        title=f"{what}, and the customer left" if what else "A customer left",
        text="\n".join(sentence(one) for one in steps),
        codes=codes,
        steps=steps,
    )
