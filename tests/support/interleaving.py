"""Interleavings: real transactions of several parties, run step by step in every order there is.

In the manner of PostgreSQL's isolation tester, but the steps are those of the code itself: each party runs in a
thread of its own, and stops by itself where it begins, where it has locked, and where it is about to commit.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Final, Literal, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from infrastructure import turns
from tests.support.writing import NOON

Result = TypeVar("Result")
State = Literal["running", "stopped", "finished"]
PATIENCE_SECONDS: Final = 30.0
_here: Final = threading.local()


def orders(steps: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every order in which parties can take so many steps each; party n is the number n."""
    if not any(steps):
        yield ()
        return
    for party, left in enumerate(steps):
        if left:
            rest = [n - (other == party) for other, n in enumerate(steps)]
            for order in orders(rest):
                yield (party, *order)


class Party:
    """One who works through an engine of his own, and stops at certain points until told to go on.

    He stops where he connects, where he asks for the time (a writer has locked the head then), before he commits,
    and after a function that was made `pausing`.
    """

    def __init__(self) -> None:
        self.outcome: Future[Any] = Future()
        self.state: State = "running"
        self.stops = 0
        """How often he stopped."""
        self.pid: int | None = None
        """Of his database session, once he has one; PostgreSQL knows by it for whom he waits."""
        self._changed = threading.Condition()
        self._asks = self._holds = self._free = False

    def start(self, engine: Engine, work: Callable[[], Any]) -> None:
        """Begins to work, up to the first stop."""
        event.listen(engine, "engine_connect", self._connected)
        event.listen(engine, "set_connection_execution_options", self._chooses)
        event.listen(engine, "begin", self._begun)
        event.listen(engine, "commit", self.commits)
        event.listen(engine, "rollback", self._ended)
        _parties[engine] = self
        threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def go_on(self) -> None:
        """Lets him work up to the next stop; without effect while he works or when he has finished."""
        with self._changed:
            if self.state == "stopped":
                self.state = "running"
                self._changed.notify_all()

    def must_wait_for_any(self, others: Sequence["Party"]) -> bool:
        """Whether he wants to begin to write on SQLite, and one of these has begun."""
        return self._asks and any(other._holds for other in others if other is not self)

    def _run(self, work: Callable[[], Any]) -> None:
        _here.party = self
        try:
            self.outcome.set_result(work())
        except Exception as fault:  # noqa: BLE001 - whatever it is, the test wants to see it
            self.outcome.set_exception(fault)
        self._free = True
        with self._changed:
            self.state = "finished"
            self._changed.notify_all()

    def now(self) -> datetime:
        """His clock. A writer asks it once he has locked the head: he stops there."""
        self.stop()
        return NOON

    def _connected(self, conn: Connection) -> None:
        if conn.dialect.name == "postgresql":
            self.pid = conn.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        self.stop()

    def _chooses(self, _conn: Connection, options: dict[str, Any]) -> None:
        self._asks = options.get("amends_immediate", self._asks)

    def _begun(self, _conn: Connection) -> None:
        self._holds, self._asks = self._asks, False

    def commits(self, _conn: Connection) -> None:
        """He is about to commit: he stops if he wrote."""
        if self._holds:  # not where a writer only tells readers of what it did
            self.stop()
        self._ended()

    def _ended(self, _conn: Connection | None = None) -> None:
        self._holds = self._asks = False

    def stop(self) -> None:
        """Stops here until told to go on; passes when he is free."""
        if self._free:
            return
        self.stops += 1
        with self._changed:
            self.state = "stopped"
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.state == "running", PATIENCE_SECONDS)


_parties: Final[WeakKeyDictionary[Engine, Party]] = WeakKeyDictionary()
_written: Final = turns.write_and_commit


def _stopping(conn: Connection, message: bytes, rows: bytes) -> DBAPIError | None:
    """On PostgreSQL a page is written and committed by one message: whoever sends it stops before."""
    party = _parties.get(conn.engine)
    if party is not None:
        party.commits(conn)
    return _written(conn, message, rows)


turns.write_and_commit = _stopping


def pausing(function: Callable[..., Result]) -> Callable[..., Result]:
    """The same function; a party that runs it in its own thread stops after it."""

    def paused(*arguments: Any, **named: Any) -> Result:
        result = function(*arguments, **named)
        party: Party | None = getattr(_here, "party", None)
        if party is not None:
            party.stop()
        return result

    return paused


class Stage:
    """Where parties meet: gives each his turn, and sees when one has to wait for another's lock."""

    def __init__(self, observer: Engine, parties: Sequence[Party]) -> None:
        self._observer, self._parties = observer, parties

    def play(self, order: Sequence[int]) -> list[Any]:
        """What became of each party (a result or an exception), when all took their steps in this order.

        A step of somebody who waits for a lock is passed over; in the end all finish, step by step.
        """
        with self._observer.connect() as watching:
            for party in self._parties:
                self._settle(watching, party)
            for number in order:
                self._parties[number].go_on()
                self._settle(watching, self._parties[number])
            while any(party.state != "finished" for party in self._parties):
                for party in self._parties:
                    party.go_on()
                    self._settle(watching, party)
        return [self._result(party) for party in self._parties]

    def _settle(self, watching: Connection, party: Party) -> None:
        """Returns when he stopped, finished, or waits for somebody who has stopped."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while party.state == "running" and not self._waits(watching, party):
            assert time.monotonic() < deadline, "a party neither works nor waits"
            time.sleep(0.001)

    def _waits(self, watching: Connection, party: Party) -> bool:
        if watching.dialect.name == "postgresql":
            blocking = watching.execute(text("SELECT pg_blocking_pids(:pid)"), {"pid": party.pid}).scalar_one()
            watching.rollback()
            return bool(blocking)
        return party.must_wait_for_any(self._parties)

    def _result(self, party: Party) -> Any:
        fault = party.outcome.exception(PATIENCE_SECONDS)
        return fault or party.outcome.result()
