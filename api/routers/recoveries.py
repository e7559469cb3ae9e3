"""Recoveries: the queue of what is open, the most pressing first."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.auth import Reading
from api.deps import reading, services_of
from api.problems import ProblemError
from api.reads import FRESH, LIMIT, Asked, CaughtUp, answer, next_link
from domain.values import Code
from projections import recoveries

router = APIRouter(tags=["recoveries"])
_CURSOR: Final = re.compile(r"([0-9]{1,17})\.(-?[0-9]{1,9}\.([0-9]{1,18})\.-?[0-9]{1,16}\.[0-9a-f]{32})")
_LAST: Final = 253_402_300_799_999_999
"""The last microsecond that a date can tell."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER: Final = {
    "name": "after",
    "in": "query",
    "description": "`next` of the page before.",
    "schema": {"type": "string", "maxLength": 100},
}


@router.get(
    "/v1/recoveries",
    response_model=recoveries.QueuePage,
    openapi_extra={"parameters": [_AFTER, LIMIT, *FRESH]},
    dependencies=[CaughtUp],
)
def queue(
    request: Request,
    caller: Reading,
    page: Asked,
    team: Annotated[Code | None, Query(description="only this team's")] = None,
    owner: Annotated[UUID | None, Query(description="only those this colleague owns")] = None,
    overdue: Annotated[bool | None, Query(description="only those with something overdue, or without")] = None,
) -> Response:
    """The open recoveries by risk, then by what is due first. Never by what a customer is worth.

    All pages are as of the moment of the first: the cursor carries it.
    """
    services = services_of(request)
    as_of, after = _read(page.after, services.clock())
    with reading(services) as view:
        found = recoveries.queue(
            view.source, as_of=as_of, team=team, owner=owner, overdue=overdue, after=after, limit=page.limit
        )
    following = None if found.next is None else _written(as_of, found.next)
    body = found.model_copy(update={"next": following})
    link = None
    if following is not None:
        link = next_link(request, services.settings.address, following, "team", "owner", "overdue")
    return answer(request, body, position=view.position, link=link)


def _written(as_of: datetime, cursor: str) -> str:
    return f"{(as_of - _EPOCH) // timedelta(microseconds=1)}.{cursor}"


def _read(cursor: str | None, now: datetime) -> tuple[datetime, str | None]:
    if cursor is None:
        return now, None
    found = _CURSOR.fullmatch(cursor)
    if found is None or int(found[3]) > _LAST:
        raise ProblemError("cursor_invalid", "after must be `next` of the page before", parameter="after")
    return _EPOCH + timedelta(microseconds=int(found[1])), found[2]
