"""The recorder: appends to a ledger under the lock of its head, so that positions have no gaps and never swap.

The functions work on an open connection and are what the writer uses. `SQLAlchemyRecorder` is the same ledger
behind the interface of the library `eventsourcing`, for its applications and its conformance suites.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
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
from sqlalchemy import ColumnElement, Connection, Engine, Row, insert, select, update
from sqlalchemy import exc as sql

from infrastructure.bell import PATIENCE_SECONDS, Bell
from infrastructure.clock import utc_now
from infrastructure.engine import READ_ONLY, writing
from infrastructure.keys import Entropy
from infrastructure.record import Draft, Record, Told, header_parts, public_commitment
from infrastructure.rows import driver_cursor, fetched, insert_rows
from infrastructure.tables import EPOCH, events, heads, tracking

COLUMNS: Final = tuple(column.name for column in events.columns)
TOLD: Final = tuple(events.c[name] for name in Told._fields)
"""The columns of `events` that deciding needs."""
PAGE: Final = 500
_PAGE: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM events WHERE ledger = %s AND position > %s"  # noqa: S608 - our own names only
    " AND position <= coalesce(%s, 9223372036854775807) ORDER BY position LIMIT %s"
)
_TOLD: Final = (
    f"SELECT {', '.join(Told._fields)} FROM events WHERE ledger = %b AND position > %b"  # noqa: S608 - our own names
    " ORDER BY position LIMIT %b"
)
# The driver does these two, not SQLAlchemy: alone they were most of what a page of a few orders costs.
_LOCK: Final = "SELECT position, recorded_at FROM heads WHERE ledger = %b FOR UPDATE"
_MOVE: Final = "UPDATE heads SET position = %b, recorded_at = %b WHERE ledger = %b"
_COPY: Final = f"COPY events ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_COPY_TYPES: Final = ["text", "int8", "uuid", "int8", "uuid", "text", "timestamptz", "timestamptz"] + ["bytea"] * 5


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends: its last position, and when that was recorded."""

    position: int
    recorded_at: datetime


def lock_head(conn: Connection, ledger: str) -> Head:
    """The head of the ledger, locked until the transaction ends; a new ledger stands at position 0.

    The transaction must have been begun by `begin_writing`. Everything the append depends on is read after this.
    """
    while (head := _locked(conn, ledger)) is None:
        _begin_ledger(conn, ledger)
    return head


def _locked(conn: Connection, ledger: str) -> Head | None:
    if conn.dialect.name != "postgresql":
        return _head(conn, ledger)
    with _giving_up(conn):
        rows = fetched(conn, _LOCK, (ledger,))
    # The driver gives moments in the zone of the session.
    return Head(rows[0][0], rows[0][1].astimezone(UTC)) if rows else None


@contextmanager
def _giving_up(conn: Connection) -> Iterator[None]:
    """A session that was told to be read-only stays so: its connection is given up, as the engine gives it up."""
    try:
        yield
    except sql.DBAPIError as fault:
        if getattr(fault.orig, "sqlstate", None) == READ_ONLY:
            conn.invalidate(fault)
        raise


def _begin_ledger(conn: Connection, ledger: str) -> None:
    try:
        with conn.begin_nested():
            conn.execute(insert(heads).values(ledger=ledger, position=0, recorded_at=EPOCH))
    except sql.IntegrityError:
        return  # another process began it at the same moment


def move_head(conn: Connection, ledger: str, position: int, recorded_at: datetime) -> None:
    """Moves the head to this position. Only whoever holds its lock does this."""
    if conn.dialect.name != "postgresql":
        moved = update(heads).where(heads.c.ledger == ledger).values(position=position, recorded_at=recorded_at)
        conn.execute(moved)
        return
    fetched(conn, _MOVE, (position, recorded_at, ledger))


def insert_records(conn: Connection, records: Sequence[Record]) -> None:
    """Writes these rows: one binary COPY on PostgreSQL, one executemany on SQLite.

    Raises sqlalchemy.exc.IntegrityError when a position, a stream's version or an event id is taken.
    """
    if not records:
        return
    if conn.dialect.name == "postgresql":
        _copy(conn, records)
    else:
        insert_rows(conn, events, [record._asdict() for record in records])


def _copy(conn: Connection, records: Sequence[Record]) -> None:
    with driver_cursor(conn) as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_COPY_TYPES)
        for record in records:
            copy.write_row(record)


def to_record(row: Row[Any]) -> Record:
    """The record of a row that holds all columns of `events`."""
    return Record._make(row)


def read_records(conn: Connection, ledger: str, after: int, limit: int, upto: int | None = None) -> list[Record]:
    """The next `limit` records after this position, at most up to position `upto`."""
    if conn.dialect.name == "postgresql":
        with driver_cursor(conn, binary=True) as cursor:
            rows = cursor.execute(_PAGE, (ledger, after, upto, limit)).fetchall()
        return [_from_driver(*row) for row in rows]
    query = select(events).where(events.c.ledger == ledger, events.c.position > after)
    if upto is not None:
        query = query.where(events.c.position <= upto)
    return [to_record(row) for row in conn.execute(query.order_by(events.c.position).limit(limit))]


def read_told(conn: Connection, ledger: str, after: int, limit: int) -> list[Told]:
    """What deciding needs of the next `limit` records after this position."""
    if conn.dialect.name != "postgresql":
        query = select(*TOLD).where(events.c.ledger == ledger, events.c.position > after)
        return [Told._make(row) for row in conn.execute(query.order_by(events.c.position).limit(limit))]
    rows = fetched(conn, _TOLD, (ledger, after, limit))
    return [
        # The driver gives moments in the zone of the session.
        Told(
            stream,
            version,
            position,
            event_id,
            topic,
            at.astimezone(UTC),
            recorded.astimezone(UTC),
            header,
            public,
        )
        for stream, version, position, event_id, topic, at, recorded, header, public in rows
    ]


def _from_driver(
    ledger: str,
    position: int,
    stream_id: UUID,
    version: int,
    event_id: UUID,
    topic: str,
    occurred_at: datetime,
    recorded_at: datetime,
    *parts: Any,
) -> Record:
    # The driver gives moments in the zone of the session.
    happened, recorded = occurred_at.astimezone(UTC), recorded_at.astimezone(UTC)
    return Record(ledger, position, stream_id, version, event_id, topic, happened, recorded, *parts)


def read_head(conn: Connection, ledger: str) -> Head:
    """Where the ledger ends now, without locking it."""
    return _head(conn, ledger) or Head(0, EPOCH)


def _head(conn: Connection, ledger: str) -> Head | None:
    row = conn.execute(select(heads.c.position, heads.c.recorded_at).where(heads.c.ledger == ledger)).first()
    return None if row is None else Head(row.position, row.recorded_at)


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
        version = events.c.version
        query = select(events.c.stream_id, version, events.c.topic, events.c.public)
        query = query.where(events.c.ledger == self.ledger, events.c.stream_id == stream_uuid(originator_id))
        if gt is not None:
            query = query.where(version > gt)
        if lte is not None:
            query = query.where(version <= lte)
        query = query.order_by(version.desc() if desc else version).limit(limit)
        with library_errors(), self.engine.connect() as conn:
            return [StoredEvent(*row) for row in conn.execute(query)]

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
