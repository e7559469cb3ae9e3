"""Feed: what everybody in the house can learn from, in the JSON Feed format that feed readers understand."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.auth import Reading
from api.deps import reading, services_of
from api.reads import AFTER, FRESH, LIMIT, Asked, CaughtUp, answer, next_link, position_of, whole_number
from projections import feed
from projections.feed import FeedItem

router = APIRouter(tags=["feed"])
BEFORE: Final = whole_number("before", "The position before which to go on, towards older stories.")
_PARAMETERS: Final = {"parameters": [AFTER, BEFORE, LIMIT, *FRESH]}
JSON_FEED: Final = "https://jsonfeed.org/version/1.1"


class Item(BaseModel):
    """One story. `_amends` holds its codes and steps for programs."""

    id: str
    title: str
    content_text: str
    tags: list[str]
    amends: dict[str, Any] = Field(alias="_amends")


class JsonFeed(BaseModel):
    """A JSON Feed 1.1."""

    version: str
    title: str
    home_page_url: str
    feed_url: str
    next_url: str | None
    items: list[Item]


@router.get(
    "/v1/feed",
    response_model=JsonFeed,
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
def team_feed(request: Request, caller: Reading, page: Asked) -> Response:
    """Good recoveries and kind gestures, without a name, as JSON Feed 1.1.

    The newest first. With `after`: the stories that changed since that position, in order; one that goes on comes
    again under the same id.
    """
    services, before = services_of(request), request.query_params.get("before")
    after = None if page.after is None else page.position
    earlier = None if before is None else position_of("before", before)
    with reading(services) as view:
        found = feed.page(view.source, after, earlier, page.limit)
    base_url = services.settings.address
    body: dict[str, Any] = {
        "version": JSON_FEED,
        "title": "Amends: what we put right",
        "home_page_url": f"{base_url}/",
        "feed_url": f"{base_url}/v1/feed",
        "items": [_item(one) for one in found.items],
    }
    link = None
    if found.next is not None:
        link = next_link(request, base_url, found.next, cursor="before" if after is None else "after")
        body["next_url"] = link.partition(">")[0].lstrip("<")
    wanted = "application/feed+json" if "application/feed+json" in request.headers.get("accept", "") else None
    return answer(request, body, position=view.position, link=link, media_type=wanted or "application/json")


def _item(story: FeedItem) -> dict[str, Any]:
    return {
        "id": f"urn:uuid:{story.id}",
        "title": story.title,
        "content_text": story.text or story.title,
        "tags": [story.kind],
        "_amends": story.model_dump(mode="json", exclude={"id", "title", "text"}, exclude_none=True),
    }
