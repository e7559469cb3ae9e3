"""Folding: one projection's rows brought forward by a page of events, each touched row written once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol
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
_number: Final = attrgetter("int")
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
    def topics(self) -> frozenset[str] | None:
        """The kinds of events it says anything about; None: it wants to see all."""
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
class Story:
    """What a page of events does to the rows of one stream, before it is written."""

    rows: dict[Key, Row]
    """The rows to fold on from."""
    touched: dict[Key, Row | None] = field(default_factory=dict)
    damaged: str | None = None
    """Why its stored rows cannot be read."""
    parked: Parked | None = None
    """Where it got stuck on this page."""


@dataclass(slots=True)
class Folded:
    """What a page of events does to one projection, before it is written."""

    streams: dict[UUID, Story] = field(default_factory=dict)

    @property
    def parked(self) -> list[Parked]:
        """Streams that got stuck on this page."""
        return [one.parked for one in self.streams.values() if one.parked is not None]

    def park(self, one: Parked) -> None:
        """This stream got stuck, whatever was made of it."""
        self.streams[one.stream_id] = Story({}, parked=one)


class Folder:
    """Folds one generation of one projection. Remembers the rows of recent streams while nobody else folds."""

    def __init__(self, projection: ProjectionLike, ledger: str, generation: Generation) -> None:
        self.projection, self.generation = projection, generation
        self._ledger = ledger
        self._loaded = {table.name for table in projection.loaded}
        self._topics = projection.topics
        self._tables = {table.name: table for table in projection.tables}
        self._kept: OrderedDict[UUID, dict[Key, Row]] = OrderedDict()
        self._kept_rows = 0
        self._kept_at = -1

    def fold(
        self,
        conn: Connection,
        events: Iterable[Fact | Unreadable],
        stuck: set[UUID],
        at: int,
        onto: Folded | None = None,
    ) -> Folded:
        """What these events change, given that the rows stand at position `at`.

        Events up to `at` are passed over, and those of `stuck` streams: they wait for a fix. A page may come in
        several parts, each folded `onto` what those before it have changed.
        """
        if self._kept_at != at:
            self.forget()
        for standing in stuck:
            # Somebody else may have parked it at this very position, after a crash that took our page back.
            self._kept_rows -= len(self._kept.pop(standing, ()))
        folded = Folded() if onto is None else onto
        ours = [one for one in events if one.position > at and one.stream_id not in stuck and self._counts(one)]
        self._begin(conn, folded, {one.stream_id for one in ours})
        streams, step = folded.streams, self._step
        for one in ours:
            stream = streams[one.stream_id]
            if stream.parked is None:
                step(stream, one)
        return folded

    def _counts(self, one: Fact | Unreadable) -> bool:
        """Whether the read model may say something about it. What cannot be read may be anything."""
        return self._topics is None or isinstance(one, Unreadable) or one.event.TOPIC in self._topics

    def write(self, conn: Connection, folded: Folded, *, quickly: bool = False) -> None:
        """Writes each touched row once, and parks what got stuck.

        `quickly` takes it that tables which only get new rows have none of these yet; it fails where they do.
        """
        changed = self._changed(folded)
        for name, changes in changed.items():
            if changes.deleted:
                delete_rows(conn, self._tables[name], changes.deleted)
        for name, changes in changed.items():
            send = write_rows if name in self._loaded or not quickly else append_rows
            if changes.rows:
                send(conn, self._tables[name], changes.rows, self._place(changes.streams))
        for one in folded.parked:
            self.park(conn, one)

    def keep(self, folded: Folded, at: int) -> None:
        """Remembers the rows, now committed, as they stand at position `at`."""
        if not self._loaded:
            return
        for stream, one in folded.streams.items():
            self._kept_rows -= len(self._kept.pop(stream, ()))
            if one.parked is None:
                self._kept[stream] = one.rows
                self._kept_rows += len(one.rows)
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

    def _step(self, stream: Story, one: Fact | Unreadable) -> None:
        if isinstance(one, Unreadable) or stream.damaged is not None:
            error = one.error if isinstance(one, Unreadable) else stream.damaged
            stream.parked = Parked(one.stream_id, one.position, error or "")
            return
        rows = stream.rows
        try:
            changes = self.projection.apply(rows, one)
        except Exception as fault:  # noqa: BLE001 - whatever it is, only this stream may suffer from it
            stream.parked = Parked(one.stream_id, one.position, described(fault))
            return
        if not changes:
            return
        stream.touched.update(changes)
        for key, row in changes.items():
            if key[0] not in self._loaded:
                continue
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row

    def _begin(self, conn: Connection, folded: Folded, streams: set[UUID]) -> None:
        """Gets the rows of these streams that are not there yet, from memory or in one query per table."""
        missing = []
        for stream in streams.difference(folded.streams):
            kept = self._kept.get(stream)
            if kept is None:
                missing.append(stream)
            else:
                # A copy: a page that fails must leave what is remembered as it was.
                folded.streams[stream] = Story(dict(kept))
        for start in range(0, len(missing), _STREAMS_A_QUERY):
            self._load(conn, folded, missing[start : start + _STREAMS_A_QUERY])

    def _load(self, conn: Connection, folded: Folded, streams: list[UUID]) -> None:
        """Loads the rows of these streams; one whose rows cannot be read is damaged, the others are loaded."""
        found = {stream: Story({}) for stream in streams}
        try:
            for table in self.projection.loaded:
                for stream, key, row in self._loaded_rows(conn, table, streams):
                    found[stream].rows[key] = row
        except Exception as fault:
            if _of_the_database(fault):
                raise
            # Whatever else it is, only the streams it concerns may suffer.
            if len(streams) == 1:
                found[streams[0]].damaged = described(fault)
            else:
                half = len(streams) // 2
                self._load(conn, folded, streams[:half])
                self._load(conn, folded, streams[half:])
                return
        folded.streams |= found

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

    def _changed(self, folded: Folded) -> dict[str, "_Changes"]:
        changed = {name: _Changes([], [], []) for name in self._tables}
        stored = self.projection.stored
        # Sorted, so that two projectors write rows in the same order and cannot block each other for ever.
        for stream in sorted(folded.streams, key=_number):
            for key, row in folded.streams[stream].touched.items():
                changes = changed[key[0]]
                if row is None:
                    named = zip(_inner_key(self._tables[key[0]]), key[1:], strict=True)
                    changes.deleted.append({**self._at(stream), **dict(named)})
                else:
                    changes.streams.append(stream)
                    changes.rows.append(stored(key, row))
        return changed

    def _at(self, stream: UUID) -> Row:
        return {"ledger": self._ledger, "generation": self.generation.number, "stream_id": stream}

    def _place(self, streams: list[UUID]) -> dict[str, Sequence[Any]]:
        n = len(streams)
        return {"ledger": [self._ledger] * n, "generation": [self.generation.number] * n, "stream_id": streams}


class _Changes(NamedTuple):
    """What changes in one table: rows written over or added, of these streams, and rows taken away."""

    streams: list[UUID]
    rows: list[Row]
    deleted: list[Row]


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
