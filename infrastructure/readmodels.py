"""The read models of one ledger, and how a page of events gets into them.

Folding holds no lock. What was folded is written in one transaction with the checkpoints that count it, and only
if they still stand where they stood.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from domain.kinds import Fact
from infrastructure import generations
from infrastructure.bell import Bell
from infrastructure.engine import out_of_reach, writing
from infrastructure.folding import Folded, Folder, Parked, ProjectionLike, Unreadable, described
from infrastructure.generations import Generation, Wanted
from infrastructure.mapper import ForeignEvent, Mapper, is_ours
from infrastructure.memory import uncollected
from infrastructure.pace import Pace
from infrastructure.record import Record
from infrastructure.recorder import read_head, read_records, to_record
from infrastructure.tables import events

log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """Another projector was faster: what we folded is out of date."""


class TooCoarse(Exception):
    """Something in a page of so many events cannot be written: find out what, in smaller pages."""

    def __init__(self, events: int) -> None:
        super().__init__(f"one of {events} events")
        self.events = events


@contextmanager
def in_halves(pace: Pace, ledger: str) -> Iterator[None]:
    """Where a page fails in the block, the next is half of it: no turn does more than one page.

    Raises what a database out of reach said of a single event.
    """
    try:
        yield
    except TooCoarse as coarse:
        pace.failed(coarse.events)
    except SQLAlchemyError as fault:
        # It may have taken longer than a statement may, or more than there is room for.
        if not (out_of_reach(fault) and pace.failed()):
            raise
        log.warning("page_halved", ledger=ledger, events=pace.page, fault=described(fault))


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

    def fold(self, live: Sequence[Generation], limit: int) -> int:
        """Folds the next page into these generations; gives the number of events.

        Raises Overtaken when somebody else folded it, TooCoarse when it cannot be written as it is.
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
        self._commit(folded, at, stuck, page)
        return len(page)

    def _commit(
        self,
        folded: list[tuple[Folder, Folded]],
        at: dict[str, int],
        stuck: dict[Generation, set[UUID]],
        page: Sequence[Fact | Unreadable],
    ) -> None:
        live, upto = [folder.generation for folder, _ in folded], page[-1].position
        try:
            with writing(self.engine) as conn:
                if generations.positions(conn, self.ledger, live, lock=True) != at:
                    raise Overtaken
                if self.stuck(conn, live) != stuck:
                    raise Overtaken
                for folder, rows in folded:
                    self.write(conn, folder, rows, page)
                generations.move(conn, self.ledger, live, upto)
        except BaseException:
            # Nobody knows what was committed of these; the others have not been touched.
            for folder, _ in folded:
                folder.forget()
            raise
        for folder, rows in folded:
            folder.keep(rows, upto)
            self.alarm(folder.generation, rows.parked.values())
        self.moved.ring(upto)

    def write(self, conn: Connection, folder: Folder, rows: Folded, page: Sequence[Fact | Unreadable]) -> None:
        """Writes what was folded of a page. One event alone that cannot be written parks its stream.

        Raises TooCoarse when there are several.
        """
        alone = len(page) == 1
        try:
            if alone:
                with conn.begin_nested():
                    folder.write(conn, rows)
            else:
                folder.write(conn, rows, quickly=True)
        except Exception as fault:
            if out_of_reach(fault):
                raise
            if not alone:
                raise TooCoarse(len(page)) from fault
            # One event alone, and it cannot be written: its stream waits, everybody else goes on.
            stream = next(iter(rows.touched))
            rows.parked = {stream: Parked(stream, page[0].position, described(fault))}
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
            self._folders[generation] = self.new_folder(generation)
        return self._folders[generation]

    def new_folder(self, generation: Generation) -> Folder:
        """One of one's own, which remembers nothing."""
        return Folder(self.projections[generation.name], self.ledger, generation)

    def drop(self, generation: Generation) -> None:
        """Forgets a generation that nobody folds any more."""
        self._folders.pop(generation, None)

    def drop_replaced(self, live: Sequence[Generation]) -> None:
        """Forgets the generations that somebody else's rebuild has replaced, or given up."""
        beside = [one for one in list(self._folders) if one not in live]
        if not beside:
            return
        with self.engine.connect() as conn:
            current = generations.current(conn, self.ledger)
        for one in beside:
            if one not in current:
                self.drop(one)

    def forget(self) -> None:
        """Forgets every row: nobody knows what was committed."""
        for folder in list(self._folders.values()):
            folder.forget()
