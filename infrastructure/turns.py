"""Turns: the writer's transactions, which begin by taking the ledger's lock and end by moving its head.

On PostgreSQL the lock comes with one answer; the page is written, the head moved and all committed with two more.
Each answer that is waited for costs the writer as much as deciding half a command, and the lock is held meanwhile.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.errors import error_from_result
from psycopg.generators import copy_to, execute
from psycopg.pq import ExecStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from infrastructure.copying import copied
from infrastructure.record import Record
from infrastructure.recorder import COLUMNS, Head, insert_records, lock_head, move_head
from infrastructure.rows import driver_cursor

_PREPARE: Final = (
    b"PREPARE amends_lock (text) AS SELECT position, (extract(epoch FROM recorded_at) * 1000000)::bigint"
    b" FROM heads WHERE ledger = $1 FOR UPDATE;"
    b" PREPARE amends_move (bigint, timestamptz, text) AS"
    b" UPDATE heads SET position = $1, recorded_at = $2 WHERE ledger = $3"
)
_BEGIN: Final = b"BEGIN; EXECUTE amends_lock (%b)"
_COPY: Final = f"COPY events ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)".encode()
_END: Final = _COPY + b"; EXECUTE amends_move (%d, '%b', %b); COMMIT"
_STATEMENTS: Final = 3
"""Of these the last is the COMMIT."""
# Who listens looks by himself every second: for a word that a crash may take nobody waits until it is on disk.
_TELL: Final = b"BEGIN; SET LOCAL synchronous_commit = off; NOTIFY amends, %b; COMMIT"
_GOOD: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.COPY_IN)
_AT_ONCE: Final = 128 * 1024
"""How much is handed to the driver's library at a time: it takes no more than its buffer grows to."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def connect(engine: Engine) -> Connection:
    """A connection to take turns on. Raises sqlalchemy.exc.DBAPIError."""
    conn = engine.connect()
    if engine.dialect.name != "postgresql":
        return conn
    # The driver would say BEGIN by itself, and wait for the answer.
    conn = conn.execution_options(isolation_level="AUTOCOMMIT")
    try:
        _prepare(conn)
    except DBAPIError:
        conn.invalidate()
        conn.close()
        raise
    return conn


def begin(conn: Connection, ledger: str) -> Head:
    """The head of the ledger, locked until the transaction ends, which begins with it: see `lock_head`.

    SQLAlchemy must know of the transaction already. Raises sqlalchemy.exc.DBAPIError.
    """
    if conn.dialect.name != "postgresql":
        return lock_head(conn, ledger)
    _, found = _said(conn, _BEGIN % _quoted(ledger))
    if not found.ntuples:
        head = lock_head(conn, ledger)
        _prepare(conn)  # whoever began the ledger at the same moment took back a savepoint
        return head
    position, microseconds = int(found.get_value(0, 0)), int(found.get_value(0, 1))
    return Head(position, _EPOCH + timedelta(microseconds=microseconds))


def end(conn: Connection, ledger: str, records: Sequence[Record]) -> DBAPIError | None:
    """Writes the page, moves the head behind it and, on PostgreSQL, commits all; else the transaction's end does.

    Gives why the database would not take the page, of which nothing is kept then. Raises sqlalchemy.exc.DBAPIError
    where nobody can tell what became of it.
    """
    last = records[-1]
    if conn.dialect.name != "postgresql":
        try:
            insert_records(conn, records)
            move_head(conn, ledger, last.position, last.recorded_at)
        except DBAPIError as fault:
            return fault
        return None
    moved = (last.position, last.recorded_at.isoformat().encode(), _quoted(ledger))
    return write_and_commit(conn, _END % moved, copied(records))


def tell_listeners(conn: Connection, word: str) -> None:
    """Says it to every process that listens. Raises sqlalchemy.exc.DBAPIError."""
    _said(conn, _TELL % _quoted(word))


def _prepare(conn: Connection) -> None:
    with driver_cursor(conn) as cursor:
        # After a rollback the driver makes the server forget what was prepared, but only with the next statement.
        cursor.execute("SELECT 1")
    [known] = _said(conn, b"SELECT FROM pg_prepared_statements WHERE name = 'amends_move'")
    if not known.ntuples:
        _said(conn, _PREPARE)


def _quoted(word: str) -> bytes:
    # Names of ledgers hold no quotation marks; the mapper and the database each see to that.
    return b"'%b'" % word.replace("'", "''").encode()


def _said(conn: Connection, message: bytes) -> list[Any]:
    """The answers to these statements, all good."""
    with driver_cursor(conn) as cursor:
        driver = cursor.connection
        driver.pgconn.send_query(message)
        return _checked(driver, driver.wait(execute(driver.pgconn)))


def write_and_commit(conn: Connection, message: bytes, rows: bytes) -> DBAPIError | None:
    """Sends these statements, and these rows to the first of them. Gives and raises what `end` does."""
    with driver_cursor(conn) as cursor:
        driver = cursor.connection
        driver.pgconn.send_query(message)
        answers = driver.wait(execute(driver.pgconn))
        if answers[-1].status == ExecStatus.COPY_IN:
            answers = _copied(driver, rows)
    try:
        with driver_cursor(conn):
            _checked(driver, answers)
    except DBAPIError as fault:
        # What is refused before the last statement leaves nothing for it to commit.
        if len(answers) < _STATEMENTS:
            return fault
        raise
    return None


def _copied(driver: "psycopg.Connection[Any]", rows: bytes) -> list[Any]:
    """The answers to the COPY that waits for these rows, and to what stands after it."""
    for start in range(0, len(rows), _AT_ONCE):
        driver.wait(copy_to(driver.pgconn, rows[start : start + _AT_ONCE], flush=False))
    driver.pgconn.put_copy_end()
    return driver.wait(execute(driver.pgconn))


def _checked(driver: "psycopg.Connection[Any]", answers: list[Any]) -> list[Any]:
    for one in answers:
        if one.status not in _GOOD:
            raise error_from_result(one, driver.info.encoding)
    return answers
