"""Transactions as a busy database has them: small and large, quick and slow, kept and rolled back.

`Outside` runs them on a ledger beside the servers; `Naive` on a table whose positions come from a sequence.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, make_url, text

from domain.kinds import Fact
from infrastructure.engine import begin_writing
from tests.support.checker import Acknowledged, Entry
from tests.support.histories import told
from tests.support.ledgers import Book
from tests.support.witnesses import Seen

SLOW: Final = {
    "postgresql": "SELECT pg_sleep(0.2)",
    # SQLite has no such function: counting takes about as long.
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1500000) SELECT max(i) FROM n",
}
CUT_OFF: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (backend_xid IS NOT NULL OR wait_event_type = 'Lock')
"""
"""Ends the connections of all who write, or wait for us to be done."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """So many events in one transaction, and what becomes of it."""

    size: int
    slow: bool
    aborted: bool


def transactions(seed: int, n: int, most: int = 40) -> list[Transaction]:
    """The same seed gives the same: each fourth is slow, each fifth is rolled back."""
    chance = random.Random(seed)
    sizes = [chance.choice((1, 1, 2, 5, most)) for _ in range(n)]
    return [Transaction(size, slow=k % 4 == 1, aborted=k % 5 == 3) for k, size in enumerate(sizes)]


def quiet_facts(streams: int, each: int) -> list[Fact]:
    """Facts of so many relationships, told in turns, of which nothing is ever due: nobody else appends to them."""
    stories = [
        told([(1, ("stated", "gesture", "encounter")[n % 3], n) for n in range(each)], k) for k in range(streams)
    ]
    return [fact for turn in zip(*stories, strict=True) for fact in turn]


@dataclass
class Outside:
    """Appends these facts to the ledger without a writer, under the same lock. `told` is what was committed."""

    book: Book
    facts: Sequence[Fact]
    told: list[Acknowledged] = field(default_factory=list)
    cut_off: int = 0
    """How many connections of others it ended."""
    _done: int = 0

    def run(self, several: Sequence[Transaction]) -> None:
        """One transaction after the other; what was rolled back comes again in the next."""
        with self.book.engine.connect() as conn:
            if conn.dialect.name == "sqlite":
                # How soon its turn comes between busy servers is nobody's promise.
                conn.exec_driver_sql("PRAGMA busy_timeout = 60000")
                conn.rollback()
            for one in several:
                facts = self.facts[self._done : self._done + one.size]
                self._run(conn, one, facts)

    def _run(self, conn: Connection, one: Transaction, facts: Sequence[Fact]) -> None:
        keys = dict(self.book.keys)
        with begin_writing(conn):
            records = self.book.append(conn, facts, datetime.now(UTC))
            if one.slow:
                conn.execute(text(SLOW[conn.dialect.name]))
                self.cut_off += self._cut_off(conn)
            if one.aborted:
                conn.get_transaction().rollback()  # type: ignore[union-attr]
        if one.aborted:
            self.book.keys = keys  # those drawn meanwhile are gone too
            return
        entries = tuple(Entry.of(record) for record in records)
        self.told.append(Acknowledged(f"outside-{len(self.told)}", entries))
        self._done += len(facts)

    def _cut_off(self, conn: Connection) -> int:
        if conn.dialect.name != "postgresql":
            return 0
        ended: int = conn.execute(text(CUT_OFF)).scalar_one()
        return ended


@dataclass
class Naive:
    """What many programs do: positions from a sequence, drawn when a row is inserted and not when it commits.

    `locked` takes a lock first, as a ledger does with its head.
    """

    database: str
    locked: bool

    def make(self) -> None:
        """The tables."""
        with self._connection() as conn:
            conn.execute("CREATE TABLE naive (position bigserial PRIMARY KEY, stream text, version int)")
            conn.execute("CREATE TABLE naive_head (id int PRIMARY KEY)")
            conn.execute("INSERT INTO naive_head VALUES (1)")

    def write(self, stream: str, several: Sequence[Transaction]) -> None:
        """One writer's transactions, all on a stream of his own."""
        version = 0
        with self._connection() as conn:
            for one in several:
                with conn.transaction(force_rollback=one.aborted):
                    if self.locked:
                        conn.execute("SELECT id FROM naive_head FOR UPDATE")
                    rows = [(stream, version + n) for n in range(1, one.size + 1)]
                    conn.cursor().executemany("INSERT INTO naive (stream, version) VALUES (%s, %s)", rows)
                    if one.slow:
                        conn.execute(SLOW["postgresql"])
                version += 0 if one.aborted else one.size

    def read(self, after: int) -> list[Seen]:
        """The rows after a position."""
        with self._connection() as conn:
            query = "SELECT position, stream, version FROM naive WHERE position > %s ORDER BY position LIMIT 500"
            return [Seen(*row) for row in conn.execute(query, (after,))]

    def truth(self) -> list[Seen]:
        """Every row there is."""
        with self._connection() as conn:
            return [Seen(*row) for row in conn.execute("SELECT position, stream, version FROM naive")]

    def _connection(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(make_url(self.database).set(drivername="postgresql").render_as_string(False))
