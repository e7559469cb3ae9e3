"""The read models of one ledger, and how a page of events gets into them.

Folding holds no lock. What was folded is written in one transaction with the checkpoints that count it, and only
if they still stand where they stood.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import InterfaceError, OperationalError

from domain.kinds import Fact
from infrastructure import generations
from infrastructure.bell import Bell
from infrastructure.engine import writing
from infrastructure.folding import Folded, Folder, Parked, ProjectionLike, Unreadable, described
from infrastructure.generations import Generation, Wanted
from infrastructure.mapper import ForeignEvent, Mapper, is_ours
from infrastructure.memory import uncollected
from infrastructure.record import Record
from infrastructure.recorder import read_head, read_records, to_record
from infrastructure.tables import events

log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """Another projector was faster: what we folded is out of date."""


class TooCoarse(Exception):
    """Something in the page cannot be written: find out what, event by event."""


def out_of_reach(fault: Exception) -> bool:
    """Whether the database is at fault, gone or full, rather than what was to be written.

    PostgreSQL counts what is too large for it, an index row for one, among the faults of operation (class 54).
    """
    too_large = str(getattr(getattr(fault, "orig", None), "sqlstate", None)).startswith("54")
    return isinstance(fault, OperationalError | InterfaceError) and not too_large


class ReadModels:
    """The read models that this program knows, by name. `moved` rings when their positions moved here."""

    def __init__(self, engine: Engine, mapper: Mapper, projections: Sequence[ProjectionLike], moved: Bell) -> None:
        self.engine, self.mapper, self.ledger, self.moved = engine, mapper, mapper.ledger, moved
        self.projections: Mapping[str, ProjectionLike] = {one.name: one for one in projections}
        self.wanted = {one.name: Wanted(one.name, one.version) for one in projections}
        self._folders: dict[Generation, Folder] = {}

    # Which there are, and how far they have come.

    def enter(self) -> None:
        """Makes the books of read models that are new here."""
        with writing(self.engine) as conn:
            generations.enter(conn, self.ledger, list(self.wanted.values()))

    def live(self, conn: Connection | None = None) -> list[Generation]:
        """The generations that are read and are of this program's version."""
        if conn is None:
            with self.engine.connect() as own:
                return self.live(own)
        return generations.live(conn, self.ledger, list(self.wanted.values()))

    def unfinished(self) -> list[str]:
        """Those of an older version than this program's, or whose rebuild has not finished."""
        with self.engine.connect() as conn:
            return generations.unfinished(conn, self.ledger, list(self.wanted.values()))

    def refuse_newer(self) -> None:
        """Raises NewerGeneration when one of them is a newer program's."""
        with self.engine.connect() as conn:
            generations.refuse_newer(conn, self.ledger, list(self.wanted.values()))

    def head(self) -> int:
        """The ledger's last position."""
        with self.engine.connect() as conn:
            return read_head(conn, self.ledger).position

    def position(self, *names: str) -> int:
        """How far these read models have come, the slowest of them; without names, of all."""
        with self.engine.connect() as conn:
            return generations.slowest(conn, self.ledger, names or tuple(self.projections))

    # One page.

    def fold(self, live: Sequence[Generation], limit: int, *, careful: bool = False) -> int:
        """Folds the next page into these generations; gives the number of events.

        Raises Overtaken when somebody else folded it, TooCoarse when it can only be written event by event.
        """
        if not live:
            return 0
        with self.engine.connect() as conn, uncollected():
            at = generations.positions(conn, self.ledger, live)
            if len(at) != len(live):
                raise Overtaken
            page = self.read(conn, min(at.values()), limit)
            if not page:
                return 0
            upto = page[-1].position
            # Whoever is ahead of this page stays where he is.
            moving = [one for one in live if at[one.checkpoint] < upto]
            stuck = self.stuck(conn, moving)
            folded = [
                (one, one.fold(conn, page, stuck[one.generation], at[one.generation.checkpoint]))
                for one in map(self.folder, moving)
            ]
        at = {one.checkpoint: at[one.checkpoint] for one in moving}
        self._commit(folded, at, stuck, upto, careful=careful or len(page) == 1)
        return len(page)

    def one_by_one(self, live: Sequence[Generation], limit: int) -> int:
        """Folds up to so many events, each in a transaction of its own, so that a bad one is found alone."""
        folded = 0
        try:
            while folded < limit and (one := self.fold(live, 1, careful=True)):
                folded += one
        except Overtaken:
            return folded
        return folded

    def _commit(
        self,
        folded: list[tuple[Folder, Folded]],
        at: dict[str, int],
        stuck: dict[Generation, set[UUID]],
        upto: int,
        *,
        careful: bool,
    ) -> None:
        live = [folder.generation for folder, _ in folded]
        try:
            with writing(self.engine) as conn:
                if generations.positions(conn, self.ledger, live, lock=True) != at:
                    raise Overtaken
                if self.stuck(conn, live) != stuck:
                    raise Overtaken
                for folder, rows in folded:
                    self.write(conn, folder, rows, upto, careful=careful)
                generations.move(conn, self.ledger, live, upto)
        except BaseException:
            self.forget()
            raise
        for folder, rows in folded:
            folder.keep(rows, upto)
            self.alarm(folder.generation, rows.parked.values())
        self.moved.ring(upto)

    def write(self, conn: Connection, folder: Folder, rows: Folded, upto: int, *, careful: bool) -> None:
        """Writes what was folded. When one event alone (`careful`) cannot be written, its stream is parked.

        Raises TooCoarse when there are several.
        """
        try:
            if careful:
                with conn.begin_nested():
                    folder.write(conn, rows)
            else:
                folder.write(conn, rows, quickly=True)
        except Exception as fault:
            if out_of_reach(fault):
                raise
            if not careful:
                raise TooCoarse from fault
            # One event alone, and it cannot be written: its stream waits, everybody else goes on.
            stream = next(iter(rows.touched))
            rows.parked = {stream: Parked(stream, upto, described(fault))}
            folder.park(conn, rows.parked[stream])

    # What is read for it.

    def read(self, conn: Connection, after: int, limit: int) -> list[Fact | Unreadable]:
        """The next events after a position."""
        return [self._decoded(record) for record in read_records(conn, self.ledger, after, limit)]

    def stream(self, conn: Connection, stream: UUID, first: int, last: int) -> list[Fact | Unreadable]:
        """The events of one stream between two positions, both included."""
        query = select(events).where(events.c.ledger == self.ledger, events.c.stream_id == stream)
        query = query.where(events.c.position.between(first, last)).order_by(events.c.version)
        return [self._decoded(to_record(row)) for row in conn.execute(query)]

    def _decoded(self, record: Record) -> Fact | Unreadable:
        try:
            fact = self.mapper.fact(record)
        except Exception as fault:  # noqa: BLE001 - one damaged event must not stop everybody else's
            return Unreadable(record.stream_id, record.position, described(fault))
        if isinstance(fact.event, ForeignEvent) and is_ours(record):
            # Passed over, it would be missing from the rows for ever: its stream waits for who can read it.
            return Unreadable(record.stream_id, record.position, f"{record.topic} is a newer program's")
        return fact

    def stuck(self, conn: Connection, live: Sequence[Generation]) -> dict[Generation, set[UUID]]:
        """The streams parked in each of these generations."""
        stuck: dict[Generation, set[UUID]] = {one: set() for one in live}
        for row in generations.parked_streams(conn, self.ledger, live):
            stuck[Generation(row.projection, row.generation)].add(row.stream_id)
        return stuck

    def alarm(self, generation: Generation, parked: Iterable[Parked]) -> None:
        """Tells whoever reads the log that these streams wait for a fix."""
        for one in parked:
            log.error(
                "stream_parked",
                ledger=self.ledger,
                projection=generation.name,
                stream=str(one.stream_id),
                position=one.position,
                fault=one.error,
            )

    # What is remembered between pages.

    def folder(self, generation: Generation) -> Folder:
        """The one that folds this generation."""
        if generation not in self._folders:
            self._folders[generation] = Folder(self.projections[generation.name], self.ledger, generation)
        return self._folders[generation]

    def drop(self, generation: Generation) -> None:
        """Forgets a generation that nobody folds any more."""
        self._folders.pop(generation, None)

    def forget(self) -> None:
        """Forgets every row: nobody knows what was committed."""
        for folder in self._folders.values():
            folder.forget()
