"""Allowing: which methods an address takes, for whoever came with another one."""

from typing import Final

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from api.postings import find_posting, post_command

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def allowed(request: Request) -> list[str]:
    """The methods that the address of this request takes; none where nothing is there.

    Starlette would say those of the first route that it meets; one address may have several.
    """
    routes: list[BaseRoute] = request.app.router.routes
    return [method for method in METHODS if _takes(routes, dict(request.scope), method)]


def _takes(routes: list[BaseRoute], scope: Scope, method: str) -> bool:
    # A HEAD is answered as the GET that it stands for.
    scope["method"] = "GET" if method == "HEAD" else method
    if method == "POST" and find_posting(scope):
        return True
    return any(one.matches(scope)[0] is Match.FULL for one in routes if not _takes_all(one))


def _takes_all(route: BaseRoute) -> bool:
    # It takes whatever is posted to a customer, to say which commands there are.
    return getattr(route, "endpoint", None) is post_command
