"""The writer: one thread per process and ledger that takes whatever is waiting and commits it together."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Busy, Unavailable
from infrastructure.engine import begin_writing
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from infrastructure.orders import Order, Outcome
from infrastructure.page import Answer, Page
from infrastructure.recorder import Head, lock_head, move_head, read_records
from infrastructure.states import States
from infrastructure.tools import Tools

log = structlog.get_logger(__name__)
PAGE: Final = 256
CATCH_UP_AT_MOST: Final = 5_000
"""When others appended more than this, the kept states are dropped instead of brought up to date."""
NOTIFY_EVERY_SECONDS: Final = 0.02
OUT_OF_REACH: Final = (OperationalError, InterfaceError, PoolTimeout)
"""The database is gone, or gave no connection: nothing about any order is at fault."""


def utc_now() -> datetime:
    """The system's clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Waiting:
    order: Order
    future: "Future[Outcome]"


class Writer:
    """Appends commands to one ledger, deciding each under the ledger's lock.

    `submit` gives a future that holds the outcome after the commit, never before; or the refusal.
    """

    def __init__(
        self,
        engine: Engine,
        mapper: Mapper,
        keyring: Keyring,
        *,
        ledger: str,
        clock: Callable[[], datetime] = utc_now,
        max_backdate_days: int = 400,
        queue_size: int = 10_000,
        states: int = 20_000,
        on_commit: Callable[[int], None] = lambda position: None,
    ) -> None:
        self._engine, self._clock, self._on_commit = engine, clock, on_commit
        self._tools = Tools(
            ledger,
            mapper,
            keyring,
            keyring.entropy.new_id,
            keyring.entropy.random_id,
            timedelta(days=max_backdate_days),
        )
        self._queue_size = queue_size
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._states = States(states)
        self._conn: Connection | None = None
        self._committing = False
        self._notify_due: float | None = None
        self._notified_at = 0.0

    def submit(self, order: Order) -> "Future[Outcome]":
        """The future outcome of this order. Raises Busy at once when too much is waiting."""
        future: Future[Outcome] = Future()
        with self._wake:
            if self._stopping or len(self._waiting) >= self._queue_size:
                raise Busy
            self._waiting.append(_Waiting(order, future))
            self._wake.notify()
        return future

    def start(self) -> None:
        """Starts the writing thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"writer-{self._tools.ledger}", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Finishes everything accepted, then ends the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    @property
    def waiting(self) -> int:
        """How many orders wait."""
        return len(self._waiting)

    def _run(self) -> None:
        while True:
            page = self._next_page()
            if page is None:
                break
            if page:
                self._commit_or_split(page)
            self._notify()
        self._close()

    def _next_page(self) -> list[_Waiting] | None:
        """What is waiting, up to a page; empty when only a notification is due; None at the end."""
        with self._wake:
            while not self._waiting:
                if self._stopping:
                    return None
                patience = None if self._notify_due is None else max(0.0, self._notify_due - monotonic())
                if not self._wake.wait(patience):
                    return []
            taken = min(PAGE, len(self._waiting))
            page = [self._waiting.popleft() for _ in range(taken)]
        return [one for one in page if one.future.set_running_or_notify_cancel()]

    def _commit_or_split(self, waiting: Sequence[_Waiting]) -> None:
        try:
            answers = self._commit([one.order for one in waiting])
        except Exception as fault:  # noqa: BLE001 - the thread must outlive any fault; its callers are told
            if len(waiting) == 1 or self._committing or isinstance(fault, OUT_OF_REACH):
                self._fail(waiting, fault)
                return
            # Something about one order broke the page of all, before anything was committed: each gets its own.
            kind = type(fault).__name__
            log.warning("page_split", ledger=self._tools.ledger, orders=len(waiting), fault=kind)
            for one in waiting:
                self._commit_or_split([one])
        else:
            for one, answer in zip(waiting, answers, strict=True):
                _deliver(one.future, answer)

    def _fail(self, waiting: Sequence[_Waiting], fault: Exception) -> None:
        log.error("page_failed", ledger=self._tools.ledger, orders=len(waiting), fault=type(fault).__name__)
        answer = Unavailable() if isinstance(fault, SQLAlchemyError) else fault
        for one in waiting:
            one.future.set_exception(answer)

    def _commit(self, orders: Sequence[Order]) -> list[Answer]:
        conn = self._connection()
        try:
            return self._in_one_transaction(conn, orders)
        except BaseException:
            # Nobody knows what the database kept of it: forget every state and every new key.
            self._states.clear(0)
            self._tools.keyring.forget()
            self._close()
            raise

    def _in_one_transaction(self, conn: Connection, orders: Sequence[Order]) -> list[Answer]:
        ledger = self._tools.ledger
        self._committing = False
        with begin_writing(conn):
            head = lock_head(conn, ledger)
            self._catch_up(conn, head)
            now = max(self._clock(), head.recorded_at)
            page = Page(conn, self._tools, head, now, self._states)
            answers = page.run(orders)
            if page.records:
                move_head(conn, ledger, page.last_position, now)
            # From here on nobody can tell what the database kept: such a page is never tried again by us.
            self._committing = True
        self._states.keep(page.states, page.last_position)
        if page.records:
            self._on_commit(page.last_position)
            self._notify_due = self._notify_due or self._notified_at + NOTIFY_EVERY_SECONDS
        return answers

    def _catch_up(self, conn: Connection, head: Head) -> None:
        behind = head.position - self._states.seen
        if behind == 0:
            return
        if behind < 0 or behind > CATCH_UP_AT_MOST or not len(self._states):
            self._states.clear(head.position)
            return
        records = read_records(conn, self._tools.ledger, self._states.seen, behind)
        self._states.catch_up(records, self._tools.mapper, head.position)

    def _connection(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = self._engine.connect()
        return self._conn

    def _close(self) -> None:
        if self._conn is None:
            return
        conn, self._conn = self._conn, None
        try:
            conn.invalidate()
            conn.close()
        except SQLAlchemyError:
            log.warning("connection_lost", ledger=self._tools.ledger)

    def _notify(self) -> None:
        """Tells listening readers at most every 20 ms, outside the transaction: inside, ledgers would queue."""
        if self._notify_due is None or monotonic() < self._notify_due:
            return
        self._notify_due, self._notified_at = None, monotonic()
        if self._engine.dialect.name != "postgresql":
            return
        try:
            conn = self._connection()
            with conn.begin():
                conn.execute(
                    text("SELECT pg_notify('amends', :payload)"),
                    {"payload": f"{self._tools.ledger}:{self._states.seen}"},
                )
        except SQLAlchemyError:
            log.warning("notify_failed", ledger=self._tools.ledger)
            self._close()


def _deliver(future: "Future[Outcome]", answer: Answer) -> None:
    if isinstance(answer, Outcome):
        future.set_result(answer)
    else:
        future.set_exception(answer)
