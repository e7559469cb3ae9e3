"""Looking: questions about the service itself, asked in threads that no request for its data can take."""

from collections.abc import Callable
from typing import Final, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

T = TypeVar("T")
AT_ONCE: Final = 2
"""As many as they have connections: one more waits here, and is not told that the database is out of reach."""


class Looks:
    """The threads of one application in which health and metrics are looked up."""

    def __init__(self) -> None:
        self._threads = CapacityLimiter(AT_ONCE)

    async def take(self, look: Callable[[], T]) -> T:
        """What this look at the database gives."""
        return await to_thread.run_sync(look, limiter=self._threads)


def looks_of(request: Request) -> Looks:
    """Those of the application that answers this request."""
    return cast(Looks, request.app.state.looks)
