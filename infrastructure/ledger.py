"""The ledger as readers see it: pages of what was recorded, one stream's story, and where it stood at a time."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from domain.dignity import named_in
from domain.kinds import Fact
from infrastructure.bell import PATIENCE_SECONDS, Bell
from infrastructure.mapper import Mapper
from infrastructure.record import Record
from infrastructure.recorder import read_head, read_records, to_record
from infrastructure.sealed import names, read_sealed, sealed_positions
from infrastructure.tables import events

PAGE: Final = 500
"""How many records one transaction reads: an old snapshot slows down everybody who appends."""


class Ledger:
    """Reads one ledger. Safe between threads; holds no transaction between calls."""

    def __init__(self, engine: Engine, mapper: Mapper, name: str = "main", bell: Bell | None = None) -> None:
        self.engine, self.name, self.bell = engine, name, bell or Bell()
        self._mapper = mapper

    def head(self) -> int:
        """The last position; 0 before the first event."""
        with self.engine.connect() as conn:
            return read_head(conn, self.name).position

    def records(self, after: int, limit: int = PAGE, upto: int | None = None) -> list[Record]:
        """The next records after a position, in order, at most up to another."""
        with self.engine.connect() as conn:
            return read_records(conn, self.name, after, limit, upto)

    def facts(self, after: int, limit: int = PAGE, personal: bool = False) -> list[Fact]:
        """The same as facts; personal fields are withheld unless asked for."""
        with self.engine.connect() as conn:
            found = read_records(conn, self.name, after, limit)
            return self._mapper.facts(found, conn if personal else None)

    def record(self, event_id: UUID) -> Record | None:
        """The record of this event."""
        query = select(events).where(events.c.ledger == self.name, events.c.event_id == event_id)
        with self.engine.connect() as conn:
            row = conn.execute(query).first()
            return None if row is None else to_record(row)

    def stream(
        self, stream_id: UUID, after_version: int = 0, to_version: int | None = None, personal: bool = False
    ) -> list[Fact]:
        """One customer's story in order, after one version and up to another. Empty when there is none."""
        told: list[Fact] = []
        while True:
            with self.engine.connect() as conn:
                page = self._versions(conn, stream_id, after_version, to_version)
                told += self._mapper.facts(page, conn if personal else None)
            if len(page) < PAGE:
                return told
            after_version = page[-1].version

    def about(self, colleague_id: UUID, after: int = 0) -> list[Fact]:
        """Every report after a position that names this colleague, and what he said to it, in order.

        Only as long as it can be read.
        """
        with self.engine.connect() as conn:
            positions = sealed_positions(conn, self.name, after)
        told: list[Fact] = []
        for some in _pages(positions):
            # Of the others nothing is opened but whom they name: nowhere stands beforehand who that is.
            with self.engine.connect() as conn:
                his = [one for one, who in names(conn, self._mapper, some).items() if who == colleague_id]
                facts = self._mapper.facts(read_sealed(conn, self.name, his), conn)
            told += [fact for fact in facts if named_in(fact.event) == colleague_id]
        return told

    def _versions(self, conn: Connection, stream_id: UUID, after: int, upto: int | None) -> list[Record]:
        query = select(events).where(events.c.ledger == self.name, events.c.stream_id == stream_id)
        query = query.where(events.c.version > after)
        if upto is not None:
            query = query.where(events.c.version <= upto)
        return [to_record(row) for row in conn.execute(query.order_by(events.c.version).limit(PAGE))]

    def recorded_at(self, positions: Collection[int]) -> dict[int, datetime]:
        """When the events at these positions were recorded."""
        query = select(events.c.position, events.c.recorded_at).where(
            events.c.ledger == self.name, events.c.position.in_(positions)
        )
        with self.engine.connect() as conn:
            return {row.position: row.recorded_at for row in conn.execute(query)} if positions else {}

    def position_at(self, time: datetime) -> int:
        """The last position recorded at or before a moment; 0 when there was none yet."""
        with self.engine.connect() as conn:
            low, high = 0, read_head(conn, self.name).position
            # Positions have no gaps and recorded_at never falls, so halving finds it without an index.
            while low < high:
                middle = (low + high + 1) // 2
                if self._recorded_at(conn, middle) <= time:
                    low = middle
                else:
                    high = middle - 1
            return low

    def _recorded_at(self, conn: Connection, position: int) -> datetime:
        query = select(events.c.recorded_at).where(events.c.ledger == self.name, events.c.position == position)
        recorded_at: datetime = conn.execute(query).scalar_one()
        return recorded_at

    def wait(self, position: int, timeout_seconds: float) -> bool:
        """Whether the ledger reached a position, within so many seconds."""
        until = monotonic() + timeout_seconds
        while True:
            heard = self.bell.rings
            if self.head() >= position:
                return True
            left = until - monotonic()
            if left <= 0:
                return False
            self.bell.wait(heard, min(left, PATIENCE_SECONDS))


def _pages(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    """The same, as many at once as one transaction reads."""
    return (positions[start : start + PAGE] for start in range(0, len(positions), PAGE))
