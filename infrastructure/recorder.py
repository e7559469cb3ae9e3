"""The recorder: appends to a ledger under the lock of its head, so that positions have no gaps and never swap.

The functions work on an open connection and are what the writer uses. The same ledger behind the interface of the
library `eventsourcing` is in `library`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy import exc as sql

from infrastructure.engine import READ_ONLY
from infrastructure.record import Record, Told
from infrastructure.rows import driver_cursor, fetched, insert_rows
from infrastructure.tables import EPOCH, events, heads

COLUMNS: Final = tuple(column.name for column in events.columns)
TOLD: Final = tuple(events.c[name] for name in Told._fields)
"""The columns of `events` that deciding needs."""
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
