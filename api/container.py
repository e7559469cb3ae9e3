"""The container: the one place where settings become parts and the parts are brought together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Engine, QueuePool

import domain.all_kinds  # noqa: F401 - every kind must be known before the first is read
from api import learning
from api.notices import notice
from domain.budgets.budget import Budget
from domain.colleagues.state import Colleague
from domain.kinds import Fact
from domain.publishing import Publication, in_force
from domain.standards.house import House
from infrastructure.api_keys import ApiKeys
from infrastructure.bell import Bell, Listener
from infrastructure.clock import HouseClock, utc_now
from infrastructure.engine import make_engine, unmoving
from infrastructure.forgetting import Forgetter
from infrastructure.generations import live_generation
from infrastructure.keys import Keyring
from infrastructure.learning import Learner, Seen, Tallies
from infrastructure.ledger import Ledger
from infrastructure.mapper import Mapper
from infrastructure.memory import spare_what_stays
from infrastructure.metrics import Metrics
from infrastructure.migrate import check
from infrastructure.passing import Part
from infrastructure.patience import hang_up
from infrastructure.projector import Projector
from infrastructure.rehearsal import Rehearsal
from infrastructure.settings import Settings
from infrastructure.standards import read_publications
from infrastructure.sweeper import Sweeper
from infrastructure.vitals import Vitals, vitals
from infrastructure.webhooks.addresses import Allowed, Guard
from infrastructure.webhooks.courier import Courier
from infrastructure.webhooks.endpoints import Webhooks
from infrastructure.webhooks.figures import Mailroom, mailroom
from infrastructure.webhooks.messages import Message
from infrastructure.writer import QUEUE_BYTES, Writer
from projections import ALL, budgets, recoveries, training_rows
from projections.base import Source

WORKING: Final = {"pool_size": 5, "max_overflow": 5}
"""Connections of the writer, the projector, the sweeper and the learner: no number of readers can take these."""
ASKING: Final = {"pool_size": 1, "max_overflow": 1}
"""Connections for looking up keys, so that whoever may write is let in however many read."""
LOOKING: Final = {"pool_size": 1, "max_overflow": 1}
"""Connections for health and metrics: that readers are many must not look like a database out of reach."""
DELIVERING: Final = {"pool_size": 2, "max_overflow": 3}
"""Connections for webhooks: few for deliveries, which wait their turn, others for administrators and the lease."""
KEPT_OPEN: Final = 10
"""How many connections for reading stay open when nobody reads."""
STOP_WITHIN_SECONDS: Final = 1.2
"""How long the threads may take to end, after the grace that requests had."""
READ_MODELS: Final = tuple(one.name for one in ALL)


class Container:
    """Every part of one process on one ledger. `start` runs them, `stop` ends them in order."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] | None = None) -> None:
        check(settings)
        self.settings, self.clock = settings, clock or HouseClock()
        clock = self.clock
        latest = clock.latest if isinstance(clock, HouseClock) else None
        self.engine = self._engine(_reading(settings), reading=True)
        self.working, self.asking = self._engine(WORKING), self._engine(ASKING)
        self.looking, self.delivering = self._engine(LOOKING), self._engine(DELIVERING)
        self.metrics = Metrics(settings.ledger)
        self.keyring = Keyring(settings.key_file)
        self.mapper = Mapper(settings.ledger, self.keyring)
        self.bell = Bell()
        self.listener = Listener(self.working, settings.ledger, self.bell)
        self.ledger = Ledger(self.engine, self.mapper, settings.ledger, self.bell)
        self.api_keys = ApiKeys(self.asking, now=clock)
        self.writer = Writer(
            self.working,
            self.mapper,
            self.keyring,
            ledger=settings.ledger,
            clock=clock,
            latest=latest,
            max_backdate_days=settings.max_backdate_days,
            queue_size=settings.queue_size,
            on_commit=self.bell.ring,
            metrics=self.metrics,
        )
        self.rehearsal = Rehearsal(
            self.engine,
            self.mapper,
            self.keyring,
            ledger=settings.ledger,
            clock=clock,
            max_backdate_days=settings.max_backdate_days,
        )
        self.projector = Projector(self.working, self.mapper, ALL, bell=self.bell, clock=clock)
        others = [(Colleague, self.help_due), (Budget, self.budgets_due)]
        self.sweeper = Sweeper(self.due, self.writer.submit, clock, metrics=self.metrics, others=others)
        self.learner = Learner(
            self.working,
            settings.ledger,
            self.learned,
            self.writer.submit,
            self.keyring.fingerprint,
            clock,
            metrics=self.metrics,
        )
        self.forgetter = Forgetter(self.working, self.mapper, self.keyring, self.writer.submit, clock)
        allowed = Allowed.of(settings.webhook_receivers, http=settings.webhook_http)
        self.guard = Guard(allowed)
        self.webhooks = Webhooks(self.delivering, settings.ledger, self.keyring, self.guard)
        self.courier = Courier(
            self.delivering,
            self.mapper,
            self.webhooks,
            self.guard,
            self.told_of,
            clock,
            metrics=self.metrics,
            # Receivers go by the world's time, also while we doubt ours.
            sent_at=utc_now if isinstance(clock, HouseClock) else clock,
            bell=self.bell,
        )
        self._watch_queue()
        self._watch_connections()
        self.metrics.watch_ledger(self.vitals)
        self.metrics.watch_webhooks(self.mailroom)

    def _watch_queue(self) -> None:
        writer = self.writer
        self.metrics.watch_queue(lambda: writer.waiting, self.settings.queue_size)
        self.metrics.watch_queue_bytes(lambda: writer.waiting_bytes, QUEUE_BYTES)
        self.metrics.watch_writing(lambda: writer.fails)

    def _watch_connections(self) -> None:
        if isinstance(self.engine.pool, QueuePool):
            self.metrics.watch_connections(self.engine.pool.checkedout, self.settings.read_connections)

    def _engine(self, pool: Mapping[str, int], *, reading: bool = False) -> Engine:
        patience = self.settings.database_patience_seconds
        # Whoever finds no connection free must be told so while he still waits for an answer.
        return make_engine(
            self.settings.database_url,
            patience_seconds=patience,
            reading=reading,
            pool_timeout=patience / 2,
            **pool,
        )

    def start_writing(self) -> None:
        """Takes orders, and hears what other processes append."""
        spare_what_stays()
        # Before the first event: read models of an empty ledger are live at once and fold together, in one pass.
        self.projector.enter()
        self.listener.start()
        self.writer.start()

    def start_working(self) -> None:
        """Projects, sweeps, learns, forgets and delivers in threads of this process; another may do the same."""
        self.projector.start()
        self.sweeper.start()
        self.learner.start()
        self.forgetter.start()
        self.courier.start()

    def stop_reading(self) -> None:
        """Ends the connections of reads, and lets nobody wait for an answer any longer."""
        self.webhooks.break_off()
        for engine in (self.engine, self.asking, self.looking):
            hang_up(engine)

    def stop(self, within_seconds: float = STOP_WITHIN_SECONDS) -> None:
        """Finishes what was accepted, then ends every thread and connection.

        Takes hardly longer than that, even when the database does not answer any more.
        """
        until = monotonic() + within_seconds
        # The writer first: it owes answers, and from now on takes no more orders from the sweeper either.
        working = (self.writer, self.sweeper, self.learner, self.forgetter, self.courier)
        for part in (*working, self.projector, self.listener):
            part.stop(max(0.05, until - monotonic()))
        self.stop_reading()
        for engine in (self.working, self.delivering):
            hang_up(engine)
        for engine in (self.engine, self.working, self.asking, self.looking, self.delivering):
            engine.dispose()

    @contextmanager
    def source(self) -> Iterator[Source]:
        """A connection to read projections through, always of the generation that is live."""
        with self.engine.connect() as conn:
            yield self.source_on(conn)

    @contextmanager
    def unmoving_source(self) -> Iterator[Source]:
        """The same, in which nothing changes while one reads: for answers that take many questions."""
        with unmoving(self.engine) as conn:
            yield self.source_on(conn)

    def source_on(self, conn: Connection) -> Source:
        """The live projections, read through this connection."""
        return Source(conn, self.settings.ledger, live_generation(self.settings.ledger))

    def publications(self) -> Sequence[Publication]:
        """Every standard ever published in this ledger."""
        with self.engine.connect() as conn:
            return list(read_publications(conn, self.mapper, self.settings.ledger).values())

    def house(self, moment: datetime) -> House:
        """The standards in force at a moment."""
        return House.at(moment, in_force(self.publications(), moment))

    def vitals(self) -> Vitals:
        """How the read models are, as the database has it."""
        with self.looking.connect() as conn:
            found = vitals(conn, self.settings.ledger, READ_MODELS, self.clock())
            if not found.read_only:
                return found
            conn.invalidate()
        # A session that was told to be read-only stays so when its server is no longer: only a new one knows.
        with self.looking.connect() as conn:
            return vitals(conn, self.settings.ledger, READ_MODELS, self.clock())

    def mailroom(self) -> Mailroom:
        """How far the webhooks have come, as the database has it."""
        with self.looking.connect() as conn:
            return mailroom(conn, self.settings.ledger)

    def told_of(self, fact: Fact) -> Message | None:
        """What webhooks say of a fact."""
        return notice(fact, self.settings.ledger, self.settings.address)

    def due(self, now: datetime, limit: int) -> list[UUID]:
        """The customers about whom time has something to say."""
        with self.working.connect() as conn:
            source = self.source_on(conn)
            return recoveries.due_streams(source, now, limit)

    def budgets_due(self, now: datetime, limit: int) -> list[UUID]:
        """The budgets where money was set aside and not taken up in time."""
        with self.working.connect() as conn:
            return budgets.due_streams(self.source_on(conn), now, limit)

    def help_due(self, now: datetime, limit: int) -> list[UUID]:
        """The colleagues whose request for help nobody has answered in time."""
        with self.working.connect() as conn:
            return training_rows.due_streams(self.source_on(conn), now, limit)

    def learned(self, conn: Connection, part: Part, tallies: Tallies) -> Seen:
        """What the house should learn from this part of what was recorded."""

        def house(moment: datetime) -> House:
            published = read_publications(conn, self.mapper, self.settings.ledger).values()
            return House.at(moment, in_force(published, moment))

        return learning.look(self.source_on(conn), house, part, tallies)


def _reading(settings: Settings) -> dict[str, int]:
    kept = min(KEPT_OPEN, settings.read_connections)
    return {"pool_size": kept, "max_overflow": settings.read_connections - kept}
