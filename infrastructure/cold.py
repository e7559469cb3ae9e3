"""What is read of relationships that are not in memory: the newest snapshot of each, and the events since.

On PostgreSQL both come by one statement: waiting for a second answer took longer than folding what it brought.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, and_, func, select

from infrastructure.arrays import ArrayOf
from infrastructure.record import Told
from infrastructure.recorder import TOLD
from infrastructure.rows import fetched
from infrastructure.tables import events, snapshots

# Joined laterally and in order, so that each stream is found through its index however little is known of the
# tables. The array stands in a SELECT of its own: see probes. A snapshot comes with the event it was made after.
_BOTH: Final = """
SELECT asked.number, newest.version, CASE WHEN found.version = newest.version THEN newest.state END, found.*
FROM {asked}
LEFT JOIN LATERAL (
    SELECT version, state FROM snapshots
    WHERE ledger = %b AND stream_id = asked.stream AND format = %b ORDER BY version DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT version, position, event_id, topic, occurred_at, recorded_at, header, public FROM events
    WHERE ledger = %b AND stream_id = asked.stream AND version >= coalesce(newest.version, 0)
    ORDER BY version OFFSET 0
) AS found ON true
"""
_MANY: Final = _BOTH.format(asked="unnest((SELECT %b::uuid[])) WITH ORDINALITY AS asked (stream, number)")
_ONE: Final = _BOTH.format(asked="(SELECT %b::uuid AS stream, 1 AS number OFFSET 0) AS asked")


_array: Final = ArrayOf("UUID")
_told: Final[Callable[[tuple[Any, ...]], Told]] = partial(tuple.__new__, Told)
"""Half as long as by names, and each event makes one."""
_UNFOUNDED: Final = b""
"""Stands for a snapshot made after an event that the ledger does not have."""


class Kept(NamedTuple):
    """A snapshot as it is stored."""

    stream_id: UUID
    version: int
    packed: bytes


class Cold(NamedTuple):
    """What was read: snapshots, at most one of a stream, and events, those of one stream in their order.

    Of a stream with a snapshot they begin with the event that it was made after, if the ledger has it.
    """

    kept: list[Kept]
    told: list[Told]


def read_cold(conn: Connection, ledger: str, streams: Sequence[UUID], wanted: str | None) -> Cold:
    """The newest snapshot of each of these streams in the wanted format, and the events since.

    Without a format all events. Raises sqlalchemy.exc.DBAPIError.
    """
    if conn.dialect.name == "postgresql":
        return _together(conn, ledger, streams, wanted)
    kept = [] if wanted is None else [Kept(*row) for row in conn.execute(_newest(ledger, streams, wanted))]
    return Cold(kept, [Told(*row) for row in _since(conn, ledger, streams, kept)])


def _together(conn: Connection, ledger: str, streams: Sequence[UUID], wanted: str | None) -> Cold:
    kept, told, before = [], [], 0
    asked = (_ONE, streams[0]) if len(streams) == 1 else (_MANY, _array(streams))
    rows = fetched(conn, asked[0], (asked[1], ledger, wanted, ledger))
    for number, made_at, state, version, position, event_id, topic, happened, recorded, header, public in rows:
        if number != before:
            before, stream = number, streams[number - 1]
            if made_at is not None:
                kept.append(Kept(stream, made_at, state or _UNFOUNDED))
            if version is None:
                continue
        if happened.tzinfo is not UTC:  # the driver gives moments in the zone of the session
            happened, recorded = happened.astimezone(UTC), recorded.astimezone(UTC)
        told.append(_told((stream, version, position, event_id, topic, happened, recorded, header, public)))
    return Cold(kept, told)


def _newest(ledger: str, streams: Sequence[UUID], wanted: str) -> Select[Any]:
    fitting = (snapshots.c.ledger == ledger, snapshots.c.stream_id.in_(streams), snapshots.c.format == wanted)
    newest = (
        select(snapshots.c.stream_id, func.max(snapshots.c.version).label("version"))
        .where(*fitting)
        .group_by(snapshots.c.stream_id)
        .subquery()
    )
    same = and_(snapshots.c.stream_id == newest.c.stream_id, snapshots.c.version == newest.c.version)
    columns = (snapshots.c.stream_id, snapshots.c.version, snapshots.c.state)
    return select(*columns).select_from(snapshots.join(newest, same)).where(*fitting)


def _since(conn: Connection, ledger: str, streams: Sequence[UUID], kept: Iterable[Kept]) -> Iterator[Any]:
    query = select(*TOLD).where(events.c.ledger == ledger).order_by(events.c.stream_id, events.c.version)
    begun = {one.stream_id: one.version for one in kept}
    cold = [stream for stream in streams if stream not in begun]
    # One query for each stream with a snapshot: joined by OR, SQLite reads the whole ledger instead of the index.
    tails = [query.where(events.c.stream_id.in_(cold))] if cold else []
    tails += [
        query.where(events.c.stream_id == stream, events.c.version >= version) for stream, version in begun.items()
    ]
    for tail in tails:
        yield from conn.execute(tail)
