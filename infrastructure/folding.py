"""Folding: one projection's rows brought forward by a page of events, each touched row written once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Column, Connection, Table, delete, insert, select
from sqlalchemy.exc import DataError, DBAPIError

from domain.kinds import Fact
from infrastructure.generations import Generation
from infrastructure.probes import for_each
from infrastructure.rows import append_rows, delete_rows, write_rows
from infrastructure.tables import parked

Key = tuple[Any, ...]
Row = Mapping[str, Any]
PLACE: Final = ("ledger", "generation", "stream_id")
"""The first columns of every projection's primary key."""
KEPT_ROWS: Final = 20_000
"""So many rows stay in memory from page to page, those of the streams touched last."""
_STREAMS_A_QUERY: Final = 500
_OF_STREAM: Final = "ledger = %b AND generation = %b AND stream_id = asked.stream_id OFFSET 0"


class ProjectionLike(Protocol):
    """What the runner needs to know of a projection."""

    @property
    def name(self) -> str:
        """Under which name its generations are kept."""
        ...

    @property
    def version(self) -> int:
        """Rises with every change of its rows."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """Its tables; ledger, generation and stream_id come first in their primary keys."""
        ...

    @property
    def loaded(self) -> Sequence[Table]:
        """Those whose rows it needs to fold on, but for columns marked as derived; others only get new rows."""
        ...

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> Mapping[Key, Row | None]:
        """What a fact changes in the rows of its stream; None takes a row away."""
        ...

    def stored(self, key: Key, row: Row) -> Row:
        """The row as it is written."""
        ...


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that could not be decoded."""

    stream_id: UUID
    position: int
    error: str


@dataclass(frozen=True, slots=True)
class Parked:
    """A stream that a projection cannot fold, from which event on, and why."""

    stream_id: UUID
    position: int
    error: str


@dataclass(slots=True)
class Folded:
    """What a page of events does to one projection, before it is written."""

    rows: dict[UUID, dict[Key, Row]]
    """The rows to fold on from, by stream."""
    touched: dict[UUID, dict[Key, Row | None]] = field(default_factory=dict)
    parked: dict[UUID, Parked] = field(default_factory=dict)
    """Streams that got stuck on this page."""
    damaged: dict[UUID, str] = field(default_factory=dict)
    """Streams whose stored rows cannot be read, and why."""


