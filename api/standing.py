"""Standing: how customers stand now, looked up together for everybody who asks at the same time.

A look at the read models costs little more for thirty customers than for one: a thread, a connection, a few
queries. So whoever asks while looks are under way is served by the next. Nobody waits for others to come, and
every look begins after the question, so nobody is told less than a look of his own would have told.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.deps import Services, reading
from projections import standing
from projections.recoveries import RecoveryView
from projections.satisfaction import Satisfaction

LOOKS: Final = 8
"""So many may be under way, when they are slow."""
SLOW_SECONDS: Final = 0.05
"""After this nobody else waits for a look. Two quick ones at once took each other's time: a quarter more CPU."""
MOST: Final = 64
"""Customers in one look, so that the first need not wait for hundreds of others."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one customer stands, and how far the read models had come."""

    satisfaction: Satisfaction
    recoveries: list[RecoveryView]
    position: int
    as_of: datetime


Asked = tuple[UUID, "asyncio.Future[Standing | None]"]


class Standings:
    """Answers on the loop of the server."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asked: list[Asked] = []
        self._looks: set[asyncio.Task[None]] = set()
        self._next: asyncio.Task[None] | None = None
        """Which look takes those who ask now, when it is done with those before."""

    async def of(self, customer_id: UUID) -> Standing | None:
        """How this customer stands; None when nobody has heard of him."""
        found: asyncio.Future[Standing | None] = asyncio.get_running_loop().create_future()
        self._asked.append((customer_id, found))
        if self._next is None:
            self._begin()
        return await found

    def _begin(self) -> None:
        if len(self._looks) < LOOKS:
            # A look is nobody's own: it carries neither the trace nor the deadline of the one who set it off.
            self._next = asyncio.create_task(self._look(), context=Context())
            self._looks.add(self._next)
            self._next.add_done_callback(self._ended)

    def _ended(self, look: "asyncio.Task[None]") -> None:
        self._looks.discard(look)
        self._pass_on(look)

    def _pass_on(self, look: "asyncio.Task[None] | None") -> None:
        """Those who wait for this look wait for another one."""
        if self._next is look:
            self._next = None
        if self._asked and self._next is None:
            self._begin()

    async def _look(self) -> None:
        this = asyncio.current_task()
        while self._asked and self._next is this:
            asked, self._asked = self._asked[:MOST], self._asked[MOST:]
            slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._pass_on, this)
            try:
                standings = await run_in_threadpool(self._found, {one for one, _ in asked})
            except BaseException as fault:
                _fail(asked, fault)
                if not isinstance(fault, Exception):
                    raise
            else:
                for one, found in asked:
                    if not found.done():  # he may have hung up
                        found.set_result(standings.get(one))
            finally:
                slow.cancel()

    def _found(self, customer_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        now = self._services.clock()
        with reading(self._services) as view:
            found = standing.of_customers(view.source, customer_ids, now)
        return {one: Standing(content, cases, view.position, now) for one, (content, cases) in found.items()}


def _fail(asked: Collection[Asked], fault: BaseException) -> None:
    for _, found in asked:
        if not found.done():
            if isinstance(fault, Exception):
                found.set_exception(fault)
            else:
                found.cancel()
