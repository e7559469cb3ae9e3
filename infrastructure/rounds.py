"""Rounds: work that is done again and again in a thread of its own."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from infrastructure.bell import Bell
from infrastructure.reasons import codes

log = structlog.get_logger(__name__)
SOONEST_SECONDS: Final = 0.1
"""However often the bell rings: a look costs the others time, and a hundred in a second would cost all of it."""


class Rounds:
    """Does its work every so many seconds, whatever becomes of one round: a lost database is there again later.

    `failed` is what the log calls a round that went wrong. With a `bell`, a round whose work gave something true
    lets it begin the next one sooner.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        every_seconds: float,
        *,
        failed: str,
        at_once: bool = False,
        bell: Bell | None = None,
    ) -> None:
        self._name, self._work, self._failed = name, work, failed
        self._every_seconds, self._at_once = every_seconds, at_once
        self._bell, self._listens = bell or Bell(), bell is not None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether somebody waits for the round under way to end."""
        return self._stop.is_set()

    def start(self) -> None:
        """Starts the thread; the first round comes at once, or after the first rest."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread; the round under way is finished first."""
        self._stop.set()
        self._bell.ring()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            self._thread = None

    def _run(self) -> None:
        heard = self._bell.rings
        wanted = self._at_once and self._round() and self._listens
        while not self._rested(heard if wanted else None):
            heard = self._bell.rings  # before the look, so that no ring is missed
            wanted = self._round() and self._listens

    def _rested(self, heard: int | None) -> bool:
        """Whether it is over, after a rest that the bell may cut short when somebody has heard so many rings."""
        if heard is None:
            return self._stop.wait(self._every_seconds)
        soonest = min(SOONEST_SECONDS, self._every_seconds)
        if not self._stop.wait(soonest):
            self._bell.wait(heard, self._every_seconds - soonest)
        return self._stop.is_set()

    def _round(self) -> bool:
        try:
            return bool(self._work())
        except Exception as fault:  # noqa: BLE001 - the thread must outlive it; the next round tries again
            log.warning(self._failed, fault=type(fault).__name__, **codes(fault))
            return False
