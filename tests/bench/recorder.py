"""B1: the recorder with full records, a thousand a transaction, against a bare binary COPY of the same rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import psycopg
from sqlalchemy import Connection

from infrastructure.engine import begin_writing
from infrastructure.record import Draft, leaf_hash
from infrastructure.recorder import COLUMNS, insert_records, lock_head, move_head
from tests.bench.place import Place
from tests.bench.rounds import Result, compared, interleaved
from tests.bench.workload import Drafting, Values, raw_connection, values

A_TRANSACTION: Final = 1_000
TRANSACTIONS: Final = 20
TYPES: Final = ["text", "int8", "uuid", "int8", "uuid", "text", "timestamptz", "timestamptz"] + ["bytea"] * 5


def measure(place: Place) -> list[Result]:
    """The part's ratios."""
    with (
        place.database() as url,
        place.engine(url) as engine,
        raw_connection(url) as raw,
        engine.connect() as conn,
    ):
        # The same columns, keys and checks; no triggers, no head.
        raw.execute("CREATE TABLE raw (LIKE events INCLUDING ALL)")
        raw.commit()
        drafting = Drafting(place.mapper(), place.keyring(), engine)
        pages: dict[int, list[list[Draft]]] = {}

        def drawn(number: int) -> list[list[Draft]]:
            if number not in pages:
                pages.clear()
                pages[number] = [list(drafting.drafts(number, A_TRANSACTION)) for _ in range(TRANSACTIONS)]
            return pages[number]

        def recorder(number: int) -> Callable[[], int]:
            told = drawn(number)
            return lambda: _record(conn, told)

        def copy(number: int) -> Callable[[], int]:
            rows = _completed(drawn(number), number * A_TRANSACTION * TRANSACTIONS)
            return lambda: _copy(raw, rows)

        rates = interleaved({"recorder": recorder, "raw COPY": copy}, place.rounds)
        return [compared("recorder, 1,000 a transaction, of raw binary COPY", rates, "recorder", "raw COPY", 0.4)]


def _record(conn: Connection, pages: list[list[Draft]]) -> int:
    for drafts in pages:
        with begin_writing(conn):
            head = lock_head(conn, "main")
            now = max(datetime.now(UTC), head.recorded_at)
            records = [draft.complete(head.position + n, now) for n, draft in enumerate(drafts, start=1)]
            for record in records:
                leaf_hash(record.header)
            insert_records(conn, records)
            move_head(conn, "main", records[-1].position, now)
    return sum(map(len, pages))


def _completed(pages: list[list[Draft]], before: int) -> list[list[Values]]:
    """The values of the rows, ready to be copied."""
    now, position = datetime.now(UTC), count(before + 1)
    return [[values(draft.complete(next(position), now)) for draft in drafts] for drafts in pages]


def _copy(raw: "psycopg.Connection[Any]", pages: list[list[Values]]) -> int:
    statement = f"COPY raw ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    for rows in pages:
        with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(TYPES)
            for row in rows:
                copy.write_row(row)
        raw.commit()
    return sum(map(len, pages))
