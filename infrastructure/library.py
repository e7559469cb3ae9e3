"""A ledger behind the interface of the library `eventsourcing`, for its applications and its own suites."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from eventsourcing import persistence
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    ProcessRecorder,
    ProgrammingError,
    StoredEvent,
    Subscription,
    Tracking,
)
from sqlalchemy import ColumnElement, Connection, Engine, Select, insert, select, update
from sqlalchemy import exc as sql

from infrastructure.bell import PATIENCE_SECONDS, Bell
from infrastructure.clock import utc_now
from infrastructure.engine import writing
from infrastructure.entropy import Entropy
from infrastructure.record import Draft, header_parts, public_commitment
from infrastructure.recorder import insert_records, lock_head, move_head, read_head
from infrastructure.tables import events, tracking

PAGE: Final = 500


@contextmanager
def library_errors() -> Iterator[None]:
    """Raises what SQLAlchemy raises as the library's error of the same name."""
    try:
        yield
    except sql.DBAPIError as fault:
        known = getattr(persistence, type(fault).__name__, persistence.DatabaseError)
        raise known(str(fault.orig)) from fault
    except sql.TimeoutError as fault:  # no connection came free
        raise persistence.OperationalError(str(fault)) from fault


def stored_in_order(
    engine: Engine, query: Select[Any], *, gt: int | None, lte: int | None, desc: bool, limit: int | None
) -> list[StoredEvent]:
    """What this query of stored events finds within these versions, in their order or `desc`."""
    version = query.selected_columns.version
    if gt is not None:
        query = query.where(version > gt)
    if lte is not None:
        query = query.where(version <= lte)
    query = query.order_by(version.desc() if desc else version).limit(limit)
    with library_errors(), engine.connect() as conn:
        return [StoredEvent(*row) for row in conn.execute(query)]


