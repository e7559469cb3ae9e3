"""The projector: keeps every read model up to date with the ledger, page by page, each event exactly once.

A page's rows and the checkpoints that count it are written in one transaction, so whatever breaks, nothing is
folded twice and nothing is left out.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic, thread_time
from typing import Final
from uuid import uuid4

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from infrastructure.bell import PATIENCE_SECONDS, Bell
from infrastructure.clock import utc_now
from infrastructure.folding import described
from infrastructure.generations import NewerGeneration, Standing
from infrastructure.halves import Overtaken, in_halves
from infrastructure.leases import Lease
from infrastructure.mapper import Mapper
from infrastructure.pace import MOST, Pace, rest_after
from infrastructure.parking import ParkedStream, Parking
from infrastructure.readmodels import ReadModels
from infrastructure.reasons import codes
from infrastructure.rebuilding import Progress, Rebuilding
from infrastructure.sidejobs import SideJobs
from infrastructure.stories import ProjectionLike

log = structlog.get_logger(__name__)
PAGE: Final = MOST
"""How many events one transaction folds at most."""


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
        self._ledger, self._pace = mapper.ledger, Pace(page)
        self._bell, self.moved = bell or Bell(), Bell()
        self._turn = threading.RLock()
        self._models = ReadModels(engine, mapper, projections, self.moved)
        self._parking = Parking(self._models, clock)
        holder = str(uuid4())
        self._lease = Lease(engine, self._ledger, "projector", holder, clock)
        self._leases = {
            one.name: Lease(engine, self._ledger, f"rebuild:{one.name}", holder, clock) for one in projections
        }
        self._rebuilding = Rebuilding(self._models, self._leases, self._turn, page)
        self._side_jobs = SideJobs(self._ledger)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._rest = 0.0

    # Keeping up.

    def run_once(self) -> int:
        """Folds the next page into every live read model of this program's version; gives the number of events.

        A read model whose rows are of another version is left alone: `rebuild` it first. A page that fails is left
        to the next calls, in halves; raises what a database out of reach said of a single event.
        """
        return self._turned()[0]

    def _turned(self) -> tuple[int, Sequence[str]]:
        """(Events folded, read models that are left to build)."""
        with self._turn:
            standing, folded = self._models.standing(), 0
            self._models.drop_replaced(standing.at)
            self._rest = 0.0
            with suppress(Overtaken), in_halves(self._pace, self._ledger):
                folded = self._fold(standing, self._pace.page)
            return folded, standing.unfinished

    def _fold(self, standing: Standing, most: int) -> int:
        begun, working = monotonic(), thread_time()
        folded = self._models.fold(standing, most)
        worked = thread_time() - working
        self._pace.took(folded, monotonic() - begun)
        self._rest = rest_after(worked) if 0 < folded < most else 0.0
        return folded

    def catch_up(self, progress: Progress | None = None) -> int:
        """Rebuilds what is of an older version, then folds up to the ledger's head; gives the number of events.

        Raises NewerGeneration when rows are of a newer version than this program's.
        """
        self.enter()
        self._models.refuse_newer()
        for name in self._models.unfinished():
            self.rebuild(name, progress)
        folded = 0
        while self.lag():
            folded += self.run_once()
            if progress:
                progress(self.position(), self.head())
        return folded

    def enter(self) -> None:
        """Makes the books of read models that are new here."""
        self._models.enter()

    def head(self) -> int:
        """The ledger's last position."""
        return self._models.head()

    def position(self, *names: str) -> int:
        """How far these read models have come, the slowest of them; without names, of all."""
        return self._models.position(*names)

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

    # Streams that got stuck, and read models made anew.

    def parked(self) -> list[ParkedStream]:
        """The streams that some live read model cannot fold."""
        return self._parking.streams()

    def release(self) -> int:
        """Tries again to fold every parked stream from where it got stuck; gives how many are free now."""
        with self._turn:
            return self._parking.release(self._models.live())

    def rebuild(self, name: str, progress: Progress | None = None) -> int:
        """Builds the read model anew beside the live one and switches when it has caught up.

        Reads go on meanwhile. Stopped anywhere, the next call goes on from there. Gives the position switched at.
        """
        self.enter()
        return self._rebuilding.rebuild(name, progress)

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
                self._work_or_rest(heard)
            except Exception as fault:  # noqa: BLE001 - the thread must outlive a lost database; it tries again
                log.warning("projector_failed", ledger=self._ledger, fault=described(fault), **codes(fault))
                with self._turn:
                    self._models.forget()
                self._stopping.wait(PATIENCE_SECONDS)
        self._end()

    def _begin(self) -> None:
        self.enter()
        try:
            self._models.refuse_newer()
        except NewerGeneration as newer:
            # The others are folded all the same; this one is left to the newer program.
            log.error("newer_generation", ledger=self._ledger, projection=newer.name, version=newer.version)
        self._rebuilding.look_for_old_rows()

    def _work_or_rest(self, heard: int) -> None:
        """A turn, then time for events to gather; with nothing to do, until the bell rings."""
        if not self._work():
            self._bell.wait(heard)
        elif self._rest:
            self._stopping.wait(self._rest)

    def _work(self) -> bool:
        """A page for live read models, one for each being built, some parked streams, a batch of old rows."""
        folded, unfinished = self._turned()
        worked = folded > 0 or self._pace.halved
        worked = self._rebuilding.go_on(unfinished) or worked
        worked = self._side_jobs.done("parked", self._retry) or worked
        return self._side_jobs.done("tidy", self._rebuilding.tidy) or worked

    def _retry(self) -> bool:
        with self._turn:
            return self._parking.retry()

    def _end(self) -> None:
        try:
            for lease in (self._lease, *self._leases.values()):
                lease.release()
        except SQLAlchemyError as fault:
            log.warning("lease_kept", ledger=self._ledger, fault=type(fault).__name__)
