"""Telling: what is put into a feed, whatever its form: who looks, who may be named, when it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel

from api.auth import Credential, missing_scope
from api.deps import Services, reading, services_of
from api.problems import validation_failed
from api.reads import Page, position_of
from domain.lessons.words import NAME, UNNAMED
from domain.values import CallerRef, Code
from domain.vocabulary import RoleClass
from projections import knowledge
from projections.base import Source
from projections.feed import FeedItem
from projections.knowledge import KnowledgePage, LessonItem, Unread
from projections.readers import Reader, reader_of

Item = LessonItem | FeedItem


class Looking(BaseModel):
    """Who looks: a colleague, by your own id; anybody of a role class, team or role; or, without any, everyone."""

    colleague: Annotated[
        CallerRef | None,
        Query(description="what he is told, and what of it is unread (scope `act_for` or `admin`)"),
    ] = None
    role_class: Annotated[RoleClass | None, Query(description="what a role class is told")] = None
    team: Annotated[Code | None, Query(description="what a team is told")] = None
    role: Annotated[Code | None, Query(description="what a role is told")] = None


@dataclass(frozen=True)
class Told:
    """A page of what is told, ready to be put into any form."""

    page: KnowledgePage
    names: Mapping[UUID, str]
    unread: Unread | None
    position: int

    def words(self, item: Item) -> tuple[str, str]:
        """The title and the text of an item, with the name of whom it recognises while he agrees to be named."""
        if isinstance(item, FeedItem):
            return item.title, item.text or item.title
        name = self.names.get(item.recognises, UNNAMED) if item.recognises else UNNAMED
        return item.title.replace(NAME, name), item.text.replace(NAME, name)


def told(request: Request, caller: Credential, looking: Looking, page: Page) -> Told:
    """What is told to whoever looks: the part of it that is asked for."""
    services, now = services_of(request), services_of(request).clock()
    _refuse_strangers(caller, looking)
    before = request.query_params.get("before")
    with reading(services) as view:
        reader = _reader(services, view.source, looking, now)
        found = knowledge.page(
            view.source,
            reader,
            now,
            after=None if page.after is None else page.position,
            before=None if before is None else position_of("before", before),
            limit=page.limit,
        )
        unread = None if reader.colleague_id is None else knowledge.unread(view.source, reader, now)
        recognised = [one.recognises for one in found.items if isinstance(one, LessonItem) and one.recognises]
        said_so = knowledge.consents(view.source, recognised)
    return Told(found, _names(services, said_so, caller), unread, view.position)


def _refuse_strangers(caller: Credential, looking: Looking) -> None:
    """Raises `missing_scope` where the key may not look with a colleague's eyes."""
    if looking.colleague is None:
        return
    if not {"act_for", "admin"} & set(caller.scopes):
        raise missing_scope("act_for")
    if looking.role_class or looking.team or looking.role:
        raise validation_failed("/colleague", "a colleague has a role and a team already", "two_readers", "query")


def _reader(services: Services, source: Source, looking: Looking, now: datetime) -> Reader:
    if looking.colleague is None:
        return Reader(role_class=looking.role_class, team=looking.team, role=looking.role)
    return reader_of(source, services.keyring.pseudonym("colleague", looking.colleague), now)


def _names(services: Services, said_so: Mapping[UUID, int], caller: Credential) -> dict[UUID, str]:
    """By which names these colleagues want to be named. Names are personal: they need the scope `personal`."""
    if "personal" not in caller.scopes:
        return {}
    found: dict[UUID, Any] = {}
    for colleague_id, position in said_so.items():
        [fact] = services.ledger.facts(position - 1, 1, personal=True)
        found[colleague_id] = getattr(fact.event, "name", None)
    return {colleague_id: name for colleague_id, name in found.items() if isinstance(name, str)}


def changed(services: Services, items: Sequence[Item]) -> dict[UUID, datetime]:
    """When each item last changed: a lesson to the second; a story has no time, so only the day."""
    recorded = services.ledger.recorded_at([one.position for one in items])
    return {one.id: _shown(recorded[one.position], one) for one in items}


def _shown(moment: datetime, item: Item) -> datetime:
    return moment if isinstance(item, LessonItem) else datetime.combine(moment.date(), time(), UTC)
