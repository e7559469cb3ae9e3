"""The projector: keeps every read model up to date with the ledger, page by page, each event exactly once.

A page's rows and the checkpoints that count it are written in one transaction, so whatever breaks, nothing is
folded twice and nothing is left out.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from domain.kinds import Fact
from infrastructure import generations
from infrastructure.bell import PATIENCE_SECONDS, Bell
from infrastructure.engine import writing
from infrastructure.folding import Folded, Folder, Parked, ProjectionLike, Unreadable, described
from infrastructure.generations import Generation, Wanted
from infrastructure.leases import Lease
from infrastructure.mapper import Mapper
from infrastructure.record import Record
from infrastructure.recorder import read_head, read_records, to_record
from infrastructure.tables import events

log = structlog.get_logger(__name__)
PAGE: Final = 500
"""How many events one transaction folds."""
Progress = Callable[[int, int], None]
"""Is told (position reached, position of the ledger's head)."""


def utc_now() -> datetime:
    """The system's clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A stream that waits for a fix of one projection."""

    projection: str
    stream_id: UUID
    position: int
    error: str


_PAUSE: Final = threading.Event()
"""Never set: waiting for it is a pause."""


class _Overtaken(Exception):
    """Another projector was faster: what we folded is out of date."""


class _TooCoarse(Exception):
    """Something in the page cannot be written: find out what, event by event."""


class Projector:
    """Folds one ledger into its read models. `mapper` names the ledger.

    Several may run; one at a time is active, by lease, and even two active ones fold each event exactly once.
    `moved` rings when positions moved in this process.
    """

    def __init__(
        self,
        engine: Engine,
        mapper: Mapper,
        projections: Sequence[ProjectionLike],
        *,
        bell: Bell | None = None,
        clock: Callable[[], datetime] = utc_now,
        page: int = PAGE,
    ) -> None:
        self._engine, self._mapper, self._ledger, self._page = engine, mapper, mapper.ledger, page
        self._projections = {one.name: one for one in projections}
        self._wanted = {one.name: Wanted(one.name, one.version) for one in projections}
        self._bell, self.moved = bell or Bell(), Bell()
        self._folders: dict[Generation, Folder] = {}
        holder = str(uuid4())
        self._lease = Lease(engine, self._ledger, "projector", holder, clock)
        self._leases = {
            one.name: Lease(engine, self._ledger, f"rebuild:{one.name}", holder, clock) for one in projections
        }
        self._turn = threading.RLock()
        self._untidy: set[str] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # Keeping up.

    def run_once(self, limit: int | None = None) -> int:
        """Folds the next page into every live read model of this program's version; gives the number of events.

        A read model whose rows are of another version is left alone: `rebuild` it first.
        """
        with self._turn:
            live = self._live()
            try:
                return self._fold(live, limit or self._page)
            except _Overtaken:
                return 0
            except _TooCoarse:
                return self._one_by_one(live, limit or self._page)

    def catch_up(self, progress: Progress | None = None) -> int:
        """Rebuilds what is of an older version, then folds up to the ledger's head; gives the number of events.

        Raises NewerGeneration when rows are of a newer version than this program's.
        """
        self.enter()
        self._refuse_newer()
        for name in self._unfinished():
            self.rebuild(name, progress)
        folded = 0
        while self.lag():
            folded += self.run_once()
            if progress:
                progress(self.position(), self.head())
        return folded

    def enter(self) -> None:
        """Makes the books of read models that are new here."""
        with writing(self._engine) as conn:
            generations.enter(conn, self._ledger, list(self._wanted.values()))

    def head(self) -> int:
        """The ledger's last position."""
        with self._engine.connect() as conn:
            return read_head(conn, self._ledger).position

    def position(self, *names: str) -> int:
        """How far these read models have come, the slowest of them; without names, of all."""
        with self._engine.connect() as conn:
            return generations.slowest(conn, self._ledger, names or tuple(self._projections))

    def lag(self) -> int:
        """How many events the slowest read model has not folded yet."""
        return max(0, self.head() - self.position())

    def wait(self, position: int, timeout_seconds: float, *names: str) -> bool:
        """Whether these read models (all of them) reached a position, within so many seconds."""
        until = monotonic() + timeout_seconds
        while True:
            heard = self.moved.rings
            if self.position(*names) >= position:
                return True
            left = until - monotonic()
            if left <= 0:
                return False
            # Another process may be the one that folds: look often, its bell does not ring here.
            self.moved.wait(heard, min(left, 0.05))

    # Streams that got stuck.

    def parked(self) -> list[ParkedStream]:
        """The streams that some live read model cannot fold."""
        with self._engine.connect() as conn:
            rows = generations.parked_streams(conn, self._ledger, self._live(conn))
        return [ParkedStream(row.projection, row.stream_id, row.position, row.error) for row in rows]

    def release(self) -> int:
        """Tries again to fold every parked stream from where it got stuck; gives how many are free now."""
        freed = 0
        with self._turn:
            for generation in self._live():
                freed += self._release(self._folder(generation))
        return freed

    # Rebuilding.

    def rebuild(self, name: str, progress: Progress | None = None) -> int:
        """Builds the read model anew beside the live one and switches when it has caught up.

        Reads go on meanwhile. Stopped anywhere, the next call goes on from there. Gives the position switched at.
        """
        self.enter()
        before, lease = self._number_of_live(name), self._leases[name]
        try:
            while not self._replaced(before):
                if not lease.hold():
                    # Somebody else builds it: wait for the end of that, or until nothing is heard of him any more.
                    _PAUSE.wait(0.2)
                    continue
                with self._turn:
                    position, _ = self._build(self._begin_building(name))
                if progress:
                    progress(position, self.head())
            while self._delete_some(name):
                lease.hold()
        finally:
            lease.release()
        return self.position(name)

    # As a thread.

    def start(self) -> None:
        """Starts folding in a thread of its own."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"projector-{self._ledger}", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread; the page under way is finished first."""
        self._stopping.set()
        self._bell.ring()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            self._thread = None

    def _run(self) -> None:
        entered = False
        while not self._stopping.is_set():
            heard = self._bell.rings
            try:
                if not self._lease.hold():
                    self._stopping.wait(PATIENCE_SECONDS)
                    continue
                if not entered:
                    self._begin()
                    entered = True
                if not self._work():
                    self._bell.wait(heard)
            except Exception as fault:  # noqa: BLE001 - the thread must outlive a lost database; it tries again
                log.warning("projector_failed", ledger=self._ledger, fault=described(fault))
                self._forget()
                self._stopping.wait(PATIENCE_SECONDS)
        self._end()

    def _begin(self) -> None:
        self.enter()
        try:
            self._refuse_newer()
        except generations.NewerGeneration as newer:
            # The others are folded all the same; this one is left to the newer program.
            log.error("newer_generation", ledger=self._ledger, projection=newer.name, version=newer.version)
        self.release()
        self._untidy = set(self._projections)

    def _work(self) -> bool:
        """One page for the live read models, one for each that is being built, and a batch of old rows deleted."""
        worked = self.run_once() > 0
        for name in self._unfinished():
            if self._leases[name].hold():
                self._build_on(name)
                worked = True
        return self._tidy() or worked

    def _build_on(self, name: str) -> None:
        with self._turn:
            _, switched = self._build(self._begin_building(name))
        if switched:
            self._leases[name].release()
            self._untidy.add(name)

    def _tidy(self) -> bool:
        """Deletes one batch of rows that nobody reads any more; whether there was one."""
        for name in sorted(self._untidy):
            if not self._leases[name].hold():
                continue  # whoever builds or deletes it now; we look again on a later turn
            if self._delete_some(name):
                return True
            self._untidy.discard(name)
            self._leases[name].release()
        return False

    def _end(self) -> None:
        try:
            for lease in (self._lease, *self._leases.values()):
                lease.release()
        except SQLAlchemyError as fault:
            log.warning("lease_kept", ledger=self._ledger, fault=type(fault).__name__)

    # One page.

    def _fold(self, live: Sequence[Generation], limit: int, *, careful: bool = False) -> int:
        """Reads and folds without a lock, then writes if the checkpoints still stand where they stood."""
        if not live:
            return 0
        with self._engine.connect() as conn:
            at = generations.positions(conn, self._ledger, live)
            if len(at) != len(live):
                raise _Overtaken
            page = self._read(conn, min(at.values()), limit)
            if not page:
                return 0
            upto = page[-1].position
            # Whoever is ahead of this page stays where he is.
            moving = [one for one in live if at[one.checkpoint] < upto]
            stuck = self._stuck(conn, moving)
            folded = [
                (one, one.fold(conn, page, stuck[one.generation], at[one.generation.checkpoint]))
                for one in map(self._folder, moving)
            ]
        at = {one.checkpoint: at[one.checkpoint] for one in moving}
        self._commit(folded, at, stuck, upto, careful=careful or len(page) == 1)
        return len(page)

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
            with writing(self._engine) as conn:
                if generations.positions(conn, self._ledger, live, lock=True) != at:
                    raise _Overtaken
                if self._stuck(conn, live) != stuck:
                    raise _Overtaken
                for folder, rows in folded:
                    self._write(conn, folder, rows, upto, careful=careful)
                generations.move(conn, self._ledger, live, upto)
        except BaseException:
            self._forget()
            raise
        for folder, rows in folded:
            folder.keep(rows, upto)
            self._alarm(folder.generation, rows.parked.values())
        self.moved.ring(upto)

    def _write(self, conn: Connection, folder: Folder, rows: Folded, upto: int, *, careful: bool) -> None:
        try:
            if careful:
                with conn.begin_nested():
                    folder.write(conn, rows)
            else:
                folder.write(conn, rows)
        except (OperationalError, InterfaceError):
            raise
        except Exception as fault:
            if not careful:
                raise _TooCoarse from fault
            # One event alone, and it cannot be written: its stream waits, everybody else goes on.
            stream = next(iter(rows.touched))
            rows.parked = {stream: Parked(stream, upto, described(fault))}
            folder.park(conn, rows.parked[stream])

    def _one_by_one(self, live: Sequence[Generation], limit: int) -> int:
        folded = 0
        try:
            while folded < limit and (one := self._fold(live, 1, careful=True)):
                folded += one
        except _Overtaken:
            return folded
        return folded

    def _read(self, conn: Connection, after: int, limit: int) -> list[Fact | Unreadable]:
        return [self._decoded(record) for record in read_records(conn, self._ledger, after, limit)]

    def _decoded(self, record: Record) -> Fact | Unreadable:
        try:
            return self._mapper.fact(record)
        except Exception as fault:  # noqa: BLE001 - one damaged event must not stop everybody else's
            return Unreadable(record.stream_id, record.position, described(fault))

    def _stuck(self, conn: Connection, live: Sequence[Generation]) -> dict[Generation, set[UUID]]:
        stuck: dict[Generation, set[UUID]] = {one: set() for one in live}
        for row in generations.parked_streams(conn, self._ledger, live):
            stuck[Generation(row.projection, row.generation)].add(row.stream_id)
        return stuck

    def _alarm(self, generation: Generation, parked: Iterable[Parked]) -> None:
        for one in parked:
            log.error(
                "stream_parked",
                ledger=self._ledger,
                projection=generation.name,
                stream=str(one.stream_id),
                position=one.position,
                fault=one.error,
            )

    # One page of a rebuild.

    def _begin_building(self, name: str) -> Generation:
        with writing(self._engine) as conn:
            return generations.begin_building(conn, self._ledger, self._wanted[name])

    def _build(self, built: Generation) -> tuple[int, bool]:
        """Folds one page into the generation being built; (position reached, whether it is live now)."""
        with self._engine.connect() as conn:
            live = generations.number_of_live(conn, self._ledger, built.name)
            at = generations.positions(conn, self._ledger, [built, live])
        position = at.get(built.checkpoint, 0)
        try:
            if max(at.get(live.checkpoint, 0), self.head()) - position <= self._page:
                return self._last_page(built, live)
            self._fold([built], self._page)
        except _Overtaken:
            pass
        except _TooCoarse:
            self._one_by_one([built], self._page)
        return position, False

    def _last_page(self, built: Generation, live: Generation) -> tuple[int, bool]:
        """Holds the live checkpoint, folds what is missing and switches, all in one transaction."""
        folder = self._folder(built)
        folder.forget()
        with writing(self._engine) as conn:
            at = generations.positions(conn, self._ledger, [built, live], lock=True)
            if built.checkpoint not in at:
                raise _Overtaken
            here, aim = at[built.checkpoint], at.get(live.checkpoint, 0)
            page = self._read(conn, here, self._page)
            upto = page[-1].position if page else here
            rows = folder.fold(conn, page, self._stuck(conn, [built])[built], here)
            self._write(conn, folder, rows, upto, careful=len(page) == 1)
            generations.move(conn, self._ledger, [built], upto)
            if upto >= aim and not generations.switch(conn, self._ledger, self._wanted[built.name], built):
                raise _Overtaken
        self._alarm(built, rows.parked.values())
        return upto, upto >= aim

    def _delete_some(self, name: str) -> bool:
        """Deletes a batch of rows of a generation that nobody reads any more; False when there is none left."""
        with writing(self._engine) as conn:
            old = generations.stale(conn, self._ledger, name)
            for generation in old[:1]:
                self._folders.pop(generation, None)
                generations.delete_rows(conn, self._ledger, generation, self._projections[name].tables)
        return bool(old)

    # Small things.

    def _number_of_live(self, name: str) -> Generation:
        with self._engine.connect() as conn:
            return generations.number_of_live(conn, self._ledger, name)

    def _replaced(self, before: Generation) -> bool:
        with self._engine.connect() as conn:
            return generations.replaced(conn, self._ledger, self._wanted[before.name], before)

    def _live(self, conn: Connection | None = None) -> list[Generation]:
        if conn is None:
            with self._engine.connect() as own:
                return self._live(own)
        return generations.live(conn, self._ledger, list(self._wanted.values()))

    def _refuse_newer(self) -> None:
        with self._engine.connect() as conn:
            generations.refuse_newer(conn, self._ledger, list(self._wanted.values()))

    def _unfinished(self) -> list[str]:
        with self._engine.connect() as conn:
            return generations.unfinished(conn, self._ledger, list(self._wanted.values()))

    def _folder(self, generation: Generation) -> Folder:
        if generation not in self._folders:
            self._folders[generation] = Folder(self._projections[generation.name], self._ledger, generation)
        return self._folders[generation]

    def _forget(self) -> None:
        for folder in self._folders.values():
            folder.forget()

    def _release(self, folder: Folder) -> int:
        freed = 0
        with writing(self._engine) as conn:
            at = generations.positions(conn, self._ledger, [folder.generation], lock=True)
            for row in generations.parked_streams(conn, self._ledger, [folder.generation]):
                facts = self._stream(conn, row.stream_id, row.position, at[folder.generation.checkpoint])
                folded = folder.fold(conn, facts, set(), row.position - 1)
                freed += self._released(conn, folder, row.stream_id, folded)
        folder.forget()
        return freed

    def _released(self, conn: Connection, folder: Folder, stream: UUID, folded: Folded) -> bool:
        """Whether the stream is free: its rows are written, or it is parked again with what is wrong now."""
        try:
            with conn.begin_nested():
                folder.unpark(conn, stream)
                folder.write(conn, folded)
        except (OperationalError, InterfaceError):
            raise
        except Exception as fault:  # noqa: BLE001 - it stays parked as it was; the others are tried all the same
            log.error("stream_still_parked", ledger=self._ledger, stream=str(stream), fault=described(fault))
            return False
        return not folded.parked

    def _stream(self, conn: Connection, stream: UUID, first: int, last: int) -> list[Fact | Unreadable]:
        query = select(events).where(events.c.ledger == self._ledger, events.c.stream_id == stream)
        query = query.where(events.c.position.between(first, last)).order_by(events.c.version)
        return [self._decoded(to_record(row)) for row in conn.execute(query)]
