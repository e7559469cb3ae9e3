"""Describing: the API's own description, made in a thread when somebody first asks for it."""

from collections.abc import Callable
from typing import Any, Final, cast

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from api.deadline import untimed

AT_ONCE: Final = 1
"""Making it takes seconds of one processor: whoever asks meanwhile waits for the same one."""


class Description:
    """The OpenAPI document of one application. `make` must give the same one when it is called again."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make
        self._made: dict[str, Any] | None = None
        self._threads = CapacityLimiter(AT_ONCE)

    async def told(self) -> dict[str, Any]:
        """The document. The first askers wait until it is made, which no database and nobody else can hold up."""
        if self._made is None:
            with untimed():
                self._made = await to_thread.run_sync(self._make, limiter=self._threads)
        return self._made


def description_of(request: Request) -> Description:
    """That of the application that answers this request."""
    return cast(Description, request.app.state.description)
