"""Events in and out: other services post what happened, and read the ledger in order."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api import cloudevents, openapi
from api.aside import aside
from api.auth import Appending, Credential, Reading, require
from api.batches import posted
from api.deps import Services, services_of
from api.described_events import EVENTS_ANSWERS, EVENTS_BODY, EVENTS_TAKEN
from api.headers import expected_version
from api.outgoing import cloudevent, of_colleague
from api.problems import ProblemError
from api.reads import AFTER, LIMIT, Asked, answer, next_link
from api.warning import warnings
from api.writes import Posting, committed, of_event, order_of, recorded

router = APIRouter(tags=["events"])
posting = APIRouter(tags=["events"], generate_unique_id_function=openapi.operation_id)
"""What api/postings.py serves; here to be described."""


@posting.post("/v1/events", status_code=201, openapi_extra=EVENTS_BODY, responses=EVENTS_ANSWERS)
async def post_events(request: Request, caller: Appending) -> Response:
    """Post CloudEvents 1.0: one in structured or binary mode, or several as a batch.

    The Content-Type alone tells the mode. `type` is the kind of fact, `data` the body of the command that reports
    it (see `/v1/schemas/{type}?as=command`), `subject` the customer's id; where you only know your own reference,
    send `data.customer` instead. `time` is when it happened. `id` is the idempotency key within `source`: the same
    event again gets the same receipts. The items of a batch are independent and taken in order; the answer
    has a result for each.
    """
    services = services_of(request)
    if "idempotency-key" in request.headers:
        raise _not_here("Idempotency-Key", "the id of the event is its idempotency key")
    mode = cloudevents.mode_of(request.headers.get("content-type"), request.scope["headers"])
    if mode == "batch":
        return await _batch(request, services, caller)
    body = await request.body()
    posting = await aside(body, lambda: _read(request, mode, body, caller))
    order = order_of(services, caller, posting)
    outcome = await committed(services, order, posting.at)
    return recorded(outcome, warned=(await warnings(services, caller, [(order, outcome)])).get(0, ()))


def _read(request: Request, mode: cloudevents.Mode, body: bytes, caller: Credential) -> Posting:
    if mode == "structured":
        incoming = cloudevents.structured(body)
    else:
        incoming = cloudevents.binary(request.scope["headers"], request.headers.get("content-type"), body)
    return of_event(incoming, caller, expected_version(request))


def _not_here(header: str, reason: str) -> ProblemError:
    return ProblemError("header_invalid", f"no {header} here: {reason}", header=header)


@router.options("/v1/events", status_code=204, responses=EVENTS_TAKEN)
async def events_options(request: Request, caller: Appending) -> Response:
    """Ask what may be posted here, and how many events one batch may hold."""
    most = services_of(request).settings.max_batch
    headers = {
        "Accept-Post": cloudevents.ACCEPT_POST,
        "Amends-Max-Batch": str(most),
        "Allow": "GET, HEAD, POST, OPTIONS",
    }
    return Response(status_code=204, headers=headers)


async def _batch(request: Request, services: Services, caller: Credential) -> Response:
    for header in ("If-Match", "If-None-Match"):
        if header in request.headers:
            raise _not_here(header, "the items of a batch are about several customers; post the event alone")
    body = await request.body()
    return await posted(services, caller, body)


class EventsPage(BaseModel):
    """A page of the ledger: CloudEvents in order, and where to go on."""

    data: list[dict[str, Any]]
    next: int
    """The `after` of the following page; keep it to ask later for what is new."""
    end_of_log: bool


@router.get("/v1/events", response_model=EventsPage, openapi_extra={"parameters": [AFTER, LIMIT]})
def read_events(
    request: Request,
    caller: Reading,
    page: Asked,
    personal: Annotated[bool, Query(description="decrypt personal parts; needs the scope `personal`")] = False,
) -> Response:
    """The ledger itself, in order, as CloudEvents. `sequence` is the position.

    Personal fields are left out, and `hidden` says why (`withheld` or `erased`), unless asked for with
    `personal=true`. What is about a colleague, reports that name one too, is passed over for keys without
    the scope `personnel`.
    """
    if personal:
        require(caller, "personal")
    services = services_of(request)
    head = services.ledger.head()
    if page.position > head:
        raise ProblemError(
            "cursor_invalid", f"after is beyond the end of the ledger, {head}", parameter="after", end=head
        )
    facts = services.ledger.facts(page.position, page.limit, personal=personal)
    shown = facts if "personnel" in caller.scopes else [fact for fact in facts if not of_colleague(fact)]
    last = facts[-1].position if facts else page.position
    base_url = services.settings.address
    body = {"data": [cloudevent(fact, base_url) for fact in shown], "next": last, "end_of_log": last >= head}
    link = None if last >= head else next_link(request, base_url, last, "personal")
    return answer(request, body, position=head, link=link)
