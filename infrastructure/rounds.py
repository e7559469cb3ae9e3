"""Rounds: work that is done again and again in a thread of its own."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Rounds:
    """Does its work every so many seconds, whatever becomes of one round: a lost database is there again later.

    `failed` is what the log calls a round that went wrong.
    """

    def __init__(
        self, name: str, work: Callable[[], object], every_seconds: float, *, failed: str, at_once: bool = False
    ) -> None:
        self._name, self._work, self._failed = name, work, failed
        self._every_seconds, self._at_once = every_seconds, at_once
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
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            self._thread = None

    def _run(self) -> None:
        if self._at_once:
            self._round()
        while not self._stop.wait(self._every_seconds):
            self._round()

    def _round(self) -> None:
        try:
            self._work()
        except Exception as fault:  # noqa: BLE001 - the thread must outlive it; the next round tries again
            log.warning(self._failed, fault=type(fault).__name__)
