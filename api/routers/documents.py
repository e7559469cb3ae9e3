"""Documents: the API described for programs and for people, the schemas, and a page for every problem."""

from typing import Annotated, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import pages, schemas
from api.deps import services_of
from api.describing import description_of
from api.parameters import known_parameters
from api.problem_pages import page
from domain.errors import UnknownRef

router = APIRouter(tags=["service"])
SCHEMA_TYPE: Final = "application/schema+json"
_AN_HOUR = {"Cache-Control": "public, max-age=3600"}


@router.get("/", include_in_schema=False, name="home")
@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The API described for people."""
    described = await description_of(request).told()
    return await run_in_threadpool(pages.api_page, described, schemas.types(), schemas.postable())


@router.get("/openapi.json", include_in_schema=False)
async def openapi_document(request: Request) -> Response:
    """The API described for programs."""
    described = await description_of(request).told()
    return Response(orjson.dumps(described), media_type="application/json", headers=_AN_HOUR)


@router.get("/v1/schemas", name="event_types", dependencies=[Depends(known_parameters)])
async def event_types() -> Response:
    """Every type of event, and which of them can be posted."""
    body = {"types": schemas.types(), "postable": schemas.postable()}
    return Response(orjson.dumps(body), media_type="application/json", headers=_AN_HOUR)


@router.get(
    "/v1/schemas/{event_type}",
    response_class=Response,
    responses={200: {"content": {SCHEMA_TYPE: {"schema": {"type": "object"}}}, "description": "The schema."}},
    name="event_schema",
    dependencies=[Depends(known_parameters)],
)
async def event_schema(
    request: Request,
    event_type: str,
    wanted: Annotated[
        Literal["event", "command"],
        Query(alias="as", description="`command`: the body by which it is posted, instead of the event's data"),
    ] = "event",
) -> Response:
    """The JSON Schema (2020-12) of an event's data, or of the body by which it is posted."""
    base_url = services_of(request).settings.address
    found = schemas.schema_of(event_type, as_command=wanted == "command", base_url=base_url)
    if found is None:
        raise UnknownRef("event type")
    return Response(orjson.dumps(found), media_type=SCHEMA_TYPE, headers=_AN_HOUR)


@router.get("/problems", include_in_schema=False)
async def problem_list() -> Response:
    """Every problem there is."""
    return pages.problems_page()


@router.get("/problems/{slug}", include_in_schema=False)
async def problem_page(slug: str) -> Response:
    """What one problem means and what to do about it."""
    found = page(slug)
    if found is None:
        raise UnknownRef("problem")
    return pages.html(slug, found)
