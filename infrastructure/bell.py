"""The bell of a ledger: rings when something was appended, so that readers need not keep asking."""

import threading
from typing import Final

import psycopg
import structlog
from sqlalchemy import Engine

from infrastructure.patience import listening
from infrastructure.reasons import codes

CHANNEL: Final = "amends"
"""Where writers tell, on PostgreSQL, which ledger has grown: the payload is `<ledger>:<position>`."""
PATIENCE_SECONDS: Final = 1.0
"""How long a reader relies on the bell before it looks by itself: a lost ring delays, and loses nothing."""

log = structlog.get_logger(__name__)


class Bell:
    """Wakes the readers of one ledger in this process. Safe between threads."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it has rung. Read it before looking, then wait for more than that: no ring is missed."""
        return self._rings

    def ring(self, position: int = 0) -> None:
        """Wakes everybody who waits. The position is for callers who pass this on; readers look themselves."""
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    def wait(self, heard: int, seconds: float = PATIENCE_SECONDS) -> bool:
        """Whether it rang since `heard`, within so many seconds."""
        with self._rung:
            return self._rung.wait_for(lambda: self._rings != heard, seconds)


class Listener:
    """Rings the bell for what other processes append, through LISTEN on PostgreSQL; elsewhere does nothing.

    It holds one connection, and connects again by itself. While it cannot, readers look every second anyway.
    """

    def __init__(self, engine: Engine, ledger: str, bell: Bell) -> None:
        self._engine, self._ledger, self._bell = engine, ledger, bell
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts listening."""
        if self._engine.dialect.name != "postgresql":
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"listener-{self._ledger}", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends listening, within half a second."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as fault:
                log.warning("listener_lost", ledger=self._ledger, fault=type(fault).__name__, **codes(fault))
                self._stopping.wait(PATIENCE_SECONDS)

    def _listen(self) -> None:
        with listening(self._engine) as conn:
            conn.execute(f"LISTEN {CHANNEL}")
            self._bell.ring()  # something may have been appended while nobody listened
            while not self._stopping.is_set():
                for notice in conn.notifies(timeout=0.5):
                    if notice.payload.rpartition(":")[0] == self._ledger:
                        self._bell.ring()
                    if self._stopping.is_set():
                        break
