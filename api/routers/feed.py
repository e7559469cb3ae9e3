"""Feed: what the house is told, lessons and good recoveries, in the formats that feed readers understand."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api import openapi
from api.atom import MEDIA_TYPE as ATOM
from api.atom import Entry, atom
from api.auth import Appending, Reading
from api.deps import reading, services_of
from api.problems import validation_failed
from api.reads import (
    AFTER,
    FRESH,
    IF_NONE_MATCH,
    LIMIT,
    Asked,
    CaughtUp,
    answer,
    next_link,
    tag_of,
    whole_number,
)
from api.receipts import receive
from api.telling import Item, Looking, Told, changed, told
from domain.lessons.receipts import AcknowledgeLesson, ReadLesson
from domain.values import Moment
from projections import digest
from projections.feed import FeedItem
from projections.knowledge import LessonItem

router = APIRouter(tags=["feed"])
BEFORE: Final = whole_number("before", "The position before which to go on, towards older items.")
_PARAMETERS: Final = {"parameters": [AFTER, BEFORE, LIMIT, *FRESH, IF_NONE_MATCH]}
JSON_FEED: Final = "https://jsonfeed.org/version/1.1"
JSON_FEED_TYPE: Final = "application/feed+json"
TITLE: Final = "Amends: what we put right, and what we learned"
KEPT: Final = ("colleague", "role_class", "team", "role")
"""Parameters that stay the same from page to page."""
LONGEST: Final = timedelta(days=92)
MOMENT: Final = timedelta(microseconds=1)


class FeedEntry(BaseModel):
    """One item. `_amends` holds its codes and steps for programs."""

    id: str
    title: str
    content_text: str
    date_published: datetime | None = None
    tags: list[str]
    amends: dict[str, Any] = Field(alias="_amends")


class JsonFeed(BaseModel):
    """A JSON Feed 1.1. `_amends` says what of it a colleague has not read, where one looks."""

    version: str
    title: str
    home_page_url: str
    feed_url: str
    next_url: str | None = None
    items: list[FeedEntry]
    amends: dict[str, int] | None = Field(default=None, alias="_amends")


class ReceiptRecorded(BaseModel):
    """What a receipt answers."""

    colleague_id: str
    position: int
    version: int
    ids: dict[str, str]
    receipts: list[openapi.RecordedEvent]


_RECEIVED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": ReceiptRecorded, "description": "Recorded.", "headers": openapi.ANSWER_HEADERS},
    200: {"model": ReceiptRecorded, "description": "Recorded before.", "headers": openapi.ANSWER_HEADERS},
}
_ME: Final = {"by": {"colleague_id": "m-7"}}


@router.get(
    "/v1/feed",
    response_model=JsonFeed,
    responses={200: {"content": {JSON_FEED_TYPE: {"schema": {"$ref": "#/components/schemas/JsonFeed"}}}}},
    openapi_extra=_PARAMETERS,
    dependencies=[CaughtUp],
    name="team_feed",
)
@router.get(
    "/v1/feed.json",
    include_in_schema=False,
    openapi_extra=_PARAMETERS,
    dependencies=[CaughtUp],
    name="team_feed_json",
)
def team_feed(request: Request, caller: Reading, page: Asked, looking: Annotated[Looking, Query()]) -> Response:
    """Published lessons, good recoveries and kind gestures, nobody named without his consent, as JSON Feed 1.1.

    The newest first. With `after`: what changed since that position, in order; what goes on comes again under the
    same id. Without a `colleague`, `role_class`, `team` or `role`: what everyone is told. What is for one
    colleague alone is told to him.
    """
    found = told(request, caller, looking, page)
    base_url = services_of(request).settings.address
    body: dict[str, Any] = {
        "version": JSON_FEED,
        "title": TITLE,
        "home_page_url": f"{base_url}/",
        "feed_url": _itself(request, "/v1/feed"),
        "items": [_entry(one, found) for one in found.page.items],
    }
    link = _next(request, found)
    if link is not None:
        body["next_url"] = _address(link)
    if found.unread is not None:
        body["_amends"] = found.unread.model_dump()
    wanted = JSON_FEED_TYPE if JSON_FEED_TYPE in request.headers.get("accept", "") else None
    media_type = wanted or "application/json"
    tag = tag_of(media_type, body)
    return answer(request, body, position=found.position, tag=tag, link=link, media_type=media_type)


@router.get(
    "/v1/feed.atom",
    response_class=Response,
    responses={200: {"content": {ATOM: {"schema": {"type": "string"}}}, "description": "The feed."}},
    openapi_extra=_PARAMETERS,
    dependencies=[CaughtUp],
    name="team_feed_atom",
)
def team_feed_atom(
    request: Request, caller: Reading, page: Asked, looking: Annotated[Looking, Query()]
) -> Response:
    """The same feed as Atom (RFC 4287). A story changed on a day, without the time."""
    found, services = told(request, caller, looking, page), services_of(request)
    times = changed(services, found.page.items)
    entries = [_atom_entry(one, found, times[one.id]) for one in found.page.items]
    updated = max(times.values(), default=services.clock())
    link = _next(request, found)
    address = _itself(request, "/v1/feed.atom")
    content = atom(TITLE, address, updated, entries, None if link is None else _address(link))
    # Not of the document itself: without entries its own time is now.
    tag = tag_of(address, entries, link)
    return answer(request, content, position=found.position, tag=tag, link=link, media_type=ATOM)


@router.get(
    "/v1/feed/digest",
    response_model=digest.Digest,
    openapi_extra={"parameters": FRESH},
    dependencies=[CaughtUp],
    name="feed_digest",
)
def feed_digest(
    request: Request,
    caller: Reading,
    period: Annotated[timedelta, Query(description="how long, as in P7D")] = timedelta(days=7),
    until: Annotated[Moment | None, Query(description="the end of it; without it, now")] = None,
) -> Response:
    """The agenda of a team meeting out of the week's real cases: stories, lost cases, obstacles and new lessons.

    As far as it is recorded by now: a story that goes on later moves to its later week. Lost cases are told here
    alone, and nobody is named.
    """
    services = services_of(request)
    if not timedelta(days=1) <= period <= LONGEST:
        raise validation_failed("/period", "from P1D to P92D", "period_length", "query")
    ends = until or services.clock()
    since = ends - period
    # What was recorded at the very end belongs to the week after.
    after, upto = (services.ledger.position_at(moment - MOMENT) for moment in (since, ends))
    with reading(services, unmoving=True) as view:
        found = digest.digest(view.source, since, ends, (after, upto))
    return answer(request, found, position=view.position)


@router.post(
    "/v1/feed/{lesson_id}/read",
    status_code=201,
    responses=_RECEIVED,
    openapi_extra=openapi.request_body(openapi.addressed_body_of(ReadLesson, "lesson_id"), _ME),
    name="read_lesson",
)
async def read_lesson(request: Request, lesson_id: UUID, caller: Appending) -> Response:
    """Record that a colleague (`by.colleague_id`, scope `act_for`) read the version that is told now.

    201 when it is news, 200 when he had read it: then nothing is recorded.
    """
    return await receive(request, ReadLesson, lesson_id, caller)


@router.post(
    "/v1/feed/{lesson_id}/ack",
    status_code=201,
    responses=_RECEIVED,
    openapi_extra=openapi.request_body(openapi.addressed_body_of(AcknowledgeLesson, "lesson_id"), _ME),
    name="acknowledge_lesson",
)
async def acknowledge_lesson(request: Request, lesson_id: UUID, caller: Appending) -> Response:
    """Record that a colleague (`by.colleague_id`, scope `act_for`) took note of it, and so has read it.

    201 when it is news, 200 when he had done so: then nothing is recorded.
    """
    return await receive(request, AcknowledgeLesson, lesson_id, caller)


def _itself(request: Request, path: str) -> str:
    """The address of this feed: what another reader is told is another feed."""
    asked = [(name, request.query_params[name]) for name in KEPT if name in request.query_params]
    query = f"?{urlencode(asked)}" if asked else ""
    return f"{services_of(request).settings.address}{path}{query}"


def _next(request: Request, found: Told) -> str | None:
    if found.page.next is None:
        return None
    cursor = "before" if request.query_params.get("after") is None else "after"
    base_url = services_of(request).settings.address
    return next_link(request, base_url, found.page.next, *KEPT, cursor=cursor)


def _address(link: str) -> str:
    return link.partition(">")[0].lstrip("<")


def _entry(item: Item, found: Told) -> dict[str, Any]:
    title, text = found.words(item)
    hidden = {"id", "title", "text", "recognises"}
    entry = {
        "id": f"urn:uuid:{item.id}",
        "title": title,
        "content_text": text,
        "tags": [item.kind],
        "_amends": item.model_dump(mode="json", exclude=hidden, exclude_none=True),
    }
    return entry if isinstance(item, FeedItem) else entry | {"date_published": item.published_at}


def _atom_entry(item: Item, found: Told, updated: datetime) -> Entry:
    title, text = found.words(item)
    published = item.published_at if isinstance(item, LessonItem) else None
    return Entry(f"urn:uuid:{item.id}", title, text, item.kind, updated, published)
