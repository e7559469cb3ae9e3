"""Customers: find or open one, and see how he stands with us, when, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api import openapi
from api.aside import aside
from api.auth import Appending, Credential, Reading, identified
from api.deps import Services, reading, services_of
from api.envelope import OpeningEnvelope, enveloped, parsed
from api.headers import etag
from api.problems import validation_failed
from api.reads import AFTER, FRESH, IF_NONE_MATCH, LIMIT, Asked, CaughtUp, answer, next_link
from api.replay import Point, facts_until
from api.routers.commands import OPEN, read_body
from api.standing import Standings
from api.strict_json import decode_object
from api.writes import Posting, committed, order_of, posting_of, recorded
from domain import values
from domain.errors import UnknownRef
from domain.kinds import COMMANDS, Fact
from domain.relationship import RelationshipCommand
from projections import recoveries, satisfaction, timeline
from projections.base import Source
from projections.recoveries import RecoveryView
from projections.satisfaction import ExplainedTerm, Satisfaction
from projections.timeline import Moment

router = APIRouter(tags=["customers"])
posting = APIRouter(tags=["customers"], generate_unique_id_function=openapi.operation_id)
"""What api/postings.py serves; here to be described."""


class CustomerState(BaseModel):
    """How a customer stands: satisfaction, and the recoveries that are not closed."""

    customer_id: UUID
    version: int
    position: int
    """Of the last event about the customer that is counted here."""
    as_of: datetime
    satisfaction: Satisfaction
    open_recoveries: list[RecoveryView]


class CustomerExplained(BaseModel):
    """Why the score is what it is: where it started and every change since, in hundredths of a point."""

    customer_id: UUID
    model: str
    start: int
    score: int
    terms: list[ExplainedTerm]


class CustomerTimeline(BaseModel):
    """What happened, in order."""

    data: list[Moment]
    next: int | None
    end_of_log: bool


class At(BaseModel):
    """Which moment of the past is asked for."""

    at_version: Annotated[int | None, Query(ge=1, le=2**53 - 1, description="after this many events")] = None
    at_position: Annotated[int | None, Query(ge=1, le=2**53 - 1, description="at this position of the ledger")] = (
        None
    )
    at_time: Annotated[values.Moment | None, Query(description="as it was recorded by then")] = None

    @property
    def asked(self) -> bool:
        """Whether the past is asked for at all."""
        return any(one is not None for one in (self.at_version, self.at_position, self.at_time))


@posting.post("/v1/customers", status_code=201, responses=openapi.KNOWN, name="open_customer")
async def open_customer(request: Request, caller: Appending) -> Response:
    """Find a customer by your own reference, or open one.

    201 when nobody had heard of him, 200 when he is known already (then nothing is recorded). An empty body opens
    a customer without a name, for an anonymous complaint or a stranger in need.
    """
    body = await read_body(request)
    posting = await aside(body, lambda: _read_opening(request, body, caller))
    services = services_of(request)
    outcome = await committed(services, order_of(services, caller, posting))
    return recorded(outcome, 201 if outcome.receipts else 200)


def _read_opening(request: Request, content: bytes, caller: Credential) -> Posting:
    received = decode_object(content, may_be_empty=True)
    envelope, body = enveloped(received, OpeningEnvelope)
    command, said = parsed(_opening(), body), {"body": received}
    return posting_of(request, content, caller, envelope, command, envelope.customer, said)


def _opening() -> type[RelationshipCommand]:
    kind = COMMANDS[OPEN]
    if not issubclass(kind, RelationshipCommand):
        raise TypeError(f"{kind.__name__} cannot open a relationship")
    return kind


def describe_opening() -> None:
    """Gives POST /v1/customers its body in the API's description, once every command is known."""
    example = {"customer": {"kind": "crm", "value": "C-1042"}, "locale": "el-GR"}
    extra = openapi.request_body(openapi.opening_body(), example, required=False)
    for route in posting.routes:
        if isinstance(route, APIRoute):
            route.openapi_extra = extra


@router.get(
    "/v1/customers/{customer_id}",
    response_model=CustomerState,
    openapi_extra={"parameters": [*FRESH, IF_NONE_MATCH]},
    dependencies=[CaughtUp],
)
async def customer(request: Request, customer_id: UUID, caller: Reading, at: Annotated[At, Query()]) -> Response:
    """How a customer stands now, or how he stood after an event, at a position or at a time.

    The past is folded from the events themselves, so it is what was known then, whatever the read models say
    today. `at_time` goes by when things were recorded; `position` and `version` say which event was the last.
    """
    if at.asked:
        state = await run_in_threadpool(_past, services_of(request), customer_id, at)
        return answer(request, state, position=state.position, tag=etag(state.version))
    return await _now(request, customer_id)


