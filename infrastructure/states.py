"""The folded relationships a writer works on: kept warm, loaded from snapshot and tail when cold."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Final, Generic, TypeVar
from uuid import UUID

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, delete

from domain.errors import NewerProgramNeeded
from domain.kinds import Aggregate
from infrastructure.cold import Kept, read_cold
from infrastructure.mapper import Mapper
from infrastructure.record import Told
from infrastructure.rows import fetched, write_rows
from infrastructure.tables import snapshots

log = structlog.get_logger(__name__)
FOLD: Final = 3
"""Rises when events change the state in another way than before though its shape stays the same.

So does a new kind of event: a program that does not know it must not find it folded into a snapshot.
"""
_DIGEST: Final = sha256().digest_size
SNAPSHOT_EVERY: Final = 10
"""With 20 the longest tail to fold was twice as long, and B2 could not show that writing was cheaper."""
_STREAMS_A_QUERY: Final = 200
# Stored and cleared by one statement: as two, they were the dearest of all that a small page asks. The older ones
# are looked up laterally and deleted by where they lie, so that no plan reads the whole table. See probes.
_SAVE: Final = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[], %b::bytea[])
    AS given (stream_id, version, position, state)
), kept AS (
    INSERT INTO snapshots (ledger, stream_id, version, position, format, state)
    SELECT %b::text, stream_id, version, position, %b::text, state FROM given
    ON CONFLICT (ledger, stream_id, version)
    DO UPDATE SET position = excluded.position, format = excluded.format, state = excluded.state
)
DELETE FROM snapshots WHERE ctid = ANY (ARRAY (
    SELECT older.ctid FROM given CROSS JOIN LATERAL (
        SELECT ctid FROM snapshots
        WHERE ledger = %b::text AND stream_id = given.stream_id AND version < given.version AND format = %b::text
        OFFSET 0
    ) AS older
))
"""
_STREAM: Final = attrgetter("stream_id")
S = TypeVar("S", bound=Aggregate)


class Shape(Generic[S]):
    """How states of one kind are written; `format` names it.

    A snapshot of another format is passed over and the stream folded anew.
    """

    def __init__(self, kind: type[S]) -> None:
        self.kind = kind
        self.state = TypeAdapter(kind)
        self.read: Callable[[bytes], S] = self.state.validator.validate_json
        digest = sha256(repr(self.state.json_schema()).encode()).hexdigest()
        self.format = f"{kind.__name__.lower()}:brief:{FOLD}:{digest[:16]}"


@cache
def shape_of(kind: type[S]) -> Shape[S]:
    """The shape of this kind of state."""
    return Shape(kind)


