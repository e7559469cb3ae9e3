"""The writer: one thread per process and ledger that takes whatever is waiting and commits it together."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from time import monotonic, perf_counter
from typing import Final, Literal

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from domain.errors import Busy, Unavailable
from infrastructure import turns
from infrastructure.clock import times, utc_now
from infrastructure.engine import begin_writing, out_of_reach
from infrastructure.handover import Alone, Together, Waiting
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from infrastructure.metrics import Metrics
from infrastructure.orders import Answer, Order, Outcome
from infrastructure.page import Page
from infrastructure.reasons import codes, connection_had_ended
from infrastructure.recorder import Head, read_told
from infrastructure.register import Register
from infrastructure.standards import Standards
from infrastructure.states import States
from infrastructure.taking import Taking
from infrastructure.tools import Tools

log = structlog.get_logger(__name__)
PAGE: Final = 256
QUEUE_BYTES: Final = 32 * 1024 * 1024
"""How many bytes of orders may wait, however few they are."""
CATCH_UP_AT_MOST: Final = 5_000
"""When others appended more than this, the kept states are dropped instead of brought up to date."""
NOTIFY_EVERY_SECONDS: Final = 0.02
AT_ONCE_SECONDS: Final = 0.5
"""A connection that had ended says so within this; after that a caller has waited enough."""


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
        latest: Callable[[], datetime] | None = None,
        max_backdate_days: int = 400,
        queue_size: int = 10_000,
        queue_bytes: int = QUEUE_BYTES,
        states: int = 20_000,
        on_commit: Callable[[int], None] = lambda position: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine, self._clock, self._on_commit = engine, clock, on_commit
        self._latest = latest or clock
        self._tools = Tools(
            ledger,
            mapper,
            keyring,
            keyring.entropy.new_id,
            keyring.entropy.random_id,
            timedelta(days=max_backdate_days),
        )
        self._metrics = metrics or Metrics(ledger)
        self._queue_size, self._queue_bytes = queue_size, queue_bytes
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._states = States(states)
        self._standards = Standards(mapper, ledger)
        self._register = Register(ledger, keyring)
        self._conn: Connection | None = None
        self._committing = self._begun = False
        self._taking = Taking()
        self._notify_due: float | None = None
        self._notified_at = 0.0

    def submit(self, order: Order) -> "Future[Outcome]":
        """The future outcome of this order. Raises Busy at once when too much is waiting."""
        alone = Alone(order)
        if not self._accept([alone]):
            raise Busy
        return alone.future

    def hand_over(self, orders: Sequence[Order], done: Callable[[], None]) -> Together:
        """Takes these orders in order, and calls `done` from some thread once all are answered.

        Where there is no room for all, the first are taken and the rest are answered Busy.
        """
        together = Together(orders, done)
        line = together.line()
        for one in line[self._accept(line) :]:
            one.answer(Busy())
        return together

    def _accept(self, line: Sequence[Waiting]) -> int:
        """How many of them, from the first on, found room."""
        with self._wake:
            room = 0 if self._stopping else self._queue_size - len(self._waiting)
            taken = 0
            for one in line[: max(room, 0)]:
                # One alone is always taken: the limit of a body has the say over its size.
                if self._waiting and self._waiting_bytes + one.order.size > self._queue_bytes:
                    break
                self._waiting.append(one)
                self._waiting_bytes += one.order.size
                taken += 1
            if taken:
                self._wake.notify()
            return taken

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

    @property
    def waiting_bytes(self) -> int:
        """How many bytes their callers sent."""
        return self._waiting_bytes

    @property
    def fails(self) -> bool:
        """Whether the database would not take the newest page, and none since."""
        return self._taking.fails

    def _run(self) -> None:
        while True:
            page = self._next_page()
            if page is None:
                break
            if page:
                self._commit_or_split(page)
            self._notify()
            self._states.fold_news()  # while others hold the ledger's lock: what we do under it, they wait for
        self._close()

    def _next_page(self) -> list[Waiting] | None:
        """What is waiting, up to a page; empty when only a notification is due; None at the end."""
        with self._wake:
            while not self._waiting:
                if self._stopping:
                    return None
                patience = None if self._notify_due is None else max(0.0, self._notify_due - monotonic())
                if not self._wake.wait(patience):
                    return []
        return self._taken(PAGE)

    def _taken(self, most: int) -> list[Waiting]:
        """The next in line, at most so many, but for those that nobody waits for any more."""
        with self._wake:
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._waiting_bytes -= sum(one.order.size for one in taken)
        return [one for one in taken if one.take()]

    def _commit_or_split(self, waiting: list[Waiting]) -> None:
        try:
            answers = self._commit(waiting, PAGE)
        except Exception as fault:  # noqa: BLE001 - the thread must outlive any fault; its callers are told
            if len(waiting) == 1 or self._committing or out_of_reach(fault):
                self._fail(waiting, fault)
                return
            # Something about one order broke the page of all, before anything was committed: each gets its own.
            kind = type(fault).__name__
            self._metrics.page_rolled_back("split", len(waiting))
            log.warning("page_split", ledger=self._tools.ledger, orders=len(waiting), fault=kind, **codes(fault))
            self._one_by_one(waiting)
        else:
            for one, answer in zip(waiting, answers, strict=True):
                one.answer(answer)

    def _one_by_one(self, waiting: Sequence[Waiting]) -> None:
        for n, one in enumerate(waiting):
            try:
                [answer] = self._commit([one], 1)
            except Exception as fault:  # noqa: BLE001 - see above
                self._fail([one], fault)
                if out_of_reach(fault):
                    # Each of the others would wait as long for a database that is gone.
                    for rest in waiting[n + 1 :]:
                        rest.answer(Unavailable(recorded="no"))
                    return
            else:
                one.answer(answer)

    def _fail(self, waiting: Sequence[Waiting], fault: Exception) -> None:
        self._metrics.page_rolled_back("failed", len(waiting))
        self._taking.failed(fault)
        kind = type(fault).__name__
        log.error("page_failed", ledger=self._tools.ledger, orders=len(waiting), fault=kind, **codes(fault))
        recorded: Literal["no", "unknown"] = "unknown" if self._committing else "no"
        answer = Unavailable(recorded=recorded) if isinstance(fault, SQLAlchemyError) else fault
        for one in waiting:
            one.answer(answer)

    def _commit(self, waiting: list[Waiting], most: int) -> list[Answer]:
        """The answers to these orders, and to those that join them on a page of at most so many."""
        kept, since = self._conn is not None, monotonic()
        try:
            return self._commit_once(waiting, most)
        except DBAPIError as fault:
            late = monotonic() - since > AT_ONCE_SECONDS
            if self._begun or late or not kept or not connection_had_ended(fault):
                raise
            # While nobody posted: not even the lock was ours, so nothing of the page can be anywhere.
            log.warning("connection_renewed", ledger=self._tools.ledger, **codes(fault))
        return self._commit_once(waiting, most)

    def _commit_once(self, waiting: list[Waiting], most: int) -> list[Answer]:
        self._committing = self._begun = False
        conn = self._connection()
        try:
            return self._in_one_transaction(conn, waiting, most)
        except BaseException:
            # Nobody knows what the database kept of it: forget every state and every new key.
            self._states.clear(0)
            self._standards.forget()
            self._register.forget()
            self._tools.keyring.forget()
            self._close()
            raise

    def _in_one_transaction(self, conn: Connection, waiting: list[Waiting], most: int) -> list[Answer]:
        ledger = self._tools.ledger
        begun = perf_counter()
        with begin_writing(conn):
            head = turns.begin(conn, ledger)
            self._begun = True
            # Who came while others had the lock need not wait for them once more.
            waiting += self._taken(most - len(waiting))
            self._catch_up(conn, head)
            at = times(self._clock(), head.recorded_at, self._latest())
            page = Page(conn, self._tools, head, at, self._states, self._standards, self._register)
            answers = page.run([one.order for one in waiting])
            # From here on nobody can tell what the database kept: such a page is never tried again by us.
            self._committing = True
            decided = perf_counter()
            refused = turns.end(conn, ledger, page.records) if page.records else None
            if refused is not None:
                self._committing = False
                raise refused
        ended = perf_counter()
        self._metrics.page_committed(answers, len(page.records), ended - begun, ended - decided)
        self._states.keep(page.aggregates.to_keep(), page.last_position)
        if page.records:
            self._taking.went_well()
            self._on_commit(page.last_position)
            self._notify_due = self._notify_due or self._notified_at + NOTIFY_EVERY_SECONDS
        return answers

    def _catch_up(self, conn: Connection, head: Head) -> None:
        behind = head.position - self._states.seen
        if behind == 0:
            return
        if behind < 0 or behind > CATCH_UP_AT_MOST or not len(self._states):
            self._states.clear(head.position)
            self._standards.forget()
            self._register.forget()
            return
        told = read_told(conn, self._tools.ledger, self._states.seen, behind)
        self._standards.hear(told)
        self._register.hear(told)
        self._states.catch_up(told, self._tools.mapper, head.position)

    def _connection(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = turns.connect(self._engine)
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
            turns.tell_listeners(self._connection(), f"{self._tools.ledger}:{self._states.seen}")
        except SQLAlchemyError:
            log.warning("notify_failed", ledger=self._tools.ledger)
            self._close()