class Folder:
    """Folds one generation of one projection. Remembers the rows of recent streams while nobody else folds."""

    def __init__(self, projection: ProjectionLike, ledger: str, generation: Generation) -> None:
        self.projection, self.generation = projection, generation
        self._ledger = ledger
        self._loaded = {table.name for table in projection.loaded}
        self._tables = {table.name: table for table in projection.tables}
        self._kept: OrderedDict[UUID, dict[Key, Row]] = OrderedDict()
        self._kept_rows = 0
        self._kept_at = -1

    def fold(self, conn: Connection, page: Iterable[Fact | Unreadable], stuck: set[UUID], at: int) -> Folded:
        """What these events change, given that the rows stand at position `at`.

        Events up to `at` are passed over, and those of `stuck` streams: they wait for a fix.
        """
        page = [one for one in page if one.position > at and one.stream_id not in stuck]
        if self._kept_at != at:
            self.forget()
        folded = self._begun(conn, {one.stream_id for one in page})
        for one in page:
            if one.stream_id not in folded.parked:
                self._step(folded, one)
        return folded

    def write(self, conn: Connection, folded: Folded, *, quickly: bool = False) -> None:
        """Writes each touched row once, and parks what got stuck.

        `quickly` takes it that tables which only get new rows have none of these yet; it fails where they do.
        """
        upserts, deletes = self._sorted(folded)
        for name, rows in deletes.items():
            delete_rows(conn, self._tables[name], rows)
        for name, rows in upserts.items():
            send = write_rows if name in self._loaded or not quickly else append_rows
            send(conn, self._tables[name], rows)
        for one in folded.parked.values():
            self.park(conn, one)

    def keep(self, folded: Folded, at: int) -> None:
        """Remembers the rows, now committed, as they stand at position `at`."""
        if not self._loaded:
            return
        for stream, rows in folded.rows.items():
            self._kept_rows -= len(self._kept.pop(stream, ()))
            if stream not in folded.parked:
                self._kept[stream] = rows
                self._kept_rows += len(rows)
        while self._kept_rows > KEPT_ROWS:
            self._kept_rows -= len(self._kept.popitem(last=False)[1])
        self._kept_at = at

    def forget(self) -> None:
        """Drops what is remembered: somebody else may have folded, or nobody knows what was committed."""
        self._kept.clear()
        self._kept_rows, self._kept_at = 0, -1

    def park(self, conn: Connection, one: Parked) -> None:
        """Books the stream as stuck at this event."""
        values = {"position": one.position, "error": one.error, "stream_id": one.stream_id}
        place = {"projection": self.generation.name, "generation": self.generation.number, "ledger": self._ledger}
        conn.execute(insert(parked).values({**place, **values}))

    def unpark(self, conn: Connection, stream_id: UUID) -> None:
        """Takes the stream out of the books of the stuck."""
        conn.execute(
            delete(parked).where(
                parked.c.ledger == self._ledger,
                parked.c.projection == self.generation.name,
                parked.c.generation == self.generation.number,
                parked.c.stream_id == stream_id,
            )
        )

    def _step(self, folded: Folded, one: Fact | Unreadable) -> None:
        error = one.error if isinstance(one, Unreadable) else folded.damaged.get(one.stream_id)
        if error is not None or isinstance(one, Unreadable):
            folded.parked[one.stream_id] = Parked(one.stream_id, one.position, error or "")
            return
        rows = folded.rows[one.stream_id]
        try:
            changes = self.projection.apply(rows, one)
        except Exception as fault:  # noqa: BLE001 - whatever it is, only this stream may suffer from it
            folded.parked[one.stream_id] = Parked(one.stream_id, one.position, described(fault))
            return
        if not changes:
            return
        folded.touched.setdefault(one.stream_id, {}).update(changes)
        for key, row in changes.items():
            if key[0] not in self._loaded:
                continue
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row

    def _begun(self, conn: Connection, streams: set[UUID]) -> Folded:
        """The rows of these streams, from memory or in one query per table."""
        # Copies: a page that fails must leave what is remembered as it was.
        folded = Folded({stream: dict(self._kept[stream]) for stream in streams if stream in self._kept})
        missing = [stream for stream in streams if stream not in folded.rows]
        for start in range(0, len(missing), _STREAMS_A_QUERY):
            self._load(conn, folded, missing[start : start + _STREAMS_A_QUERY])
        return folded

    def _load(self, conn: Connection, folded: Folded, streams: list[UUID]) -> None:
        """Loads the rows of these streams; one whose rows cannot be read is damaged, the others are loaded."""
        found: dict[UUID, dict[Key, Row]] = {stream: {} for stream in streams}
        try:
            for table in self.projection.loaded:
                for stream, key, row in self._loaded_rows(conn, table, streams):
                    found[stream][key] = row
        except Exception as fault:
            if _of_the_database(fault):
                raise
            # Whatever else it is, only the streams it concerns may suffer.
            if len(streams) == 1:
                folded.damaged[streams[0]] = described(fault)
            else:
                half = len(streams) // 2
                self._load(conn, folded, streams[:half])
                self._load(conn, folded, streams[half:])
                return
        folded.rows |= found

    def _loaded_rows(
        self, conn: Connection, table: Table, streams: list[UUID]
    ) -> Iterable[tuple[UUID, Key, dict[str, Any]]]:
        columns, inner = _needed(table), _inner_key(table)
        names = [column.name for column in columns]
        for stream, *values in self._found(conn, (table.c.stream_id, *columns), streams):
            row = dict(zip(names, values, strict=True))
            yield stream, (table.name, *(row[name] for name in inner)), row

    def _found(self, conn: Connection, columns: tuple[Column[Any], ...], streams: list[UUID]) -> Iterable[Any]:
        table = columns[0].table
        place = (self._ledger, self.generation.number)
        if conn.dialect.name == "postgresql":
            return for_each(conn, columns, _OF_STREAM, place, columns[:1], [(stream,) for stream in streams])
        within = (table.c.ledger == place[0], table.c.generation == place[1], columns[0].in_(streams))
        return conn.execute(select(*columns).where(*within))

    def _sorted(self, folded: Folded) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
        upserts: dict[str, list[Row]] = {}
        deletes: dict[str, list[Row]] = {}
        # Sorted, so that two projectors write rows in the same order and cannot block each other for ever.
        for stream in sorted(folded.touched):
            place = {"ledger": self._ledger, "generation": self.generation.number, "stream_id": stream}
            for key, row in folded.touched[stream].items():
                if row is None:
                    named = dict(zip(_inner_key(self._tables[key[0]]), key[1:], strict=True))
                    deletes.setdefault(key[0], []).append({**place, **named})
                else:
                    upserts.setdefault(key[0], []).append({**place, **self.projection.stored(key, row)})
        return upserts, deletes


def described(fault: BaseException) -> str:
    """What kind of fault it was. Never its message: that may repeat what a customer said."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" in {trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}"
    return type(fault).__name__ + place


def _of_the_database(fault: Exception) -> bool:
    """Whether the query failed, rather than somebody here to read what it found.

    PostgreSQL answers nothing more in that transaction: looking on for the stream at fault would blame them all.
    Its driver raises what it cannot decode itself as an error of data without a state.
    """
    if isinstance(fault, DataError):
        return getattr(fault.orig, "sqlstate", None) is not None
    return isinstance(fault, DBAPIError)


@cache
def _inner_key(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key if column.name not in PLACE)


@cache
def _needed(table: Table) -> tuple[Column[Any], ...]:
    """The columns to fold on from: all but those that are worked out from the others."""
    return tuple(c for c in table.c if c.name not in PLACE and not c.info.get("derived"))
