"""Reading: cursors, waiting for one's own writes, and answers that say how fresh they are."""

import asyncio
import re
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Depends
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import auth
from api.deps import Services, projected, services_of
from api.headers import unchanged, wait_seconds
from api.problems import ProblemError
from domain.values import MAX_INT

DEFAULT_LIMIT: Final = 50
MOST: Final = 500
_LOOK_EVERY_SECONDS: Final = 0.02
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a long list is asked for."""

    after: str | None
    limit: int

    @property
    def position(self) -> int:
        """The cursor as a position. Raises `cursor_invalid`."""
        return position_of("after", self.after or "0")


async def page_of(request: Request) -> Page:
    """The page asked for. Raises `cursor_invalid` for a limit that is no number from 1 to 500."""
    raw = request.query_params.get("limit", str(DEFAULT_LIMIT))
    limit = position_of("limit", raw)
    if not 1 <= limit <= MOST:
        raise ProblemError("cursor_invalid", f"limit goes from 1 to {MOST}", parameter="limit")
    return Page(request.query_params.get("after"), limit)


def position_of(parameter: str, raw: str) -> int:
    """A position from the query. Raises `cursor_invalid`."""
    if _NUMBER.fullmatch(raw) is None or int(raw) > MAX_INT:
        raise ProblemError("cursor_invalid", f"{parameter} must be a whole number", parameter=parameter)
    return int(raw)


async def caught_up(request: Request, caller: auth.Reading) -> None:
    """Waits until the read models have come to `min_position`, as long as the caller prefers to wait.

    Raises `projection_behind` when they have not, and `cursor_invalid` for a position that nobody has written.
    """
    raw = request.query_params.get("min_position")
    if raw is None:
        return
    wanted, patience = position_of("min_position", raw), wait_seconds(request)
    services = services_of(request)
    until = time.monotonic() + (patience or 0)
    if (reached := await run_in_threadpool(projected, services)) < wanted:
        await run_in_threadpool(_refuse_unwritten, services, wanted)
    while reached < wanted:
        if time.monotonic() >= until:
            raise ProblemError(
                "projection_behind", headers=_applied(patience), position=reached, min_position=wanted
            )
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        reached = await run_in_threadpool(projected, services)
    request.state.applied = _applied(patience)


def _refuse_unwritten(services: Services, wanted: int) -> None:
    head = services.ledger.head()
    if wanted > head:
        detail = f"min_position is beyond the end of the ledger, {head}"
        raise ProblemError("cursor_invalid", detail, parameter="min_position", end=head)


def _applied(patience: int | None) -> dict[str, str]:
    return {} if patience is None else {"Preference-Applied": f"wait={patience}"}


Asked = Annotated[Page, Depends(page_of)]
CaughtUp = Depends(caught_up)


def answer(
    request: Request,
    body: BaseModel | dict[str, Any] | bytes,
    *,
    position: int | None = None,
    tag: str | None = None,
    link: str | None = None,
    media_type: str = "application/json",
) -> Response:
    """The body with the headers of a read; 304 without it when the caller holds this version already."""
    headers: dict[str, str] = dict(getattr(request.state, "applied", {}))
    more = {"Amends-Position": position, "ETag": tag, "Link": link}
    headers |= {name: str(value) for name, value in more.items() if value is not None}
    if tag is not None and unchanged(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(_content(body), 200, headers, media_type)


def _content(body: BaseModel | dict[str, Any] | bytes) -> str | bytes:
    if isinstance(body, BaseModel):
        return body.model_dump_json()
    return body if isinstance(body, bytes) else orjson.dumps(body, option=orjson.OPT_UTC_Z)


def tag_of(*said: object) -> str:
    """The entity tag of what has no version of its own: another one as soon as anything of it is another."""
    return f'"{sha256(repr(said).encode()).hexdigest()[:32]}"'


def next_link(request: Request, base_url: str, after: int | str, *keep: str, cursor: str = "after") -> str:
    """The Link header of the following page (RFC 8288), with the parameters that must stay the same."""
    asked = request.query_params
    query = {name: asked[name] for name in ("limit", *keep) if name in asked} | {cursor: str(after)}
    return f'<{base_url}{request.url.path}?{urlencode(query)}>; rel="next"'


def whole_number(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """A query parameter for the API's description."""
    kind = {"type": "integer", "minimum": 0, "maximum": MAX_INT} | schema
    return {"name": name, "in": "query", "description": description, "schema": kind}


AFTER: Final = whole_number("after", "The position after which to go on: `next` of the page before.")
LIMIT: Final = whole_number("limit", "How many at most.", minimum=1, maximum=MOST, default=DEFAULT_LIMIT)
MIN_POSITION: Final = whole_number("min_position", "Answer only when the read models have come this far.")
PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=n`: wait up to n seconds (at most 10) for `min_position`.",
    "schema": {"type": "string", "maxLength": 100},
    "example": "wait=2",
}
IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The version you hold: 304 if it is still the newest.",
    "schema": {"type": "string", "maxLength": 1000},
    "example": '"v8"',
}
FRESH: Final = [MIN_POSITION, PREFER]
