"""Folding: one projection's rows brought forward by a page of events, each touched row written once."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Column, Connection, Table, delete, insert, select
from sqlalchemy.exc import DataError, DBAPIError

from infrastructure.checkpoints import Generation
from infrastructure.probes import for_each
from infrastructure.rows import append_rows, change_rows, delete_rows, write_rows
from infrastructure.stories import Folded, Key, Parked, Part, ProjectionLike, Row, Story, Told, Unreadable
from infrastructure.tables import parked

PLACE: Final = ("ledger", "generation", "stream_id")
"""The first columns of every projection's primary key."""
KEPT_ROWS: Final = 50_000
"""So many rows of each read model stay in memory from page to page, those of the streams touched last."""
_STREAMS_A_QUERY: Final = 500
_OF_STREAM: Final = "ledger = %b AND generation = %b AND stream_id = asked.stream_id OFFSET 0"


class Folder:
    """Folds one generation of one projection. Remembers the rows of recent streams while nobody else folds."""

    def __init__(self, projection: ProjectionLike, ledger: str, generation: Generation) -> None:
        self.projection, self.generation = projection, generation
        self._ledger = ledger
        self._loaded = {table.name for table in projection.loaded}
        self._tables = {table.name: table for table in projection.tables}
        self._kept: OrderedDict[UUID, Mapping[Key, Row]] = OrderedDict()
        self._kept_rows = 0
        self._kept_at = -1

    def fold(
        self, conn: Connection, part: Part, stuck: Collection[UUID], at: int, onto: Folded | None = None
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
        told = part.streams(self.projection.topics, at)
        if stuck:
            told = {stream: events for stream, events in told.items() if stream not in stuck}
        missing = [stream for stream, events in told.items() if not self._gone_on(folded, stream, events)]
        for start in range(0, len(missing), _STREAMS_A_QUERY):
            self._load(conn, folded, missing[start : start + _STREAMS_A_QUERY])
        for stream in missing:
            self._tell(folded.streams[stream], told[stream])
        return folded

    def _gone_on(self, folded: Folded, stream: UUID, events: Iterable[Told]) -> bool:
        """Folds these events of a stream whose rows are in memory; whether they are."""
        story = folded.streams.get(stream)
        if story is None:
            kept = self._kept.get(stream)
            if kept is None:
                return False
            story = folded.streams[stream] = Story.going_on(kept)
        self._tell(story, events)
        return True

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
            if changes.slight:
                columns = self.projection.volatile[name]
                change_rows(conn, self._tables[name], columns, changes.slight, self._place(changes.of_slight))
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

    def _tell(self, story: Story, events: Iterable[Told]) -> None:
        apply = self.projection.apply
        for one in events:
            if story.parked is not None:
                return
            if isinstance(one, Unreadable) or story.damaged is not None:
                error = one.error if isinstance(one, Unreadable) else story.damaged
                story.parked = Parked(one.stream_id, one.position, error or "")
                return
            try:
                changes = apply(story.rows, one)
            except Exception as fault:  # noqa: BLE001 - whatever it is, only this stream may suffer from it
                story.parked = Parked(one.stream_id, one.position, described(fault))
                return
            if changes:
                self._take(story, changes)

    def _take(self, story: Story, changes: Mapping[Key, Row | None]) -> None:
        story.touched.update(changes)
        rows = story.rows
        for key, row in changes.items():
            if key[0] not in self._loaded:
                continue
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row

    def _load(self, conn: Connection, folded: Folded, streams: list[UUID]) -> None:
        """Loads the rows of these streams; one whose rows cannot be read is damaged, the others are loaded."""
        found: dict[UUID, dict[Key, Row]] = {stream: {} for stream in streams}
        damaged = None
        try:
            for table in self.projection.loaded:
                for stream, key, row in self._loaded_rows(conn, table, streams):
                    found[stream][key] = row
        except Exception as fault:
            if _of_the_database(fault):
                raise
            # Whatever else it is, only the streams it concerns may suffer.
            if len(streams) == 1:
                damaged = described(fault)
            else:
                half = len(streams) // 2
                self._load(conn, folded, streams[:half])
                self._load(conn, folded, streams[half:])
                return
        for stream, rows in found.items():
            story = folded.streams[stream] = Story.going_on(rows)
            story.damaged = damaged

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
        changed = {name: _Changes([], [], [], [], []) for name in self._tables}
        # Sorted, so that two projectors write rows in the same order and cannot block each other for ever.
        for stream, story in sorted(folded.streams.items(), key=_number):
            for key, row in story.touched.items():
                changes = changed[key[0]]
                if row is None:
                    named = zip(_inner_key(self._tables[key[0]]), key[1:], strict=True)
                    changes.deleted.append({**self._at(stream), **dict(named)})
                else:
                    self._sort_in(changes, stream, key, row, story.before.get(key))
        return changed

    def _sort_in(self, changes: "_Changes", stream: UUID, key: Key, row: Row, before: Row | None) -> None:
        slight = None
        if before is not None and key[0] in self.projection.volatile:
            slight = self.projection.only_volatile(key, before, row)
        if slight is None:
            changes.streams.append(stream)
            changes.rows.append(self.projection.stored(key, row))
        elif slight:
            changes.of_slight.append(stream)
            changes.slight.append({**dict(zip(_inner_key(self._tables[key[0]]), key[1:], strict=True)), **slight})

    def _at(self, stream: UUID) -> Row:
        return {"ledger": self._ledger, "generation": self.generation.number, "stream_id": stream}

    def _place(self, streams: list[UUID]) -> dict[str, Sequence[Any]]:
        n = len(streams)
        return {"ledger": [self._ledger] * n, "generation": [self.generation.number] * n, "stream_id": streams}


class _Changes(NamedTuple):
    """What changes in one table: rows written over or added, of these streams, and rows taken away.

    Of `slight` ones nothing but volatile columns is written.
    """

    streams: list[UUID]
    rows: list[Row]
    of_slight: list[UUID]
    slight: list[Row]
    deleted: list[Row]


def _number(of: tuple[UUID, Story]) -> int:
    return of[0].int


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
