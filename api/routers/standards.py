"""Standards: what the house allows, promises and advises; what is in force, and what was."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api import openapi
from api.aside import aside
from api.auth import Administering, Reading
from api.deps import reading, services_of
from api.envelope import CommandEnvelope, enveloped, parsed
from api.headers import etag
from api.house import record, reference
from api.problems import validation_failed
from api.reads import IF_NONE_MATCH, answer
from api.routers.commands import read_body
from api.strict_json import decode_object
from domain import values
from domain.errors import UnknownRef
from domain.milestones import Reference
from domain.publishing import (
    REFERENCE,
    Publication,
    PublishStandard,
    RetireStandard,
    ReviewRule,
    StandardCommand,
    StandardKind,
    in_force,
)
from domain.standards.document import Body, Name, Standard
from domain.standards.house import BODIES, House
from domain.standards.rule import HouseRule
from projections.reviews import reviews_due

router = APIRouter(tags=["standards"], generate_unique_id_function=openapi.operation_id)
STANDARD_ID: Final = "standard_id"


class StandardRecorded(BaseModel):
    """What a write about a standard answers."""

    standard_id: str
    position: int
    version: int
    ids: dict[str, str]
    receipts: list[openapi.RecordedEvent]


_RECORDED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": StandardRecorded, "description": "Recorded.", "headers": openapi.ANSWER_HEADERS}
}


class StandardInForce(BaseModel):
    """One standard as the house goes by it. `shipped`: it came with the program, nobody published it."""

    kind: StandardKind
    name: str
    version: int
    effective_from: datetime
    shipped: bool
    review_due_at: datetime | None = None
    """Of a rule that stood in the way five times: by when its owner should look at it."""
    body: dict[str, Any]


class StandardsInForce(BaseModel):
    """Every standard in force at a moment."""

    as_of: datetime
    data: list[StandardInForce]


class Edition(BaseModel):
    """One version of a standard."""

    version: int
    effective_from: datetime
    body: dict[str, Any]


class RuleReview(BaseModel):
    """What the owner of a rule decided about it."""

    at: datetime
    decision: str


class StandardHistory(BaseModel):
    """A standard with all its versions, the oldest first."""

    kind: StandardKind
    name: str
    editions: list[Edition]
    retired_from: datetime | None
    reviews: list[RuleReview]


@router.get("/v1/standards", response_model=StandardsInForce, name="standards")
def standards(
    request: Request,
    caller: Reading,
    kind: Annotated[StandardKind | None, Query(description="only of this kind")] = None,
    at: Annotated[values.Moment | None, Query(description="what was in force then; now, if absent")] = None,
) -> Response:
    """What the house goes by now, or went by at a moment: what it published, and what ships with the program."""
    services = services_of(request)
    moment = at or services.clock()
    publications = services.publications()
    published = list(in_force(publications, moment))
    with reading(services) as view:
        due = reviews_due(view.source, publications, moment) if kind in (None, HouseRule.KIND) else {}
    shown = [_shown(one, published, due) for one in House.at(moment, published).documents.values()]
    found = sorted((one for one in shown if kind in (None, one.kind)), key=lambda one: (one.kind, one.name))
    return answer(request, StandardsInForce(as_of=moment, data=found))


@router.post(
    "/v1/standards",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.command_body(PublishStandard),
    name="publish_standard",
)
async def publish(request: Request, caller: Administering) -> Response:
    """Publish a standard, or a new version of one.

    It holds from `effective_from` on, else from now on. What was decided before stays as it was decided.
    """
    content = await read_body(request)
    # Read by its own kind first: whoever errs is told about that kind alone.
    await aside(content, lambda: _check_body(content))
    return await record(request, PublishStandard, _on, caller, stream=STANDARD_ID)


@router.get(
    "/v1/standards/{kind}/{name}",
    response_model=StandardHistory,
    openapi_extra={"parameters": [IF_NONE_MATCH]},
    name="standard",
)
async def standard(request: Request, kind: StandardKind, name: Name, caller: Reading) -> Response:
    """One published standard with all its versions."""
    publications = await run_in_threadpool(services_of(request).publications)
    found = next((one for one in publications if (one.kind, one.name) == (kind, name)), None)
    if found is None:
        raise UnknownRef("standard", f"{kind}:{name}")
    return answer(request, _history(found), tag=etag(found.version))


@router.post(
    "/v1/standards/{kind}/{name}/retire",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(
        openapi.addressed_body_of(RetireStandard, "kind", "name"), {}, required=False
    ),
    name="retire_standard",
)
async def retire(request: Request, kind: StandardKind, name: Name, caller: Administering) -> Response:
    """Let a standard hold no longer. What ships with the program holds again, if it has one of this name."""
    return await record(request, RetireStandard, _on, caller, {"kind": kind, "name": name}, STANDARD_ID)


@router.post(
    "/v1/standards/rule/{name}/review",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(
        openapi.addressed_body_of(ReviewRule, "kind", "name"),
        {"decision": "soften", "reason": "It stopped five recoveries this month."},
    ),
    name="review_rule",
)
async def review(request: Request, name: Name, caller: Administering) -> Response:
    """Say what becomes of a rule that stood in the way: keep it, soften it or remove it, and why."""
    return await record(request, ReviewRule, _on, caller, {"name": name}, STANDARD_ID)


def _on(command: StandardCommand) -> Reference:
    return reference(REFERENCE, f"{command.kind}:{command.name}")


def _check_body(content: bytes) -> None:
    _, said = enveloped(decode_object(content, may_be_empty=True), CommandEnvelope)
    kind, body = BODIES.get(str(said.get("kind"))), said.get("body")
    if kind is None:
        raise validation_failed("/kind", "one of " + ", ".join(BODIES), "literal_error")
    if not isinstance(body, dict):
        raise validation_failed("/body", "the document itself, a JSON object", "missing")
    parsed(kind, body, ("body",))


def _shown(one: Standard[Any], published: list[Standard[Any]], due: Mapping[str, datetime]) -> StandardInForce:
    return StandardInForce(
        kind=one.body.KIND,
        name=one.name,
        version=one.version,
        effective_from=one.effective_from,
        shipped=not any(one is other for other in published),
        review_due_at=due.get(one.name) if one.body.KIND == HouseRule.KIND else None,
        body=_outside(one.body),
    )


def _outside(body: Body) -> dict[str, Any]:
    return body.outside()


def _history(found: Publication) -> StandardHistory:
    editions = [
        Edition(version=one.version, effective_from=one.effective_from, body=_outside(one.body))
        for one in found.standards()
    ]
    reviews = [RuleReview(at=one.at, decision=one.decision) for one in found.reviews]
    return StandardHistory(
        kind=found.kind, name=found.name, editions=editions, retired_from=found.retired_from, reviews=reviews
    )
