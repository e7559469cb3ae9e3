"""Forgetting: sees to it that after its time nobody can read whom a report of poor treatment named."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Engine

from domain.dignity import KEPT
from domain.errors import Busy
from domain.kinds import AMENDS
from domain.moves.forgetting import EraseColleagueName
from domain.moves.treatment import TreatmentAnswered
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from infrastructure.orders import DUTIES_SOURCE, Order, Outcome
from infrastructure.record import Record
from infrastructure.rounds import Rounds
from infrastructure.sealed import key_of, read_sealed, sealed_positions
from infrastructure.sweeper import ANSWER_WITHIN_SECONDS

log = structlog.get_logger(__name__)
PAGE: Final = 500
AT_ONCE: Final = 20
"""So many orders wait for the writer at once."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A report whose time is over, and the answers to it."""

    stream: UUID
    records: tuple[Record, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(record.position for record in self.records)


class Forgetter:
    """Orders the writer to erase whom reports named that were recorded longer ago than names are kept.

    It needs no lease: the order has a key, so that of two who give it one is heard.
    """

    def __init__(
        self,
        engine: Engine,
        mapper: Mapper,
        keyring: Keyring,
        submit: Callable[[Order], "Future[Outcome]"],
        clock: Callable[[], datetime],
        *,
        every_seconds: float = 60.0,
    ) -> None:
        self._engine, self._mapper, self._keyring = engine, mapper, keyring
        self._submit, self._clock = submit, clock
        self._rounds = Rounds("forgetter", self.run_once, every_seconds, failed="forgetting_failed", at_once=True)

    def run_once(self) -> int:
        """Erases what is due now. Gives how many reports that were."""
        waiting, erased = self._due(self._clock() - KEPT), 0
        while waiting and not self._rounds.stopping:
            # A few at a time: half a year's worth at once would fill the queue that everybody waits in.
            some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            erased += sum(_erased(stream, future) for stream, future in list(self._posted(some)))
        return erased

    def start(self) -> None:
        """Starts a thread of its own."""
        self._rounds.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread."""
        self._rounds.stop(timeout_seconds)

    def _due(self, before: datetime) -> list[_Due]:
        """What was recorded at or before this moment."""
        with self._engine.connect() as conn:
            positions = sealed_positions(conn, self._mapper.ledger)
        if not self._any(positions, before):
            return []
        sealed = list(self._sealed(positions))
        answers: dict[int, list[Record]] = {}
        for record in sealed:
            report = self._report_of(record)
            if report is not None:
                answers.setdefault(report, []).append(record)
        reports = {record.position for record in sealed}
        return [
            _Due(record.stream_id, (record, *answers.get(record.position, ())))
            for record in sealed
            # An answer goes with its report; one to a report that is gone, or named nobody, has a time of its own.
            if record.recorded_at <= before and self._report_of(record) not in reports
        ]

    def _any(self, positions: Sequence[int], before: datetime) -> bool:
        """Whether the oldest is so old; recorded_at never falls within a ledger."""
        return any(one.recorded_at <= before for one in self._sealed(positions[:1]))

    def _sealed(self, positions: Sequence[int]) -> Iterator[Record]:
        for start in range(0, len(positions), PAGE):
            with self._engine.connect() as conn:
                page = read_sealed(conn, self._mapper.ledger, positions[start : start + PAGE])
            yield from page

    def _report_of(self, record: Record) -> int | None:
        event = self._mapper.fact(record).event
        return event.report if isinstance(event, TreatmentAnswered) else None

    def _posted(self, due: list[_Due]) -> Iterator[tuple[UUID, "Future[Outcome]"]]:
        for one in due:
            try:
                yield one.stream, self._submit(self._order(one))
            except Busy:
                return  # whoever waits is served first; the rest is still due

    def _order(self, due: _Due) -> Order:
        key = f"forget:{due.positions[0]}"
        return Order(
            command=EraseColleagueName(
                positions=due.positions, key_ids=tuple(key_of(record) for record in due.records)
            ),
            stream=due.stream,
            actor=AMENDS,
            source=DUTIES_SOURCE,
            key=key,
            fingerprint=self._keyring.fingerprint(key.encode()),
        )


def _erased(stream: UUID, future: "Future[Outcome]") -> bool:
    try:
        fault = future.exception(ANSWER_WITHIN_SECONDS)
    except (TimeoutError, CancelledError) as late:
        fault = late
    if fault is not None:
        log.warning("forgetting_failed", stream=str(stream), fault=type(fault).__name__)
    return fault is None
