"""The folded relationships a writer works on: kept warm, loaded from snapshot and tail when cold."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, func, select

from domain.kinds import Fact
from domain.relationship import Relationship, evolve
from infrastructure.mapper import Mapper
from infrastructure.record import Record
from infrastructure.recorder import to_record
from infrastructure.tables import events, snapshots

STATE: Final = TypeAdapter(Relationship)
FOLD: Final = 1
"""Rises when events change the state in another way than before though its shape stays the same."""
FORMAT: Final = f"relationship:{FOLD}:" + sha256(repr(STATE.json_schema()).encode()).hexdigest()[:16]
"""Names the state's shape: a snapshot of another shape is passed over and the stream folded anew."""
SNAPSHOT_EVERY: Final = 100
_STREAMS_A_QUERY: Final = 200


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
                self._states[record.stream_id] = evolve(state, mapper.fact(record))
            except Exception:  # noqa: BLE001 - whoever loads this stream next is told what is wrong with it
                del self._states[record.stream_id]
        self.seen = seen

    def drop(self, streams: Collection[UUID]) -> None:
        """Forgets these states: their page did not commit, or nobody knows whether it did."""
        for stream in streams:
            self._states.pop(stream, None)

    def clear(self, seen: int) -> None:
        """Forgets everything."""
        self._states.clear()
        self.seen = seen


def load(conn: Connection, mapper: Mapper, ledger: str, streams: Collection[UUID]) -> dict[UUID, Relationship]:
    """The folded state of each of these streams: newest fitting snapshot, then the events after it."""
    states: dict[UUID, Relationship] = {}
    wanted = list(streams)
    for start in range(0, len(wanted), _STREAMS_A_QUERY):
        chunk = wanted[start : start + _STREAMS_A_QUERY]
        begun = {stream: Relationship(stream) for stream in chunk} | _snapshots(conn, ledger, chunk)
        for fact in _tails(conn, mapper, ledger, begun):
            begun[fact.stream_id] = evolve(begun[fact.stream_id], fact)
        states |= begun
    return states


def _snapshots(conn: Connection, ledger: str, streams: list[UUID]) -> dict[UUID, Relationship]:
    fitting = (snapshots.c.ledger == ledger, snapshots.c.stream_id.in_(streams), snapshots.c.format == FORMAT)
    newest = (
        select(snapshots.c.stream_id, func.max(snapshots.c.version).label("version"))
        .where(*fitting)
        .group_by(snapshots.c.stream_id)
        .subquery()
    )
    same = and_(snapshots.c.stream_id == newest.c.stream_id, snapshots.c.version == newest.c.version)
    rows = conn.execute(
        select(snapshots.c.stream_id, snapshots.c.state).select_from(snapshots.join(newest, same)).where(*fitting)
    )
    return {stream: STATE.validate_json(state) for stream, state in rows}


def _tails(conn: Connection, mapper: Mapper, ledger: str, begun: Mapping[UUID, Relationship]) -> Iterable[Fact]:
    query = select(events).where(events.c.ledger == ledger).order_by(events.c.stream_id, events.c.version)
    cold = [stream for stream, state in begun.items() if not state.version]
    # One query for each stream with a snapshot: joined by OR, SQLite reads the whole ledger instead of the index.
    tails = [query.where(events.c.stream_id.in_(cold))] + [
        query.where(events.c.stream_id == stream, events.c.version > state.version)
        for stream, state in begun.items()
        if state.version
    ]
    for tail in tails:
        for row in conn.execute(tail).all():
            yield mapper.fact(to_record(row))


def current_version(conn: Connection, ledger: str, stream: UUID) -> int:
    """How many events the stream has."""
    query = select(func.max(events.c.version)).where(events.c.ledger == ledger, events.c.stream_id == stream)
    return conn.execute(query).scalar() or 0


def snapshot_due(before: int, after: int) -> bool:
    """Whether a stream that grew from version `before` to `after` passed a multiple of SNAPSHOT_EVERY."""
    return before // SNAPSHOT_EVERY != after // SNAPSHOT_EVERY


def save_snapshots(conn: Connection, ledger: str, states: Iterable[Relationship]) -> None:
    """Stores these states; a stream keeps every snapshot it ever had, and the newest is read."""
    rows = [
        {
            "ledger": ledger,
            "stream_id": state.customer_id,
            "version": state.version,
            "position": state.position,
            "format": FORMAT,
            "state": STATE.dump_json(state),
        }
        for state in states
    ]
    if rows:
        conn.execute(snapshots.insert(), rows)
