"""Commands: one route for each kind, mounted from the table of all kinds."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response, Security

from api import openapi
from api.aside import aside
from api.auth import Credential, caller_of
from api.cloudevents import is_json, media_type, unsupported
from api.deps import services_of
from api.envelope import CommandEnvelope, enveloped, parsed
from api.strict_json import decode_object
from api.warning import warnings
from api.writes import AWAITING, Posting, committed, order_of, posting_of, recorded
from domain.kinds import COMMANDS
from domain.relationship import RelationshipCommand

OPEN = "open"
"""The command behind POST /v1/customers, which has no customer's id yet."""


def described() -> APIRouter:
    """A route for every command known by now, as the API's description shows them."""
    router = APIRouter(tags=["commands"], generate_unique_id_function=openapi.operation_id)
    for path in COMMANDS:
        kind = posted_to(path)
        if kind is not None:
            _mount(router, path, kind)
    return router


def _mount(router: APIRouter, path: str, kind: type[RelationshipCommand]) -> None:
    router.add_api_route(
        f"/v1/customers/{{customer_id}}/{path}",
        _endpoint(kind),
        methods=["POST"],
        name=path.replace("-", "_"),
        summary=openapi.first_line(kind),
        description=openapi.description(kind),
        status_code=201,
        responses=openapi.ASKED if kind in AWAITING else openapi.RECORDED,
        openapi_extra=openapi.command_body(kind),
    )


def _endpoint(kind: type[RelationshipCommand]) -> Callable[..., Awaitable[Response]]:
    async def post_command(
        request: Request,
        customer_id: UUID,
        caller: Annotated[Credential, Security(caller_of, scopes=[kind.SCOPE])],
    ) -> Response:
        return await record(request, kind, customer_id, caller)

    return post_command


def posted_to(path: str) -> type[RelationshipCommand] | None:
    """The command of this path, if it is one that is posted to a customer."""
    kind = COMMANDS.get(path)
    return kind if path != OPEN and kind is not None and issubclass(kind, RelationshipCommand) else None


async def record(
    request: Request, kind: type[RelationshipCommand], customer_id: UUID, caller: Credential
) -> Response:
    """Records the command in this request."""
    posting = await _posting(request, kind, customer_id, caller)
    services = services_of(request)
    order = order_of(services, caller, posting)
    outcome = await committed(services, order)
    return recorded(outcome, warned=(await warnings(services, caller, [(order, outcome)])).get(0, ()))


async def _posting(
    request: Request, kind: type[RelationshipCommand], customer_id: UUID, caller: Credential
) -> Posting:
    body = await read_body(request)
    return await aside(body, lambda: _read(request, body, kind, customer_id, caller))


def _read(
    request: Request, content: bytes, kind: type[RelationshipCommand], customer_id: UUID, caller: Credential
) -> Posting:
    received = decode_object(content, may_be_empty=True)
    envelope, body = enveloped(received, CommandEnvelope)
    command, said = parsed(kind, body), {"customer": str(customer_id), "body": received}
    return posting_of(request, content, caller, envelope, command, customer_id, said)


async def read_body(request: Request) -> bytes:
    """The body, which is JSON or nothing at all. Raises the 415 problem for anything else."""
    body = await request.body()
    content_type = request.headers.get("content-type")
    # What nearly all send first: looking closer at each would cost more than reading a short body.
    if body and content_type != "application/json" and not is_json(media_type(content_type)):
        raise unsupported(content_type, "application/json")
    return body
