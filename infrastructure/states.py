"""The folded relationships a writer works on: kept warm, loaded from snapshot and tail when cold."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, and_, delete, func, select

from domain.errors import NewerProgramNeeded
from domain.relationship import Relationship, evolve
from infrastructure.mapper import Mapper
from infrastructure.probes import for_each
from infrastructure.record import Record
from infrastructure.recorder import to_record
from infrastructure.rows import write_rows
from infrastructure.tables import events, snapshots

log = structlog.get_logger(__name__)
STATE: Final = TypeAdapter(Relationship)
FOLD: Final = 1
"""Rises when events change the state in another way than before though its shape stays the same.

So does a new kind of event: a program that does not know it must not find it folded into a snapshot.
"""
FORMAT: Final = f"relationship:digested:{FOLD}:" + sha256(repr(STATE.json_schema()).encode()).hexdigest()[:16]
"""Names the state's shape: a snapshot of another shape is passed over and the stream folded anew."""
_DIGEST: Final = sha256().digest_size
SNAPSHOT_EVERY: Final = 100
_STREAMS_A_QUERY: Final = 200
_KEPT: Final = (snapshots.c.stream_id, snapshots.c.version, snapshots.c.state)
_NEWEST: Final = "ledger = %b AND stream_id = asked.stream_id AND format = %b ORDER BY version DESC LIMIT 1"
_PLACE: Final = (events.c.stream_id, events.c.version)
_TAIL: Final = "ledger = %b AND stream_id = asked.stream_id AND version >= asked.version ORDER BY version"


class States:
    """Folded relationships by stream, at most `size` of them, the least recently used dropped first.

    They stand at ledger position `seen`; whoever finds the head elsewhere catches up or clears.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._states: OrderedDict[UUID, Relationship] = OrderedDict()
        self.seen = 0

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, stream: object) -> bool:
        return stream in self._states

    def get(self, stream: UUID) -> Relationship | None:
        """The state kept for this stream, if any."""
        state = self._states.get(stream)
        if state is not None:
            self._states.move_to_end(stream)
        return state

    def keep(self, states: Mapping[UUID, Relationship], seen: int) -> None:
        """Takes these states, true as of position `seen`."""
        for stream, state in states.items():
            if state.version:  # ids of nobody must not push customers out
                self._states[stream] = state
                self._states.move_to_end(stream)
        while len(self._states) > self._size:
            self._states.popitem(last=False)
        self.seen = seen

    def catch_up(self, records: Iterable[Record], mapper: Mapper, seen: int) -> None:
        """Brings kept states up to date with what somebody else appended."""
        for record in records:
            state = self._states.get(record.stream_id)
            if state is None:
                continue
            try:
                self._states[record.stream_id] = evolve(state, mapper.known(record))
            except Exception:  # noqa: BLE001 - whoever loads this stream next is told what is wrong with it
                del self._states[record.stream_id]
        self.seen = seen

    def clear(self, seen: int) -> None:
        """Forgets everything."""
        self._states.clear()
        self.seen = seen


def load(conn: Connection, mapper: Mapper, ledger: str, streams: Collection[UUID]) -> dict[UUID, Relationship]:
    """The folded state of each of these streams: newest fitting snapshot, then the events after it.

    A stream that a newer program wrote to is left out: deciding on it takes that program. A snapshot that is
    damaged, or not of what the ledger holds, is replaced, on this connection.
    """
    states: dict[UUID, Relationship] = {}
    wanted = list(streams)
    for start in range(0, len(wanted), _STREAMS_A_QUERY):
        chunk = wanted[start : start + _STREAMS_A_QUERY]
        empty = {stream: Relationship(stream) for stream in chunk}
        kept, spoilt = _snapshots(conn, ledger, chunk)
        folded, strange = _folded(conn, mapper, ledger, empty | kept)
        if useless := spoilt | strange:
            if strange:
                anew, _ = _folded(conn, mapper, ledger, {stream: empty[stream] for stream in strange})
                folded |= anew
            _replace(conn, ledger, {stream: folded[stream] for stream in useless if stream in folded})
        states |= folded
    return states


def _folded(
    conn: Connection, mapper: Mapper, ledger: str, begun: Mapping[UUID, Relationship]
) -> tuple[dict[UUID, Relationship], set[UUID]]:
    """These states with the events after them, and the streams whose snapshot is of another history.

    Those that hold events of a newer program are left out. A snapshot is confirmed by the event it was made after:
    a ledger that was restored to an earlier day lacks it.
    """
    states, unconfirmed = dict(begun), {stream for stream, state in begun.items() if state.version}
    for record in _tails(conn, ledger, begun):
        stream = record.stream_id
        state = states.get(stream)
        if state is None:
            continue
        if record.version > state.version:
            try:
                states[stream] = evolve(state, mapper.known(record))
            except NewerProgramNeeded:
                del states[stream]
        elif record.position == state.position:
            unconfirmed.discard(stream)
    return states, unconfirmed


def _snapshots(conn: Connection, ledger: str, streams: list[UUID]) -> tuple[dict[UUID, Relationship], set[UUID]]:
    """The newest snapshot of each of these streams that has one, and the streams whose snapshot is damaged."""
    if conn.dialect.name == "postgresql":
        keys = [(stream,) for stream in streams]
        rows: Iterable[Any] = for_each(conn, _KEPT, _NEWEST, (ledger, FORMAT), _KEPT[:1], keys)
    else:
        rows = conn.execute(_newest(ledger, streams))
    found = {stream: _unpacked(stream, version, packed) for stream, version, packed in rows}
    return (
        {stream: state for stream, state in found.items() if state is not None},
        {stream for stream, state in found.items() if state is None},
    )


def _packed(state: Relationship) -> bytes:
    written = STATE.dump_json(state)
    return sha256(written).digest() + written


def _unpacked(stream: UUID, version: int, packed: bytes) -> Relationship | None:
    """The state in these bytes; None when they are not what was written for this stream at this version."""
    digest, written = packed[:_DIGEST], packed[_DIGEST:]
    if sha256(written).digest() != digest:
        return None
    state = STATE.validate_json(written)
    return state if (state.customer_id, state.version) == (stream, version) else None


def _replace(conn: Connection, ledger: str, states: Mapping[UUID, Relationship]) -> None:
    """Puts these states in the place of every snapshot of their streams."""
    log.warning("snapshots_replaced", ledger=ledger, streams=len(states))
    conn.execute(delete(snapshots).where(snapshots.c.ledger == ledger, snapshots.c.stream_id.in_(states)))
    save_snapshots(conn, ledger, [state for state in states.values() if state.version])


def _newest(ledger: str, streams: list[UUID]) -> Select[Any]:
    fitting = (snapshots.c.ledger == ledger, snapshots.c.stream_id.in_(streams), snapshots.c.format == FORMAT)
    newest = (
        select(snapshots.c.stream_id, func.max(snapshots.c.version).label("version"))
        .where(*fitting)
        .group_by(snapshots.c.stream_id)
        .subquery()
    )
    same = and_(snapshots.c.stream_id == newest.c.stream_id, snapshots.c.version == newest.c.version)
    return select(*_KEPT).select_from(snapshots.join(newest, same)).where(*fitting)


def _tails(conn: Connection, ledger: str, begun: Mapping[UUID, Relationship]) -> Iterable[Record]:
    """The events from each of these states' versions on: the last one that it counts, and those after it."""
    if conn.dialect.name == "postgresql":
        keys = [(stream, state.version) for stream, state in begun.items()]
        rows: Iterable[Any] = for_each(conn, tuple(events.c), _TAIL, (ledger,), _PLACE, keys)
    else:
        rows = _tail_by_tail(conn, ledger, begun)
    for row in rows:
        yield to_record(row)