class States:
    """Folded states by stream, at most `size` of them, the least recently used dropped first.

    They stand at ledger position `seen`; whoever finds the head elsewhere catches up or clears. What others
    appended is folded into a state when that is asked for, or by `fold_news`.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._states: OrderedDict[UUID, Aggregate] = OrderedDict()
        self._news: dict[UUID, tuple[Mapper, list[Told]]] = {}
        """What others appended to streams kept here and their states do not count yet, with what reads it."""
        self.seen = 0

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, stream: object) -> bool:
        return stream in self._states

    def get(self, stream: UUID) -> Aggregate | None:
        """The state kept for this stream, if any."""
        if self._news and stream in self._news:
            self._fold(stream)
        state = self._states.get(stream)
        if state is not None:
            self._states.move_to_end(stream)
        return state

    def keep(self, states: Mapping[UUID, Aggregate], seen: int) -> None:
        """Takes these states, true as of position `seen`."""
        for stream, state in states.items():
            if state.version:  # ids of nobody must not push customers out
                self._states[stream] = state  # a known one was put behind the others when it was asked for
        while len(self._states) > self._size:
            gone, _ = self._states.popitem(last=False)
            self._news.pop(gone, None)
        self.seen = seen

    def catch_up(self, told: Iterable[Told], mapper: Mapper, seen: int) -> None:
        """Takes note of what somebody else appended. The head is locked meanwhile, so it is not folded yet."""
        for one in told:
            if one.stream_id in self._states:
                self._news.setdefault(one.stream_id, (mapper, []))[1].append(one)
        self.seen = seen

    def fold_news(self) -> None:
        """Brings every kept state up to date with what was noted. For when nobody waits."""
        for stream in list(self._news):
            self._fold(stream)

    def _fold(self, stream: UUID) -> None:
        mapper, news = self._news.pop(stream)
        state = self._states[stream]
        try:
            for one in news:
                state = state.after(mapper.known(one))
        except Exception:  # noqa: BLE001 - whoever loads this stream next is told what is wrong with it
            del self._states[stream]
        else:
            self._states[stream] = state

    def clear(self, seen: int) -> None:
        """Forgets everything."""
        self._states.clear()
        self._news.clear()
        self.seen = seen


def load(
    conn: Connection, mapper: Mapper, ledger: str, streams: Collection[UUID], kind: type[S], *, repair: bool = True
) -> dict[UUID, S]:
    """The folded state of each of these streams of one kind: newest fitting snapshot, then the events after it.

    A stream that a newer program wrote to is left out: deciding on it takes that program. A snapshot that is
    damaged, or not of what the ledger holds, is passed over and, to `repair`, replaced on this connection.
    """
    states: dict[UUID, S] = {}
    wanted = list(streams)
    for start in range(0, len(wanted), _STREAMS_A_QUERY):
        some = wanted[start : start + _STREAMS_A_QUERY]
        found, anew = _loaded(conn, mapper, ledger, some, shape_of(kind))
        states |= found | anew
        if anew and repair:
            _replace(conn, ledger, anew)
    return states


def _loaded(
    conn: Connection, mapper: Mapper, ledger: str, streams: list[UUID], shape: Shape[S]
) -> tuple[dict[UUID, S], dict[UUID, S]]:
    """The states of these streams; apart from the others those whose snapshot was of no use."""
    kept, told = read_cold(conn, ledger, streams, shape.format)
    unpacked = {one.stream_id: _unpacked(one, shape) for one in kept}
    begun = {stream: unpacked[stream] if stream in unpacked else shape.kind.begun(stream) for stream in streams}
    folded, useless = _folded(mapper, begun, told)
    return folded, _anew(conn, mapper, ledger, useless, shape) if useless else {}


def _anew(conn: Connection, mapper: Mapper, ledger: str, streams: list[UUID], shape: Shape[S]) -> dict[UUID, S]:
    """The states of these streams by all their events."""
    told = read_cold(conn, ledger, streams, None).told
    begun: dict[UUID, S | None] = {stream: shape.kind.begun(stream) for stream in streams}
    return _folded(mapper, begun, told)[0]


def _folded(
    mapper: Mapper, begun: Mapping[UUID, S | None], told: Sequence[Told]
) -> tuple[dict[UUID, S], list[UUID]]:
    """These states with the events after them, and the streams whose snapshot is damaged or of another history.

    Neither those are among the states, nor streams that hold events of a newer program. A snapshot is confirmed by
    the event it was made after: a ledger that was restored to an earlier day lacks it.
    """
    states: dict[UUID, S] = {}
    useless = []
    since = {stream: list(records) for stream, records in groupby(told, _STREAM)} if len(begun) > 1 else None
    for stream, state in begun.items():
        records = told if since is None else since.get(stream, ())
        if state is None or (state.version and not _confirmed(state, records)):
            useless.append(stream)
            continue
        with suppress(NewerProgramNeeded):
            states[stream] = _after(state, mapper, records)
    return states, useless


def _confirmed(state: Aggregate, records: Sequence[Told]) -> bool:
    """Whether the first of these events is the one that the state was made after."""
    return bool(records) and (records[0].version, records[0].position) == (state.version, state.position)


def _after(state: S, mapper: Mapper, records: Iterable[Told]) -> S:
    """The state after those of these events that it does not count yet. Raises NewerProgramNeeded."""
    for record in records:
        if record.version > state.version:
            state = state.after(mapper.known(record))
    return state


def _packed(state: Aggregate) -> bytes:
    # Half as long without what is as it always is at first. The format names those values, too: see Shape.
    written = shape_of(type(state)).state.dump_json(state, exclude_defaults=True)
    return sha256(written).digest() + written


def _unpacked(kept: Kept, shape: Shape[S]) -> S | None:
    """The state in these bytes; None when they are not what was written for this stream at this version."""
    digest, written = kept.packed[:_DIGEST], kept.packed[_DIGEST:]
    if sha256(written).digest() != digest:
        return None
    state = shape.read(written)
    return state if (state.stream_id, state.version) == (kept.stream_id, kept.version) else None


def _replace(conn: Connection, ledger: str, states: Mapping[UUID, Aggregate]) -> None:
    """Puts these states in the place of every snapshot of their streams."""
    log.warning("snapshots_replaced", ledger=ledger, streams=len(states))
    conn.execute(delete(snapshots).where(snapshots.c.ledger == ledger, snapshots.c.stream_id.in_(states)))
    save_snapshots(conn, ledger, [state for state in states.values() if state.version])


def snapshot_due(before: int, after: int) -> bool:
    """Whether a stream that grew from version `before` to `after` passed a point where one is taken.

    Every SNAPSHOT_EVERY versions at first, then at about a tenth of the stream: a state grows with its stream, so
    that evenly spaced ones would cost each event of a long stream more than the one before.
    """
    step = SNAPSHOT_EVERY * max(1, after // (10 * SNAPSHOT_EVERY))
    return before // step != after // step


def save_snapshots(conn: Connection, ledger: str, states: Iterable[Aggregate]) -> None:
    """Stores these states, each in the place of the older snapshots of its stream."""
    by_kind: dict[str, list[Aggregate]] = {}
    for state in states:
        by_kind.setdefault(shape_of(type(state)).format, []).append(state)
    for written, alike in by_kind.items():
        _save(conn, ledger, written, alike)


def _save(conn: Connection, ledger: str, written: str, states: Sequence[Aggregate]) -> None:
    """Those of one kind. Whoever else stored one of the same version, in another format perhaps, loses nothing."""
    rows = [(state.stream_id, state.version, state.position, _packed(state)) for state in states]
    if conn.dialect.name == "postgresql":
        arrays = [list(column) for column in zip(*rows, strict=True)]
        fetched(conn, _SAVE, [*arrays, ledger, written, ledger, written])
        return
    names = ("stream_id", "version", "position", "state")
    told = {"ledger": ledger, "format": written}
    write_rows(conn, snapshots, [told | dict(zip(names, row, strict=True)) for row in rows])
    _drop_older(conn, ledger, written, states)


def _drop_older(conn: Connection, ledger: str, written: str, states: Sequence[Aggregate]) -> None:
    # Of this format alone: an older program may be running beside this one and need its own.
    older = delete(snapshots).where(
        snapshots.c.ledger == ledger,
        snapshots.c.stream_id == bindparam("stream"),
        snapshots.c.format == written,
        snapshots.c.version < bindparam("newest"),
    )
    conn.execute(older, [{"stream": state.stream_id, "newest": state.version} for state in states])
