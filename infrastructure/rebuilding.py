"""Rebuilding: a read model made anew beside the one that is read, which it then replaces in one commit."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Final

from infrastructure import checkpoints, generations
from infrastructure.checkpoints import Generation
from infrastructure.engine import writing
from infrastructure.generations import Standing
from infrastructure.halves import Overtaken, in_halves
from infrastructure.leases import Lease
from infrastructure.pace import Pace
from infrastructure.readmodels import ReadModels
from infrastructure.rows import find_by_keys
from infrastructure.sidejobs import SideJobs

Progress = Callable[[int, int], None]
"""Is told (position reached, position of the ledger's head)."""
_PAUSE: Final = threading.Event()
"""Never set: waiting for it is a pause."""


class Rebuilding:
    """Builds read models page by page, one builder at a time each, by lease. `turn` keeps threads apart."""

    def __init__(self, models: ReadModels, leases: Mapping[str, Lease], turn: threading.RLock, page: int) -> None:
        self._models, self._leases, self._turn = models, leases, turn
        # One each: a page that is too large for one read model may be small for another.
        self._paces = {name: Pace(page) for name in leases}
        self._side_jobs = SideJobs(models.ledger)
        self._engine, self._ledger = models.engine, models.ledger
        self._untidy: set[str] = set()

    def rebuild(self, name: str, progress: Progress | None = None) -> int:
        """Builds the read model to the end and switches; gives the position switched at."""
        before, lease = self._number_of_live(name), self._leases[name]
        try:
            while not self._replaced(before):
                if not lease.hold():
                    # Somebody else builds it: wait for the end of that, or until nothing is heard of him any more.
                    _PAUSE.wait(0.2)
                    continue
                position, _ = self._build_a_page(name, before)
                if progress and position is not None:
                    progress(position, self._models.head())
            while self._delete_some(name):
                lease.hold()
        finally:
            lease.release()
        return self._models.position(name)

    def go_on(self, unfinished: Sequence[str]) -> bool:
        """Builds one page of each of these read models; whether there was one."""
        worked = False
        for name in unfinished:
            if self._leases[name].hold():
                worked = self._side_jobs.done(f"rebuild:{name}", partial(self._build_on, name)) or worked
        return worked

    def look_for_old_rows(self) -> None:
        """From now on `tidy` looks at every read model: a program that ended may have left old rows."""
        self._untidy = set(self._models.projections)

    def tidy(self) -> bool:
        """Deletes one batch of rows that nobody reads any more; whether there was one."""
        for name in sorted(self._untidy):
            if not self._leases[name].hold():
                continue  # whoever builds or deletes it now; we look again on a later turn
            if self._delete_some(name):
                return True
            self._untidy.discard(name)
            self._leases[name].release()
        return False

    def _build_on(self, name: str) -> bool:
        position, done = self._build_a_page(name)
        if done:
            self._leases[name].release()
            self._untidy.add(name)
        return position is not None

    def _build_a_page(self, name: str, instead_of: Generation | None = None) -> tuple[int | None, bool]:
        """(Position reached, whether there is nothing left to build); no position when somebody else built it."""
        with self._turn:
            built = self._begin(name, instead_of)
            return self._build(built) if built else (None, True)

    def _begin(self, name: str, instead_of: Generation | None) -> Generation | None:
        # Decided where it is written: the lease saves double work, but whoever had it until now may have switched.
        with writing(self._engine) as conn:
            return generations.begin_building(conn, self._ledger, self._models.wanted[name], instead_of)

    def _build(self, built: Generation) -> tuple[int, bool]:
        """Folds one page into the generation being built; (position reached, whether it is live now)."""
        with self._engine.connect() as conn:
            live = generations.number_of_live(conn, self._ledger, built.name)
            at = checkpoints.positions(conn, self._ledger, [built, live])
        position, pace = at.get(built.checkpoint, 0), self._paces[built.name]
        with suppress(Overtaken), in_halves(pace, self._ledger):
            if max(at.get(live.checkpoint, 0), self._models.head()) - position <= pace.page:
                return self._last_page(built, live, pace.page)
            begun = monotonic()
            pace.took(self._models.fold(self._standing(built), pace.page), monotonic() - begun)
        return position, False

    def _standing(self, built: Generation) -> Standing:
        with self._engine.connect() as conn:
            at = checkpoints.positions(conn, self._ledger, [built])
            if not at:
                raise Overtaken
            return Standing({built: at[built.checkpoint]}, self._models.stuck(conn, [built]), [])

    def _last_page(self, built: Generation, live: Generation, limit: int) -> tuple[int, bool]:
        """Holds the live checkpoint, folds what is missing and switches, all in one transaction."""
        models, folder = self._models, self._models.folder(built)
        folder.forget()
        with writing(self._engine) as conn:
            find_by_keys(conn)
            at = checkpoints.positions(conn, self._ledger, [built, live], lock=True)
            if built.checkpoint not in at:
                raise Overtaken
            here, aim = at[built.checkpoint], at.get(live.checkpoint, 0)
            (rows,), page = models.folded(conn, [(folder, here)], models.stuck(conn, [built]), limit)
            models.write(conn, folder, rows, page)
            upto = page.upto
            checkpoints.move(conn, self._ledger, [built], upto)
            if upto >= aim and not generations.switch(conn, self._ledger, models.wanted[built.name], built):
                raise Overtaken
        models.alarm(built, rows.parked)
        return upto, upto >= aim

    def _delete_some(self, name: str) -> bool:
        """Deletes a batch of rows of a generation that nobody reads any more; False when there is none left."""
        with writing(self._engine) as conn:
            old = generations.stale(conn, self._ledger, name)
            for generation in old[:1]:
                self._models.drop(generation)
                generations.delete_rows(conn, self._ledger, generation, self._models.projections[name].tables)
        return bool(old)

    def _number_of_live(self, name: str) -> Generation:
        with self._engine.connect() as conn:
            return generations.number_of_live(conn, self._ledger, name)

    def _replaced(self, before: Generation) -> bool:
        with self._engine.connect() as conn:
            return generations.replaced(conn, self._ledger, self._models.wanted[before.name], before)
