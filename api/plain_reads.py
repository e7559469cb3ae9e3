"""Plain reads: the question asked most, when it is asked without conditions, served without FastAPI's detours.

With any parameter, or an id in another spelling, it is left to the route that describes it.
"""

import re
from typing import Final

from fastapi import FastAPI
from starlette.routing import Match, Route
from starlette.types import Scope

from api.routers import customers

_NOT_OURS: Final[tuple[Match, Scope]] = (Match.NONE, {})
_ADDRESS: Final = re.compile("/v1/customers/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Plain(Route):
    """A route for GET with an empty query and an id as we write it, and for nothing else."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for what it serves; for all else none, so that the routes after it are tried."""
        if scope.get("method") != "GET" or scope["query_string"] or _ADDRESS.fullmatch(scope["path"]) is None:
            return _NOT_OURS
        return super().matches(scope)


def add_plain_reads(app: FastAPI) -> None:
    """Puts them in front of the routes that describe them."""
    app.router.routes.append(Plain("/v1/customers/{customer_id}", customers.customer_now))
