"""Metrics: what one process counts and times, for Prometheus. No figure is about a person.

Each process has its own registry. Labels are names of ours (a ledger, a read model, one of a few words), never
anything a caller sent.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Final, Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from domain.errors import KeyReused, Refused, StaleVersion
from infrastructure.ledger_metrics import LedgerMetrics
from infrastructure.orders import Outcome
from infrastructure.vitals import Vitals
from infrastructure.webhooks.figures import Mailroom, WebhookMetrics

# A second series for every counter and histogram, which says when the process began: process_start_time does.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PAGE_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
OUTCOMES: Final = ("recorded", "repeated", "nothing", "refused", "conflict", "failed")
CONFLICTS: Final = (StaleVersion.code, KeyReused.code)
Undone = Literal["split", "failed"]
UNDONE: Final[tuple[Undone, ...]] = get_args(Undone)
Asked = Literal["recorded", "repeated", "refused", "failed"]
ASKED: Final[tuple[Asked, ...]] = get_args(Asked)
Delivered = Literal["taken", "not_taken", "given_up"]
DELIVERED: Final[tuple[Delivered, ...]] = get_args(Delivered)


class Metrics:
    """The figures of one process on one ledger. The parts tell it what happened; it costs them microseconds."""

    def __init__(self, ledger: str) -> None:
        self.registry, self._ledger = CollectorRegistry(), ledger
        ProcessCollector(registry=self.registry)
        Info("amends", "Which version runs, on which ledger.", registry=self.registry).info(
            {"version": version("amends"), "ledger": ledger}
        )
        self._count_writing()
        self._count_sweeping()
        self._count_learning()
        self._count_delivering()

    # What the writer tells.

    def _count_writing(self) -> None:
        self._events = self._counter("amends_events_appended", "Events appended by this process.").labels(
            self._ledger
        )
        told = "Commands that the writer answered, from whatever side they came, by what became of them."
        commands = self._counter("amends_commands", told, "outcome")
        self._commands = {one: commands.labels(self._ledger, one) for one in OUTCOMES}
        told = "Commands that came too late: If-Match with an old version, or a key used for other content."
        conflicts = self._counter("amends_conflicts", told, "slug")
        self._conflicts = {one: conflicts.labels(self._ledger, one) for one in CONFLICTS}
        told = (
            "Group commits undone: split (one order broke it, each is tried alone) or failed (callers were told)."
        )
        undone = self._counter("amends_pages_rolled_back", told, "reason")
        self._undone = {one: undone.labels(self._ledger, one) for one in UNDONE}
        told = "Commands that one transaction committed together. Large under load is good: that is its speed."
        self._page_size = self._histogram("amends_page_commands", told, _PAGE_SIZES)
        told = "A whole write transaction: waiting for the ledger's lock, deciding, inserting, committing."
        self._page_seconds = self._histogram("amends_page_seconds", told, _SECONDS)
        told = "Writing the events and the COMMIT: how long the database takes until nothing can be lost."
        self._commit_seconds = self._histogram("amends_commit_seconds", told, _SECONDS)

    def page_committed(
        self, answers: Sequence[object], events: int, page_seconds: float, commit_seconds: float
    ) -> None:
        """One transaction of the writer is on disk: its answers, how many events it appended, how long it took."""
        self._events.inc(events)
        self._page_size.observe(len(answers))
        self._page_seconds.observe(page_seconds)
        self._commit_seconds.observe(commit_seconds)
        for outcome, times in Tally(map(_outcome, answers)).items():
            self._commands[outcome].inc(times)
            if outcome == "conflict":
                self._count_conflicts(answers)

    def _count_conflicts(self, answers: Iterable[object]) -> None:
        for answer in answers:
            if isinstance(answer, StaleVersion | KeyReused):
                self._conflicts[answer.code].inc()

    def page_rolled_back(self, reason: Undone, orders: int) -> None:
        """A transaction of the writer was undone; when it failed, so many callers were told so."""
        self._undone[reason].inc()
        if reason == "failed":
            self._commands["failed"].inc(orders)

    # What the sweeper tells.

    def _count_sweeping(self) -> None:
        told = "Customers whose time had come: settled (something was recorded) or rested (nothing, or it failed)."
        streams = self._counter("amends_sweeper_streams", told, "result")
        self._swept = {one: streams.labels(self._ledger, one) for one in ("settled", "rested")}
        told = "When the sweeper last finished a round, or began, in seconds since 1970; only where one runs."
        # Shown from the first value on: a process that does not sweep must not look like one that stands still.
        name = "amends_last_sweep_timestamp_seconds"
        self._last_sweep = Gauge(name, told, ("ledger",), registry=self.registry)

    def sweeping(self, since: datetime) -> None:
        """A sweeper begins in this process."""
        self._last_sweep.labels(self._ledger).set(since.timestamp())

    def swept(self, settled: int, posted: int, at: datetime) -> None:
        """A round of the sweeper is over: of so many streams posted, so many had something to say."""
        self._swept["settled"].inc(settled)
        self._swept["rested"].inc(posted - settled)
        self._last_sweep.labels(self._ledger).set(at.timestamp())

    # What the learner tells.

    def _count_learning(self) -> None:
        told = "What followed from things that happened again and again, by what became of it."
        asked = self._counter("amends_learning_orders", told, "result")
        self._asked = {one: asked.labels(self._ledger, one) for one in ASKED}
        told = "When the learner last finished a look, or began, in seconds since 1970; only where one runs."
        name = "amends_last_learning_timestamp_seconds"
        self._last_look = Gauge(name, told, ("ledger",), registry=self.registry)

    def asked(self, result: Asked) -> None:
        """The writer answered one order of the learner's."""
        self._asked[result].inc()

    def looked(self, at: datetime) -> None:
        """A look of the learner is over, or it begins in this process."""
        self._last_look.labels(self._ledger).set(at.timestamp())

    # What the courier tells.

    def _count_delivering(self) -> None:
        told = "Tries to tell a webhook's receiver of an event, by how they ended; given_up: it was the last one."
        deliveries = self._counter("amends_webhook_deliveries", told, "result")
        self._deliveries = {one: deliveries.labels(self._ledger, one) for one in DELIVERED}

    def told(self, result: Delivered) -> None:
        """A delivery was tried, or given up."""
        self._deliveries[result].inc()

    # What is looked up when somebody asks.

    def watch_queue(self, waiting: Callable[[], float], size: int) -> None:
        """Shows how many commands wait for the writer, and how many may."""
        told = "Commands that wait for the writer now."
        self._gauge("amends_writer_queue_commands", told).set_function(waiting)
        told = "Commands that may wait; at this many, callers are told `busy`."
        self._gauge("amends_writer_queue_limit_commands", told).set(size)

    def watch_queue_bytes(self, waiting: Callable[[], float], limit: int) -> None:
        """Shows how many bytes the commands that wait for the writer take, and how many they may."""
        told = "Bytes of the commands that wait for the writer now, as their callers sent them."
        self._gauge("amends_writer_queue_bytes", told).set_function(waiting)
        told = "Bytes of commands that may wait; where one more would not fit, its caller is told `busy`."
        self._gauge("amends_writer_queue_limit_bytes", told).set(limit)

    def watch_writing(self, fails: Callable[[], bool]) -> None:
        """Shows whether the database takes what this process writes."""
        told = "Whether the newest page of this process, within a minute, failed for the database's sake: 1 or 0."
        self._gauge("amends_writes_failing", told).set_function(lambda: float(fails()))

    def watch_connections(self, in_use: Callable[[], float], limit: int) -> None:
        """Shows how many connections for reading are taken, and how many there may be."""
        told = "Database connections that reads use now; the writer has its own."
        self._gauge("amends_read_connections", told).set_function(in_use)
        told = "Database connections that reads may use; who needs one more waits, then is told `unavailable`."
        self._gauge("amends_read_connections_limit", told).set(limit)

    def watch_ledger(self, vitals: Callable[[], Vitals]) -> None:
        """Shows how the ledger and its read models are."""
        self.registry.register(LedgerMetrics(self._ledger, vitals))

    def watch_webhooks(self, look: Callable[[], Mailroom]) -> None:
        """Shows how far the webhooks have come."""
        self.registry.register(WebhookMetrics(self._ledger, look))

    # How they are made: the ledger is the first label of all.

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, ("ledger", *labels), registry=self.registry)

    def _gauge(self, name: str, told: str) -> Gauge:
        return Gauge(name, told, ("ledger",), registry=self.registry).labels(self._ledger)

    def _histogram(self, name: str, told: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, told, ("ledger",), registry=self.registry, buckets=buckets).labels(self._ledger)


def _outcome(answer: object) -> str:
    if isinstance(answer, Outcome):
        if answer.replayed:
            return "repeated"
        return "recorded" if answer.receipts else "nothing"
    if isinstance(answer, StaleVersion | KeyReused):
        return "conflict"
    return "refused" if isinstance(answer, Refused) else "failed"
