"""The read models of one ledger, and how a page of events gets into them.

Folding holds no lock. What was folded is written in one transaction with the checkpoints that count it, and only
if they still stand where they stood.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, select

from domain.errors import NewerProgramNeeded
from infrastructure import checkpoints, generations, record
from infrastructure.bell import Bell
from infrastructure.checkpoints import Generation
from infrastructure.engine import begin_writing, out_of_reach, writing
from infrastructure.folding import Folder, described
from infrastructure.folding_transactions import leave_to_later, only_reading
from infrastructure.generations import Standing, Wanted
from infrastructure.halves import Overtaken, TooCoarse
from infrastructure.mapper import Mapper
from infrastructure.memory import uncollected
from infrastructure.recorder import TOLD, read_head, read_told
from infrastructure.rows import looking
from infrastructure.stories import Folded, Parked, Part, ProjectionLike, Told, Unreadable
from infrastructure.tables import events

log = structlog.get_logger(__name__)
AT_ONCE: Final = 500
"""So many events are in memory at a time, however many a page holds: of the others only what they changed is."""


@dataclass(frozen=True, slots=True)
class Page:
    """How many events were folded together, and the position of the last of them."""

    events: int
    upto: int


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
            with looking(self.engine) as own:
                return self.live(own)
        return generations.live(conn, self.ledger, list(self.wanted.values()))

    def unfinished(self) -> list[str]:
        """Those of an older version than this program's, or whose rebuild has not finished."""
        with looking(self.engine) as conn:
            return generations.unfinished(conn, self.ledger, list(self.wanted.values()))

    def refuse_newer(self) -> None:
        """Raises NewerGeneration when one of them is a newer program's."""
        with looking(self.engine) as conn:
            generations.refuse_newer(conn, self.ledger, list(self.wanted.values()))

    def head(self) -> int:
        """The ledger's last position."""
        with looking(self.engine) as conn:
            return read_head(conn, self.ledger).position

    def position(self, *names: str) -> int:
        """How far these read models have come, the slowest of them; without names, of all."""
        with looking(self.engine) as conn:
            return checkpoints.slowest(conn, self.ledger, names or tuple(self.projections))

    def standing(self) -> Standing:
        """Where the live ones stand, and what is left to build."""
        with looking(self.engine) as conn:
            return generations.standing(conn, self.ledger, list(self.wanted.values()))

    # One page.

    def fold(self, standing: Standing, limit: int) -> int:
        """Folds the next page into the generations that stand there; gives the number of events.

        Of a page that is small, because all is caught up, the first read model is written before the others are
        folded: it can be seen in a third of the time. A crash in between leaves it ahead of them.

        Raises Overtaken when somebody else folded it, TooCoarse when it cannot be written as it is.
        """
        if not standing.at:
            return 0
        with uncollected(), self.engine.connect() as conn:
            with only_reading(conn):
                begun = Part(self.read(conn, min(standing.at.values()), min(AT_ONCE, limit)))
            every, folded = list(standing.at), 0
            small = len(begun.events) < min(AT_ONCE, limit)
            for some in (every[:1], every[1:]) if small else (every,):
                if some:
                    folded = self._fold(conn, some, standing, limit, begun).events
        return folded

    def _fold(
        self,
        conn: Connection,
        these: Sequence[Generation],
        standing: Standing,
        limit: int,
        begun: Part,
    ) -> Page:
        """Folds and writes the page that begins with these events for some of those that stand there."""
        folders = [(self.folder(one), standing.at[one]) for one in these]
        # A transaction of its own: writing must see what the others have written meanwhile.
        with only_reading(conn):
            changed, page = self.folded(conn, folders, standing.stuck, limit, begun)
        # Whoever is ahead of this page stays where he is.
        moving = [
            (folder, rows) for (folder, where), rows in zip(folders, changed, strict=True) if where < page.upto
        ]
        if moving:
            self._write(conn, moving, standing, page)
        return page

    def folded(
        self,
        conn: Connection,
        standing: Sequence[tuple[Folder, int]],
        stuck: Mapping[Generation, set[UUID]],
        limit: int,
        begun: Part | None = None,
    ) -> tuple[list[Folded], Page]:
        """What the next page of events changes for each of these, whose rows stand at that position.

        `begun` are the first events of the page, where they were read already.
        """
        changed = [Folded() for _ in standing]
        page = Page(0, min(where for _, where in standing))
        while page.events < limit:
            most = min(AT_ONCE, limit - page.events)
            part = Part(self.read(conn, page.upto, most)) if begun is None or page.events else begun
            for (folder, where), onto in zip(standing, changed, strict=True):
                folder.fold(conn, part, stuck[folder.generation], where, onto)
            if part.events:
                page = Page(page.events + len(part.events), part.events[-1].position)
            if len(part.events) < most:
                break
        return changed, page

    def _write(
        self, conn: Connection, moving: Sequence[tuple[Folder, Folded]], standing: Standing, page: Page
    ) -> None:
        moved = [folder.generation for folder, _ in moving]
        try:
            with begin_writing(conn):
                leave_to_later(conn)
                self._refuse_overtaken(conn, moved, standing)
                for folder, rows in moving:
                    self.write(conn, folder, rows, page)
                checkpoints.move(conn, self.ledger, moved, page.upto)
        except BaseException:
            # Nobody knows what was committed of these; the others have not been touched.
            for folder, _ in moving:
                folder.forget()
            raise
        for folder, rows in moving:
            folder.keep(rows, page.upto)
            self.alarm(folder.generation, rows.parked)
        self.moved.ring(page.upto)

    def _refuse_overtaken(self, conn: Connection, moved: Sequence[Generation], standing: Standing) -> None:
        """Locks the checkpoints. Raises Overtaken when they, or what is parked, are not as they were."""
        expected = {one.checkpoint: standing.at[one] for one in moved}
        if checkpoints.positions(conn, self.ledger, moved, lock=True) != expected:
            raise Overtaken
        if self.stuck(conn, moved) != {one: standing.stuck[one] for one in moved}:
            raise Overtaken

    def write(self, conn: Connection, folder: Folder, rows: Folded, page: Page) -> None:
        """Writes what was folded of a page. One event alone that cannot be written parks its stream.

        Raises TooCoarse when there are several.
        """
        if not rows.streams:
            return
        alone = page.events == 1
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
                raise TooCoarse(page.events) from fault
            # One event alone, and it cannot be written: its stream waits, everybody else goes on.
            (stream,) = rows.streams
            stuck = Parked(stream, page.upto, described(fault))
            rows.park(stuck)
            folder.park(conn, stuck)

    # What is read for it.

    def read(self, conn: Connection, after: int, limit: int) -> list[Told]:
        """The next events after a position."""
        return [self._decoded(one) for one in read_told(conn, self.ledger, after, limit)]

    def stream(self, conn: Connection, stream: UUID, first: int, last: int) -> list[Told]:
        """The events of one stream between two positions, both included."""
        query = select(*TOLD).where(events.c.ledger == self.ledger, events.c.stream_id == stream)
        query = query.where(events.c.position.between(first, last)).order_by(events.c.version)
        return [self._decoded(record.Told(*row)) for row in conn.execute(query)]

    def _decoded(self, stored: record.Told) -> Told:
        try:
            return self.mapper.known(stored)
        except NewerProgramNeeded:
            # Passed over, it would be missing from the rows for ever: its stream waits for who can read it.
            return Unreadable(stored.stream_id, stored.position, f"{stored.topic} is a newer program's")
        except Exception as fault:  # noqa: BLE001 - one damaged event must not stop everybody else's
            return Unreadable(stored.stream_id, stored.position, described(fault))

    def stuck(self, conn: Connection, live: Sequence[Generation]) -> dict[Generation, set[UUID]]:
        """The streams parked in each of these generations."""
        stuck: dict[Generation, set[UUID]] = {one: set() for one in live}
        for row in checkpoints.parked_streams(conn, self.ledger, live):
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

    def drop_replaced(self, live: Collection[Generation]) -> None:
        """Forgets the generations that somebody else's rebuild has replaced, or given up."""
        beside = [one for one in list(self._folders) if one not in live]
        if not beside:
            return
        with looking(self.engine) as conn:
            current = generations.current(conn, self.ledger)
        for one in beside:
            if one not in current:
                self.drop(one)

    def forget(self) -> None:
        """Forgets every row: nobody knows what was committed."""
        for folder in list(self._folders.values()):
            folder.forget()