def _tail_by_tail(conn: Connection, ledger: str, begun: Mapping[UUID, Relationship]) -> Iterable[Any]:
    query = select(events).where(events.c.ledger == ledger).order_by(events.c.stream_id, events.c.version)
    cold = [stream for stream, state in begun.items() if not state.version]
    # One query for each stream with a snapshot: joined by OR, SQLite reads the whole ledger instead of the index.
    tails = [query.where(events.c.stream_id.in_(cold))] + [
        query.where(events.c.stream_id == stream, events.c.version >= state.version)
        for stream, state in begun.items()
        if state.version
    ]
    for tail in tails:
        yield from conn.execute(tail).all()


def snapshot_due(before: int, after: int) -> bool:
    """Whether a stream that grew from version `before` to `after` passed a point where one is taken.

    Every SNAPSHOT_EVERY versions at first, then at about a tenth of the stream: a state grows with its stream, so
    that evenly spaced ones would cost each event of a long stream more than the one before.
    """
    step = SNAPSHOT_EVERY * max(1, after // (10 * SNAPSHOT_EVERY))
    return before // step != after // step


def save_snapshots(conn: Connection, ledger: str, states: Iterable[Relationship]) -> None:
    """Stores these states; a stream keeps every snapshot it ever had, and the newest is read."""
    rows = [
        {
            "ledger": ledger,
            "stream_id": state.customer_id,
            "version": state.version,
            "position": state.position,
            "format": FORMAT,
            "state": _packed(state),
        }
        for state in states
    ]
    if rows:
        # Whoever else stored one of the same version, in another format perhaps, loses nothing that matters.
        write_rows(conn, snapshots, rows)
