"""Postings: the three addresses everything is written through, served without FastAPI's detours.

FastAPI tries one route after the other and resolves dependencies by reflection: with a route for every command
that took more time than the rest of a write. So one address takes all commands and looks its own up in the table.
The routes of `described_postings` say the same in the API's description, and are never asked.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRouter
from starlette.routing import BaseRoute

from api.auth import Credential, identified
from api.nearest import meant, nearest
from api.parameters import no_parameters
from api.problems import ProblemError, validation_failed
from api.routers import commands, customers, events
from domain.kinds import COMMANDS

Endpoint = Callable[[Request, Credential], Awaitable[Response]]


def add_postings(app: FastAPI) -> None:
    """Puts the three addresses in front of every other route."""
    for path, endpoint in (("/v1/events", events.post_events), ("/v1/customers", customers.open_customer)):
        app.add_route(path, _appending(path, endpoint), ["POST"], include_in_schema=False)
    app.add_route("/v1/customers/{customer_id}/{command}", post_command, ["POST"], include_in_schema=False)


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
    no_parameters(request)
    request.scope["amends.route"] = f"/v1/customers/{{customer_id}}/{kind.PATH}"
    caller = await identified(request, kind.SCOPE)
    return await commands.record(request, kind, _customer_id(request), caller)


def _customer_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["customer_id"])
    except ValueError:
        raise validation_failed("/customer_id", "a customer's id is a UUID", "uuid_parsing", "path") from None
