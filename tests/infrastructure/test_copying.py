"""Rows as binary COPY takes them: what is written by hand is what the driver would write."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import psycopg
import pytest
from psycopg._copy_base import format_row_binary  # the driver's own hand
from psycopg.adapt import Transformer

from infrastructure.copying import copied
from infrastructure.record import Record

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_001, tzinfo=UTC)
STREAM, EVENT = UUID("0190aa11-0000-7000-8000-000000000001"), UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")
TYPES = ["text", "int8", "uuid", "int8", "uuid", "text", "timestamptz", "timestamptz"] + ["bytea"] * 5
FULL = Record("main", 7, STREAM, 3, EVENT, "απολογία.made", NOON, NOON, b"{}", b"\x00\xff", bytes(16), b"p", b"q")
RECORDS = {
    "with both sections": FULL,
    "without any": FULL._replace(personal=None, personal_2=None),
    "with the second alone": FULL._replace(personal=None),
    "empty sections are no missing ones": FULL._replace(personal=b"", personal_2=b""),
    "before 2000": FULL._replace(occurred_at=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    "in another zone": FULL._replace(occurred_at=NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))),
    "at the largest position": FULL._replace(position=2**63 - 1, version=2**53),
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_row_is_what_the_driver_makes_of_it(record: Record) -> None:
    assert copied([record]) == b"PGCOPY\n\xff\r\n\x00" + bytes(8) + by_the_driver([record]) + b"\xff\xff"


def test_rows_stand_in_their_order() -> None:
    several = [FULL._replace(position=n) for n in range(1, 300)]

    assert copied(several)[19:-2] == by_the_driver(several)


def by_the_driver(records: Sequence[Record]) -> bytes:
    known = Transformer()
    known.set_dumper_types([psycopg.adapters.types[one].oid for one in TYPES], psycopg.pq.Format.BINARY)
    written = bytearray()
    for record in records:
        format_row_binary(record, known, written)
    return bytes(written)
