"""Parking: streams that a read model could not fold, and folding them on once the fault is gone.

A program tries them when it starts, since it may be the one that was mended, and then ever more rarely: some
faults, as a lack of memory, go away by themselves.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Connection

from infrastructure import checkpoints
from infrastructure.checkpoints import Generation
from infrastructure.engine import out_of_reach, writing
from infrastructure.folding import Folder, described
from infrastructure.readmodels import ReadModels
from infrastructure.rows import find_by_keys
from infrastructure.stories import Folded, Part

log = structlog.get_logger(__name__)
FIRST_WAIT: Final = timedelta(seconds=10)
LONGEST_WAIT: Final = timedelta(minutes=5)
TRIED_AT_ONCE: Final = 20
"""So many streams at a time, with pages of everybody else's events between them."""


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A stream that waits for a fix of one projection."""

    projection: str
    stream_id: UUID
    position: int
    error: str


class Parking:
    """The parked streams of one ledger's read models."""

    def __init__(self, models: ReadModels, clock: Callable[[], datetime]) -> None:
        self._models, self._clock = models, clock
        self._round: deque[tuple[Generation, UUID]] = deque()
        self._freed = 0
        self._due: datetime | None = None
        self._wait = FIRST_WAIT

    def streams(self) -> list[ParkedStream]:
        """The streams that some live read model cannot fold."""
        with self._models.engine.connect() as conn:
            rows = checkpoints.parked_streams(conn, self._models.ledger, self._models.live(conn))
        return [ParkedStream(row.projection, row.stream_id, row.position, row.error) for row in rows]

    def release(self, these: Sequence[Generation]) -> int:
        """Tries again to fold every stream parked in these generations; gives how many are free now."""
        return sum(self._release(generation, stream) for generation, stream in self._parked(these))

    def retry(self) -> bool:
        """Tries a few parked streams when it is time to; whether there were any."""
        if not self._round and not self._begin_round():
            return False
        live = self._models.live()
        for _ in range(min(TRIED_AT_ONCE, len(self._round))):
            generation, stream = self._round.popleft()
            self._freed += generation in live and self._release(generation, stream)
        if not self._round:
            self._end_round()
        return True

    def _begin_round(self) -> bool:
        now = self._clock()
        # Further ahead than we ever wait, the clock was put back since.
        if self._due is not None and now < self._due <= now + LONGEST_WAIT:
            return False
        self._round.extend(self._parked(self._models.live()))
        self._freed = 0
        if not self._round:
            self._wait, self._due = FIRST_WAIT, now + FIRST_WAIT
        return bool(self._round)

    def _end_round(self) -> None:
        self._due = self._clock() + self._wait
        self._wait = FIRST_WAIT if self._freed else min(2 * self._wait, LONGEST_WAIT)

    def _parked(self, these: Sequence[Generation]) -> list[tuple[Generation, UUID]]:
        with self._models.engine.connect() as conn:
            rows = checkpoints.parked_streams(conn, self._models.ledger, these)
        return [(Generation(row.projection, row.generation), row.stream_id) for row in rows]

    def _release(self, generation: Generation, stream: UUID) -> bool:
        """Whether the stream is free now. In a transaction of its own, so that nobody waits for long."""
        # Not the one that folds the pages: it remembers no rows of a parked stream, and keeps those of the others.
        folder, ledger = self._models.new_folder(generation), self._models.ledger
        with writing(self._models.engine) as conn:
            # The checkpoint's lock keeps whoever folds from moving it on until this stream has caught up.
            at = checkpoints.positions(conn, ledger, [generation], lock=True)
            first = checkpoints.parked_at(conn, ledger, generation, stream)
            if first is None or generation.checkpoint not in at:
                return False  # somebody else was faster, or the generation is gone
            facts = self._models.stream(conn, stream, first, at[generation.checkpoint])
            folded = folder.fold(conn, Part(facts), (), first - 1)
            free = self._written(conn, folder, stream, folded)
        if free:
            log.info("stream_released", ledger=ledger, projection=generation.name, stream=str(stream))
        return free

    def _written(self, conn: Connection, folder: Folder, stream: UUID, folded: Folded) -> bool:
        """Whether the stream is free: its rows are written, or it is parked again with what is wrong now."""
        try:
            with conn.begin_nested():
                find_by_keys(conn)
                folder.unpark(conn, stream)
                folder.write(conn, folded)
        except Exception as fault:
            if out_of_reach(fault):
                raise
            # It stays parked as it was; the others are tried all the same.
            log.error(
                "stream_still_parked", ledger=self._models.ledger, stream=str(stream), fault=described(fault)
            )
            return False
        return not folded.parked