class SQLAlchemyRecorder(ProcessRecorder):
    """One ledger as the library `eventsourcing` sees it: stored events, notifications, tracking, subscriptions.

    An event that comes this way is kept as it is, its state opaque, as the public part of a record.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: str = "main",
        *,
        bell: Bell | None = None,
        entropy: Entropy | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.engine, self.ledger = engine, ledger
        self.bell = bell or Bell()
        self._entropy, self._clock = entropy or Entropy(), clock

    # Appending.

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> list[int]:
        """The positions the events got. With `tracking`, that is recorded with them or neither is.

        Raises IntegrityError of the library when a stream's version is taken, or the tracking is not new.
        """
        tracked: Tracking | None = kwargs.get("tracking")
        with library_errors(), writing(self.engine) as conn:
            positions = self._append(conn, stored_events) if stored_events else []
            if tracked is not None:
                self._track(conn, tracked)
        self.bell.ring()
        return positions

    def _append(self, conn: Connection, stored_events: Sequence[StoredEvent]) -> list[int]:
        head = lock_head(conn, self.ledger)
        now = max(self._clock(), head.recorded_at)
        drafts = [self._draft(stored, now) for stored in stored_events]
        records = [draft.complete(head.position + n, now) for n, draft in enumerate(drafts, start=1)]
        insert_records(conn, records)
        move_head(conn, self.ledger, records[-1].position, now)
        return [record.position for record in records]

    def _draft(self, stored: StoredEvent, now: datetime) -> Draft:
        stream_id = stream_uuid(stored.originator_id)
        event_id, salt = self._entropy.new_id(), self._entropy.source(16)
        parts = header_parts(
            ledger=self.ledger,
            stream_id=stream_id,
            version=stored.originator_version,
            event_id=event_id,
            # A topic of another program may be any text; its digest says the same in the header's alphabet.
            kind="foreign." + sha256(stored.topic.encode()).hexdigest(),
            occurred_at=now,
            actor="s:eventsourcing",
            public=public_commitment(salt, stored.state),
            sections=(),
        )
        version, topic = stored.originator_version, stored.topic
        return Draft(self.ledger, stream_id, version, event_id, topic, now, *parts, stored.state, salt, None, None)

    # Reading.

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """The events of a stream by version; of our own events the public part."""
        query = select(events.c.stream_id, events.c.version, events.c.topic, events.c.public)
        query = query.where(events.c.ledger == self.ledger, events.c.stream_id == stream_uuid(originator_id))
        return stored_in_order(self.engine, query, gt=gt, lte=lte, desc=desc, limit=limit)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """The events of the ledger from a position on, in order."""
        position = events.c.position
        chosen: list[ColumnElement[bool]] = [events.c.ledger == self.ledger]
        if start is not None:
            chosen.append(position >= start if inclusive_of_start else position > start)
        if stop is not None:
            chosen.append(position <= stop)
        if topics:
            chosen.append(events.c.topic.in_(topics))
        columns = (events.c.stream_id, events.c.version, events.c.topic, events.c.public, position)
        query = select(*columns).where(*chosen).order_by(position).limit(limit)
        with library_errors(), self.engine.connect() as conn:
            return [Notification(*row) for row in conn.execute(query)]

    def max_notification_id(self) -> int | None:
        """The last position of the ledger; None before the first event."""
        with library_errors(), self.engine.connect() as conn:
            return read_head(conn, self.ledger).position or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "LedgerSubscription":
        """What was appended after a position, and then whatever will be, as it comes."""
        return LedgerSubscription(self, gt, topics)

    # Tracking.

    def insert_tracking(self, tracking: Tracking) -> None:
        """Records how far an application has been followed. Raises IntegrityError when that is not further."""
        with library_errors(), writing(self.engine) as conn:
            self._track(conn, tracking)

    def _track(self, conn: Connection, tracked: Tracking) -> None:
        mine = (tracking.c.ledger == self.ledger, tracking.c.name == tracked.application_name)
        lower = tracking.c.position < tracked.notification_id
        moved = conn.execute(update(tracking).where(*mine, lower).values(position=tracked.notification_id))
        if moved.rowcount == 0:
            # The first time there is no row yet. Otherwise the key is taken, which is the refusal.
            row = {"name": tracked.application_name, "position": tracked.notification_id}
            conn.execute(insert(tracking).values(ledger=self.ledger, **row))

    def max_tracking_id(self, application_name: str) -> int | None:
        """How far the application has been followed; None when it has not."""
        mine = (tracking.c.ledger == self.ledger, tracking.c.name == application_name)
        with library_errors(), self.engine.connect() as conn:
            return conn.execute(select(tracking.c.position).where(*mine)).scalar()


class LedgerSubscription(Subscription[ApplicationRecorder]):
    """The events of a ledger in order, for ever. At the end it waits for the bell, or a second."""

    def __init__(self, recorder: SQLAlchemyRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._ledger = recorder
        self._after = gt or 0
        self._page: deque[Notification] = deque()

    def __next__(self) -> Notification:
        """The next event. Ends only when the subscription was stopped."""
        while not self._has_been_stopped:
            if self._page:
                return self._page.popleft()
            heard = self._ledger.bell.rings
            if not self._pull():
                self._ledger.bell.wait(heard, PATIENCE_SECONDS)
        raise StopIteration

    def stop(self) -> None:
        """Ends the iteration, even one that is waiting in another thread."""
        super().stop()
        self._ledger.bell.ring()

    def _pull(self) -> bool:
        end = self._ledger.max_notification_id() or 0
        if end <= self._after:
            return False
        found = self._ledger.select_notifications(self._after, PAGE, end, self._topics, inclusive_of_start=False)
        # Fewer than a page: the rest up to `end` has other topics and need not be looked at again.
        self._after = found[-1].id if len(found) == PAGE else end
        self._page.extend(found)
        return bool(found)


def stream_uuid(originator_id: UUID | str) -> UUID:
    if not isinstance(originator_id, UUID):
        raise ProgrammingError("the streams of a ledger are UUIDs")
    return originator_id
