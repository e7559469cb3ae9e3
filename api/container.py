"""The container: the one place where settings become parts and the parts are brought together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

import domain.compositions
import domain.moves  # noqa: F401 - every kind of event and command must be known before the first is read
from infrastructure.api_keys import ApiKeys
from infrastructure.bell import Bell, Listener
from infrastructure.engine import make_engine
from infrastructure.generations import live_generation
from infrastructure.keys import Keyring
from infrastructure.ledger import Ledger
from infrastructure.mapper import Mapper
from infrastructure.migrate import check
from infrastructure.projector import Projector
from infrastructure.settings import Settings
from infrastructure.sweeper import Sweeper
from infrastructure.writer import Writer, utc_now
from projections import ALL, recoveries
from projections.base import Source

# As many connections as there are threads that answer reads, and a few for the parts; nobody waits long for one.
POOL: Final = {"pool_size": 10, "max_overflow": 36, "pool_timeout": 5}


class Container:
    """Every part of one process on one ledger. `start` runs them, `stop` ends them in order."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        check(settings)
        self.settings, self.clock = settings, clock
        self.engine = make_engine(settings.database_url, **POOL)
        self.keyring = Keyring(settings.key_file)
        self.mapper = Mapper(settings.ledger, self.keyring)
        self.bell = Bell()
        self.listener = Listener(self.engine, settings.ledger, self.bell)
        self.ledger = Ledger(self.engine, self.mapper, settings.ledger, self.bell)
        self.api_keys = ApiKeys(self.engine)
        self.writer = Writer(
            self.engine,
            self.mapper,
            self.keyring,
            ledger=settings.ledger,
            clock=clock,
            max_backdate_days=settings.max_backdate_days,
            queue_size=settings.queue_size,
            on_commit=self.bell.ring,
        )
        self.projector = Projector(self.engine, self.mapper, ALL, bell=self.bell, clock=clock)
        self.sweeper = Sweeper(self.due, self.writer.submit, clock)

    def start_writing(self) -> None:
        """Takes orders, and hears what other processes append."""
        # Before the first event: read models of an empty ledger are live at once and fold together, in one pass.
        self.projector.enter()
        self.listener.start()
        self.writer.start()

    def start_working(self) -> None:
        """Projects and sweeps in threads of this process; another process may do the same."""
        self.projector.start()
        self.sweeper.start()

    def stop(self) -> None:
        """Finishes what was accepted, then ends every thread and connection."""
        self.sweeper.stop()
        self.writer.stop()
        self.projector.stop()
        self.listener.stop()
        self.engine.dispose()

    @contextmanager
    def source(self) -> Iterator[Source]:
        """A connection to read projections through, always of the generation that is live."""
        with self.engine.connect() as conn:
            yield self.source_on(conn)

    def source_on(self, conn: Connection) -> Source:
        """The live projections, read through this connection."""
        return Source(conn, self.settings.ledger, live_generation(self.settings.ledger))

    def due(self, now: datetime, limit: int) -> list[UUID]:
        """The customers about whom time has something to say."""
        with self.source() as source:
            return recoveries.due_streams(source, now, limit)
