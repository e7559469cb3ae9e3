"""The sweeper: sees to it that time takes effect on customers about whom nobody posts anything."""

from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from domain.errors import Busy
from domain.kinds import AMENDS, Aggregate
from domain.relationship import Relationship
from infrastructure.metrics import Metrics
from infrastructure.orders import DUTIES_SOURCE, Order, Outcome
from infrastructure.rounds import Rounds

log = structlog.get_logger(__name__)
FIRST_REST: Final = timedelta(seconds=1)
LONGEST_REST: Final = timedelta(minutes=5)
ANSWER_WITHIN_SECONDS: Final = 60.0
Due = Callable[[datetime, int], list[UUID]]


@dataclass(frozen=True, slots=True)
class _Rest:
    """How long a stream that had nothing to say is left alone."""

    until: datetime
    length: timedelta

    def over(self, now: datetime) -> bool:
        # No rest is so long, but for a clock that was set back meanwhile.
        return not now < self.until <= now + LONGEST_REST

    def longer(self, now: datetime) -> "_Rest":
        length = min(self.length * 2, LONGEST_REST)
        return _Rest(now + length, length)


class Sweeper:
    """Posts "settle" for every stream whose earliest due time has passed.

    It needs no lease: settling twice yields nothing. `due(now, limit)` names streams, the longest overdue first;
    it may lag behind the ledger; `others` do so for what is no customer. A stream that yields nothing rests, a
    little longer each time.
    """

    def __init__(
        self,
        due: Due,
        submit: Callable[[Order], "Future[Outcome]"],
        clock: Callable[[], datetime],
        *,
        limit: int = 256,
        every_seconds: float = 1.0,
        metrics: Metrics | None = None,
        others: Iterable[tuple[type[Aggregate], Due]] = (),
    ) -> None:
        # The others are few: behind customers by the hundred they would never have their turn.
        self._dues: list[tuple[type[Aggregate], Due]] = [*others, (Relationship, due)]
        self._submit, self._clock = submit, clock
        self._limit = limit
        self._metrics = metrics or Metrics("main")
        self._resting: dict[UUID, _Rest] = {}
        self._rounds = Rounds("sweeper", self.run_once, every_seconds, failed="sweep_failed")

    def run_once(self) -> int:
        """Settles what is due now, at most `limit` streams. Gives how many of them had something to say."""
        now = self._clock()
        posted = self._post(self._awake(now))
        settled = {stream for stream, future in posted if _spoke(stream, future)}
        self._rest({stream for stream, _ in posted} - settled, now)
        for stream in settled:
            self._resting.pop(stream, None)
        self._metrics.swept(len(settled), len(posted), now)
        return len(settled)

    def start(self) -> None:
        """Starts sweeping in a thread of its own."""
        self._metrics.sweeping(self._clock())
        self._rounds.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread; a sweep under way is finished first."""
        self._rounds.stop(timeout_seconds)

    def _awake(self, now: datetime) -> list[tuple[type[Aggregate], UUID]]:
        # Resting streams stand first in line, being overdue longest: ask for so many more.
        most = self._limit + len(self._resting)
        named = [(kind, stream) for kind, due in self._dues for stream in due(now, most)]
        self._resting = {stream: self._resting[stream] for _, stream in named if stream in self._resting}
        awake = [(kind, s) for kind, s in named if s not in self._resting or self._resting[s].over(now)]
        return awake[: self._limit]

    def _post(self, streams: Iterable[tuple[type[Aggregate], UUID]]) -> list[tuple[UUID, "Future[Outcome]"]]:
        posted = []
        for kind, stream in streams:
            try:
                order = Order(command=None, stream=stream, actor=AMENDS, source=DUTIES_SOURCE, settling=kind)
                posted.append((stream, self._submit(order)))
            except Busy:
                break  # whoever waits is served first; the rest is still due at the next sweep
        return posted

    def _rest(self, streams: Iterable[UUID], now: datetime) -> None:
        for stream in streams:
            before = self._resting.get(stream)
            self._resting[stream] = before.longer(now) if before else _Rest(now + FIRST_REST, FIRST_REST)


def _spoke(stream: UUID, future: "Future[Outcome]") -> bool:
    # One stream's fault, whatever it is, must not keep the others from being settled.
    try:
        fault = future.exception(ANSWER_WITHIN_SECONDS)
    except (TimeoutError, CancelledError) as late:
        fault = late
    if fault is None:
        return bool(future.result().receipts)
    log.warning("settle_failed", stream=str(stream), fault=type(fault).__name__)
    return False
