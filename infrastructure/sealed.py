"""Sealed: the few events that say something about a colleague, and how that is erased for good."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Connection, Row, select, update

from infrastructure.facts import SealedPart
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from infrastructure.probes import probe
from infrastructure.record import Record
from infrastructure.recorder import to_record
from infrastructure.tables import commands, events, subject_keys

_RECORD: Final = tuple(events.c[name] for name in Record._fields)
_PART: Final = tuple(events.c[name] for name in SealedPart._fields)
AT_ONCE: Final = 500


class _Sealed(NamedTuple):
    """A section about a colleague: where it stands, and which key opens it."""

    position: int
    kid: UUID


def sealed_positions(conn: Connection, ledger: str, after: int = 0) -> list[int]:
    """Where all the events after a position hold something sealed about a colleague: half a year's at most."""
    # Neither order nor limit: with these PostgreSQL, until it has statistics, goes through the whole ledger.
    return sorted(one for one in conn.scalars(select(events.c.position).where(*_all(ledger))) if one > after)


def names(conn: Connection, mapper: Mapper, positions: Sequence[int]) -> dict[int, UUID | None]:
    """Whom the events at these positions name, so many of them in one question; None of those that name nobody."""
    found: dict[int, UUID | None] = dict.fromkeys(positions)
    for start in range(0, len(positions), AT_ONCE):
        some = [(one,) for one in positions[start : start + AT_ONCE]]
        parts = [SealedPart(*row) for row in probe(conn, _PART, mapper.ledger, (events.c.position,), some)]
        found.update(mapper.names(parts, conn))
    return found


def read_sealed(conn: Connection, ledger: str, positions: Sequence[int]) -> list[Record]:
    """The events at these positions, in order."""
    found = probe(conn, _RECORD, ledger, (events.c.position,), [(one,) for one in positions])
    return sorted(map(Record._make, found), key=attrgetter("position"))


def key_of(record: Record) -> UUID:
    """The key of what this event says about a colleague."""
    return UUID(orjson.loads(record.header)["sec"][1]["kid"])


def erase(
    conn: Connection, keyring: Keyring, ledger: str, stream: UUID, positions: Collection[int], at: datetime
) -> None:
    """Ends what these events of a stream say about a colleague: ciphertext, key, and traces of the command.

    Headers stay, so every proof holds. Doing it again does nothing.
    """
    here = (events.c.ledger == ledger, events.c.stream_id == stream, events.c.position.in_(positions))
    found = _found(conn, here)
    conn.execute(update(events).where(*here, events.c.personal_2.is_not(None)).values(personal_2=None))
    for kid in {one.kid for one in found}:
        _end_key(conn, keyring, ledger, kid, at)
    # From a fingerprint whoever has the key file could try which name the command held.
    said = (commands.c.ledger == ledger, commands.c.customer_id == stream, commands.c.position.in_(positions))
    conn.execute(update(commands).where(*said).values(fingerprint=None))


def _all(ledger: str) -> tuple[ColumnElement[bool], ...]:
    return (events.c.ledger == ledger, events.c.personal_2.is_not(None))


def _found(conn: Connection, where: Iterable[ColumnElement[bool]]) -> list[_Sealed]:
    query = select(events).where(*where, events.c.personal_2.is_not(None))
    records = [to_record(row) for row in conn.execute(query)]
    return [_Sealed(record.position, key_of(record)) for record in records]


def _end_key(conn: Connection, keyring: Keyring, ledger: str, kid: UUID, at: datetime) -> None:
    row = _key_row(conn, ledger, kid)
    if row is None or row.subject == kid:
        keyring.destroy(conn, ledger, [kid], at)
    else:
        # Made before every section had a key of its own: it may open words of his too, and somebody may be about
        # to seal more with it. Without its ciphertext it opens nothing of this report.
        keyring.part(conn, ledger, kid)


def _key_row(conn: Connection, ledger: str, kid: UUID) -> Row[tuple[UUID]] | None:
    query = select(subject_keys.c.subject).where(subject_keys.c.ledger == ledger, subject_keys.c.kid == kid)
    return conn.execute(query).first()
