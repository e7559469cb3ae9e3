"""Deadlines: every request gets an answer within a bounded time, whatever became of the database."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import wait_seconds
from api.noting import note_problem
from api.problems import document, response

MARGIN_SECONDS: Final = 1.5
"""What reads and writes notice themselves they tell in better words; this much later nobody waits for that."""
SOONEST_SECONDS: Final = 0.05
"""A timer may ring a hair early, or while the caller speaks: it is set anew, but never closer than this."""
_READS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


class Waiting:
    """How long the caller of one request is kept waiting. The time he takes himself does not count."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._still_since: float | None = None
        self.until = self._loop.time() + seconds

    def stand_still(self) -> None:
        """From now on no time passes."""
        self._still_since = self._loop.time()

    def go_on(self) -> None:
        """Time goes on, later by as long as it stood still."""
        if self._still_since is not None:
            self.until += self._loop.time() - self._still_since
            self._still_since = None

    def left(self) -> float:
        """Seconds that he will wait yet. What stands buffered is heard at once and gives no time back."""
        now = self._loop.time() if self._still_since is None else self._still_since
        return self.until - now


_waiting: ContextVar[Waiting | None] = ContextVar("waiting", default=None)


def answer_by() -> float | None:
    """When, by the loop's clock, this request should be answered; None outside of one."""
    waiting = _waiting.get()
    return None if waiting is None else waiting.until


@contextmanager
def untimed() -> Iterator[None]:
    """Inside the block no time passes for this request: for work that asks nobody, and so ends by itself."""
    waiting = _waiting.get()
    if waiting is None:
        yield
        return
    waiting.stand_still()
    try:
        yield
    finally:
        waiting.go_on()


class Deadline:
    """Answers `unavailable` for a request that found no answer in time. What it began goes on, unheard."""

    def __init__(self, app: ASGIApp, *, seconds: float, base_url: str) -> None:
        self._app, self._seconds, self._base_url = app, seconds, base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        waiting = Waiting(self._seconds + _prefers(scope))
        timed = _Timed(scope, receive, send, waiting, self._base_url)
        token = _waiting.set(waiting)
        try:
            await self._app(scope, timed.receive, timed.send)
        except asyncio.CancelledError:
            # The process ends, and its grace is over: better a word than a broken connection.
            timed.give_up("the service is stopping")
            raise
        finally:
            _waiting.reset(token)
            timed.cancel()
            if timed.giving_up is not None:
                await timed.giving_up


def _prefers(scope: Scope) -> int:
    # Hardly anybody does, and reading every header for it would cost each request more than the rest of this.
    for name, _ in scope["headers"]:
        if name == b"prefer":
            return wait_seconds(Request(scope)) or 0
    return 0


class _Timed:
    """The channels of one request: whoever answers first, the application or the deadline, is heard."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, waiting: Waiting, base_url: str) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._waiting, self._base_url = waiting, base_url
        self._loop = asyncio.get_running_loop()
        self._answered = False
        self.giving_up: asyncio.Task[None] | None = None
        self._timer = self._loop.call_at(waiting.until + MARGIN_SECONDS, self._ring)

    async def receive(self) -> Message:
        self._waiting.stand_still()  # now it is the caller's turn
        try:
            return await self._receive()
        finally:
            # Whoever only looks whether the caller is still there stops listening before he says a word.
            self._waiting.go_on()

    async def send(self, message: Message) -> None:
        if self.giving_up is not None:
            return
        self._answered = True
        await self._send(message)

    def cancel(self) -> None:
        """The application has said what it had to say."""
        self._timer.cancel()

    def _ring(self) -> None:
        if self._answered:
            return
        left = self._waiting.left() + MARGIN_SECONDS
        if left > 0:
            self._timer = self._loop.call_later(max(left, SOONEST_SECONDS), self._ring)
            return
        self.give_up("the database did not answer in time")

    def give_up(self, why: str) -> None:
        """Answers in the application's place, if it has not begun to."""
        if not self._answered and self.giving_up is None:
            self.giving_up = self._loop.create_task(self._put_off(f"{why}; ask again"))

    async def _put_off(self, said: str) -> None:
        recorded = None if self._scope["method"] in _READS else "unknown"
        note_problem("unavailable")
        problem = document("unavailable", said, {"recorded": recorded, "retry_after_seconds": 2}, self._base_url)
        await response(problem)(self._scope, self._receive, self._send)
