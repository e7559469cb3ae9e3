"""Postings: the three addresses everything is written through, served without FastAPI's detours.

FastAPI tries one route after the other and resolves dependencies by reflection: with a route for every command
that took more time than the rest of a write. So one address takes all commands and looks its own up in the table.
What is addressed as it should be does not even reach FastAPI: `Postings` answers it before.
The routes of `described_postings` say the same in the API's description, and are never asked.
"""

from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import Final
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from api.auth import Credential, identified
from api.nearest import meant, nearest
from api.parameters import no_parameters
from api.posted import Posted
from api.problems import ProblemError, invalid
from api.refusals import REFUSALS, refusal
from api.routers import commands, customers, events
from domain.kinds import COMMANDS
from domain.relationship import RelationshipCommand

Endpoint = Callable[[Request, Credential], Awaitable[Response]]
Posting = Callable[[Request], Awaitable[Response]]
_OF_CUSTOMER: Final = "/v1/customers/"
_FOUND: Final = "amends.posting"
_ID: Final = TypeAdapter(UUID)


class Postings:
    """Answers what `find_posting` found."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        posting: Posting = scope[_FOUND]
        try:
            response = await posting(Posted(scope, receive, send))
        except REFUSALS as error:
            response = refusal(error, self._base_url, of_write=True)
        await response(scope, receive, send)


def find_posting(scope: Scope) -> bool:
    """Whether this is posted to one of the three addresses, as `Postings` will then find it in the scope."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope.get("root_path"):
        return False
    posting = _posting(scope["path"])
    if posting is not None:
        scope[_FOUND] = posting
    return posting is not None


def _posting(path: str) -> Posting | None:
    if not path.startswith(_OF_CUSTOMER):
        return _fixed().get(path)
    customer, _, command = path[len(_OF_CUSTOMER) :].partition("/")
    kind = commands.posted_to(command)
    return partial(_post, kind, customer) if kind is not None and customer else None


def add_postings(app: FastAPI) -> None:
    """Puts the three addresses in front of every other route."""
    for path, posting in _fixed().items():
        app.add_route(path, posting, ["POST"], include_in_schema=False)
    app.add_route("/v1/customers/{customer_id}/{command}", post_command, ["POST"], include_in_schema=False)


@cache
def _fixed() -> dict[str, Posting]:
    posted = {"/v1/events": events.post_events, "/v1/customers": customers.open_customer}
    return {path: _appending(path, endpoint) for path, endpoint in posted.items()}


def described_postings() -> list[BaseRoute]:
    """The same as routes for the API's description, one for each command."""
    customers.describe_opening()
    routers: list[APIRouter] = [events.posting, customers.posting, commands.described()]
    return [route for router in routers for route in router.routes]


def _appending(path: str, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def posted(request: Request) -> Response:
        request.scope["amends.route"] = path
        no_parameters(request)
        return await endpoint(request, await identified(request, "append"))

    return posted


async def post_command(request: Request) -> Response:
    """Records the command that the path names."""
    kind = commands.posted_to(request.path_params["command"])
    if kind is None:
        found = nearest(request.path_params["command"], filter(commands.posted_to, COMMANDS))
        detail = f"there is no such command{meant(found)}"
        raise ProblemError("unknown_ref", detail, what="command", nearest=found)
    return await _post(kind, request.path_params["customer_id"], request)


async def _post(kind: type[RelationshipCommand], customer: str, request: Request) -> Response:
    # Before anything can be refused: refusals are counted under their route.
    request.scope["amends.route"] = f"/v1/customers/{{customer_id}}/{kind.PATH}"
    no_parameters(request)
    caller = await identified(request, kind.SCOPE)
    return await commands.record(request, kind, _customer_id(customer), caller)


def _customer_id(told: str) -> UUID:
    # As the described routes read it. UUID() alone takes signs, underscores and digits of any script too.
    try:
        return _ID.validate_python(told)
    except ValidationError as error:
        raise invalid(error.errors(), ("customer_id",), "path") from None
