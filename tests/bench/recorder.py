"""B1: the recorder with full records, a thousand a transaction, against bare binary COPY and peers."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import psycopg
from sqlalchemy import Connection

from infrastructure.engine import begin_writing
from infrastructure.memory import spare_what_stays
from infrastructure.record import Draft, leaf_hash
from infrastructure.recorder import COLUMNS, insert_records, lock_head, move_head
from tests.bench.peers import NAMES
from tests.bench.place import Place
from tests.bench.rounds import Finding, compared, interleaved
from tests.bench.workload import BUSY, Drafting, Values, payload, raw_connection, values

A_TRANSACTION: Final = 1_000
TRANSACTIONS: Final = 20
TYPES: Final = ["text", "int8", "uuid", "int8", "uuid", "text", "timestamptz", "timestamptz"] + ["bytea"] * 5
PEERS_TRANSACTIONS: Final = {"stock": 20, "umadb": 20, "eventsource-py": 4}
"""Who is slow does fewer in a round; rates are compared."""
BAR_OF_COPY: Final = 0.4
BAR_OF_STOCK: Final = 2.0
SPARED: Final = (
    "our process tells the garbage collector what stays, as the service does at its start; the peers' collectors "
    "are as Python has them"
)
"""For the notes."""


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    spare_what_stays()  # as the service does when it starts
    with ExitStack() as open_:
        url = open_.enter_context(place.database())
        engine = open_.enter_context(place.engine(url))
        raw = open_.enter_context(raw_connection(url))
        conn = open_.enter_context(engine.connect())
        make_raw_table(raw)
        drafting = Drafting(place.mapper(), place.keyring(), engine)
        pages: dict[int, list[list[Draft]]] = {}

        def drawn(number: int) -> list[list[Draft]]:
            if number not in pages:
                pages.clear()
                pages[number] = [list(drafting.drafts(number, A_TRANSACTION)) for _ in range(TRANSACTIONS)]
            return pages[number]

        def recorder(number: int) -> Callable[[], int]:
            told = drawn(number)
            return lambda: record(conn, told)

        def copying(number: int) -> Callable[[], int]:
            rows = completed(drawn(number), number * A_TRANSACTION * TRANSACTIONS)
            return lambda: copy(raw, rows)

        peers = {
            name: open_.enter_context(place.peer(name)).contender("record", _settings(name)) for name in NAMES
        }
        place.notes["B1"] = SPARED
        rates = interleaved({"recorder": recorder, "raw COPY": copying} | peers, place.rounds)
    return [
        compared("recorder, 1,000 a transaction, of raw binary COPY", rates, "recorder", "raw COPY", BAR_OF_COPY),
        *(
            compared(
                f"recorder, 1,000 a transaction, of {name}",
                rates,
                "recorder",
                name,
                BAR_OF_STOCK if name == "stock" else None,
            )
            for name in NAMES
        ),
    ]


def make_raw_table(raw: "psycopg.Connection[Any]") -> None:
    """A table `raw` with the columns, keys and checks of the events; no triggers, no head."""
    raw.execute("CREATE TABLE raw (LIKE events INCLUDING ALL)")
    raw.commit()


def record(conn: Connection, pages: list[list[Draft]], ledger: str = "main") -> int:
    """Appends these pages as the writer does, one transaction each; gives the number of events."""
    for drafts in pages:
        with begin_writing(conn):
            head = lock_head(conn, ledger)
            now = max(datetime.now(UTC), head.recorded_at)
            records = [draft.complete(head.position + n, now) for n, draft in enumerate(drafts, start=1)]
            for one in records:
                leaf_hash(one.header)
            insert_records(conn, records)
            move_head(conn, ledger, records[-1].position, now)
    return sum(map(len, pages))


def completed(pages: list[list[Draft]], before: int) -> list[list[Values]]:
    """The values of the rows, ready to be copied."""
    now, position = datetime.now(UTC), count(before + 1)
    return [[values(draft.complete(next(position), now)) for draft in drafts] for drafts in pages]


def copy(raw: "psycopg.Connection[Any]", pages: list[list[Values]]) -> int:
    """Copies these rows into the table `raw`, one transaction a page."""
    statement = f"COPY raw ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    for rows in pages:
        with raw.cursor() as cursor, cursor.copy(statement.encode()) as one:
            one.set_types(TYPES)
            for row in rows:
                one.write_row(row)
        raw.commit()
    return sum(map(len, pages))


def _settings(name: str) -> Callable[[int], Mapping[str, Any]]:
    transactions = PEERS_TRANSACTIONS[name]
    made = {"streams": BUSY, "a_transaction": A_TRANSACTION, "transactions": transactions, "payload": payload()}
    return lambda number: made
