"""Copying: records as PostgreSQL's binary COPY takes them.

The driver finds out for each value how it is written. All our rows are alike, so that need not be asked.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Final

from infrastructure.record import Record

_BEGUN: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_ENDED: Final = b"\xff\xff"
_FIELDS: Final = Struct("!h").pack(len(Record._fields))
_IDS: Final = Struct("!iqi16siqi16s")
"""Position, stream, version and event id, each after its length."""
_MOMENT: Final = Struct("!iq")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_length: Final = Struct("!i").pack
_NULL: Final = _length(-1)


def copied(records: Iterable[Record]) -> bytes:
    """The rows of `events`, in the order of its columns, for COPY ... FROM STDIN (FORMAT BINARY)."""
    parts = [_BEGUN]
    for record in records:
        ledger, position, stream, version, event, topic, occurred, recorded, header, public, salt, *sealed = record
        parts += (
            _first(ledger),
            _IDS.pack(8, position, 16, stream.bytes, 8, version, 16, event.bytes),
            _text(topic),
            _moment(occurred),
            _moment(recorded),
            _length(len(header)),
            header,
            _length(len(public)),
            public,
            _length(len(salt)),
            salt,
        )
        for one in sealed:
            parts += (_NULL,) if one is None else (_length(len(one)), one)
    parts.append(_ENDED)
    return b"".join(parts)


@lru_cache(maxsize=64)
def _first(ledger: str) -> bytes:
    return _FIELDS + _text(ledger)


@lru_cache(maxsize=1024)
def _text(text: str) -> bytes:
    written = text.encode()
    return _length(len(written)) + written


@lru_cache(maxsize=64)
def _moment(at: datetime) -> bytes:
    """Microseconds since 2000. A page is recorded, and mostly happened, at one moment."""
    return _MOMENT.pack(8, (at - _EPOCH) // _MICROSECOND)