async def customer_now(request: Request) -> Response:
    """The same for the plain question, the most frequent of all: see api/plain_reads.py."""
    request.scope["amends.route"] = "/v1/customers/{customer_id}"
    await identified(request, "read")
    return await _now(request, UUID(request.path_params["customer_id"]))


async def _now(request: Request, customer_id: UUID) -> Response:
    standings: Standings = request.app.state.standings
    found = await standings.of(customer_id)
    if found is None:
        raise UnknownRef("customer", customer_id)
    state = _state(found.satisfaction, found.recoveries, found.as_of)
    return answer(request, state, position=found.position, tag=etag(state.version))


@router.get(
    "/v1/customers/{customer_id}/explain",
    response_model=CustomerExplained,
    openapi_extra={"parameters": [*FRESH, IF_NONE_MATCH]},
    dependencies=[CaughtUp],
)
def explain(request: Request, customer_id: UUID, caller: Reading, at: Annotated[At, Query()]) -> Response:
    """Why the score is what it is: every change of it with its event; the sum is the score."""
    services = services_of(request)
    if at.asked:
        facts = _facts(services, customer_id, at)
        found = _known(satisfaction.of_facts(customer_id, facts, facts[-1].recorded_at), customer_id)
        told = satisfaction.explain_facts(customer_id, facts)
        return answer(request, _explained(found, told), position=found.position, tag=etag(found.version))
    with reading(services) as view:
        found = _present(view.source, customer_id, services.clock())
        told = satisfaction.explain(view.source, customer_id)
    return answer(request, _explained(found, told), position=view.position, tag=etag(found.version))


@router.get(
    "/v1/customers/{customer_id}/timeline",
    response_model=CustomerTimeline,
    openapi_extra={"parameters": [AFTER, LIMIT, *FRESH, IF_NONE_MATCH]},
    dependencies=[CaughtUp],
    name="customer_timeline",
)
def customer_timeline(request: Request, customer_id: UUID, caller: Reading, page: Asked) -> Response:
    """What happened between a customer and us, in order, and what each thing did to the score."""
    services = services_of(request)
    with reading(services) as view:
        found = _present(view.source, customer_id, services.clock())
        told = timeline.of_customer(view.source, customer_id, page.position, page.limit)
    body = CustomerTimeline(data=told.data, next=told.next, end_of_log=told.next is None)
    link = None if told.next is None else next_link(request, services.settings.address, told.next)
    return answer(request, body, position=view.position, tag=etag(found.version), link=link)


def _present(source: Source, customer_id: UUID, now: datetime) -> Satisfaction:
    return _known(satisfaction.of_customer(source, customer_id, now), customer_id)


def _known(found: Satisfaction | None, customer_id: UUID) -> Satisfaction:
    if found is None:
        raise UnknownRef("customer", customer_id)
    return found


def _state(found: Satisfaction, cases: Sequence[RecoveryView], as_of: datetime) -> CustomerState:
    return CustomerState(
        customer_id=found.customer_id,
        version=found.version,
        position=found.position,
        as_of=as_of,
        satisfaction=found,
        open_recoveries=[one for one in cases if one.phase != "closed"],
    )


def _explained(found: Satisfaction, told: satisfaction.Explanation) -> CustomerExplained:
    return CustomerExplained(
        customer_id=found.customer_id, model=told.model, start=told.start, score=found.score, terms=told.terms
    )


def _past(services: Services, customer_id: UUID, at: At) -> CustomerState:
    facts = _facts(services, customer_id, at)
    as_of = at.at_time or facts[-1].recorded_at
    found = _known(satisfaction.of_facts(customer_id, facts, as_of), customer_id)
    return _state(found, recoveries.of_facts(customer_id, facts, as_of), as_of)


def _facts(services: Services, customer_id: UUID, at: At) -> Sequence[Fact]:
    """The customer's events up to the moment asked for. Raises UnknownRef where there was none."""
    if sum(one is not None for one in (at.at_version, at.at_position, at.at_time)) > 1:
        raise validation_failed("", "ask for one of at_version, at_position, at_time", "too_many", "query")
    return facts_until(services.ledger, customer_id, Point(at.at_version, at.at_position, at.at_time))
