"""Rows written in bulk: SQLAlchemy knows the columns, the driver does the work.

Measured against SQLAlchemy's own executemany, a page of wide rows is written in a third of the time or less.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, LiteralString

import psycopg
from sqlalchemy import Connection, Dialect, Engine, Table, exc

from domain.errors import Broken
from infrastructure import statements
from infrastructure.arrays import Array, ArrayOf
from infrastructure.asking import Forgetful

Row = Mapping[str, Any]
Given = Mapping[str, Sequence[Any]]
NONE: Final[Given] = {}
Process = Callable[[Any], Any]
Names = tuple[str, ...] | None


class RowsGone(Broken):
    """Rows that were to be changed are not there."""

    code = "rows_gone"

    def __init__(self, table: str) -> None:
        super().__init__(f"rows of {table} that were to be changed are not there")
        self.table = table


def write_rows(conn: Connection, table: Table, rows: Sequence[Row], given: Given = NONE) -> None:
    """Writes these rows, each in the place of the one with the same primary key, if there is one.

    Columns whose values are `given`, one for each row, are not looked for in the rows. Raises
    sqlalchemy.exc.DBAPIError when the database refuses one.
    """
    if not rows:
        return
    if conn.dialect.name == "postgresql":
        _send_arrays(
            conn, _arrays(conn.dialect, table, rows, given), statements.upsert_arrays(conn.dialect, table)
        )
    else:
        values = zip(*_columns(conn.dialect, table, rows, given), strict=True)
        conn.exec_driver_sql(statements.replace(table), list(values))


def append_rows(conn: Connection, table: Table, rows: Sequence[Row], given: Given = NONE) -> None:
    """Adds these rows, many at once: on PostgreSQL in half the time of the others. `given` as above.

    Raises sqlalchemy.exc.DBAPIError when the database refuses one, or has one with the same key.
    """
    if conn.dialect.name != "postgresql":
        insert_rows(conn, table, rows, given)
        return
    statement, types = statements.copy(conn.dialect, table)
    values = zip(*_columns(conn.dialect, table, rows, given), strict=True)
    with driver_cursor(conn) as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in values:
            copy.write_row(row)


def insert_rows(conn: Connection, table: Table, rows: Sequence[Row], given: Given = NONE) -> None:
    """Adds these rows. `given` as above.

    Raises sqlalchemy.exc.IntegrityError when the key of one is taken.
    """
    if not rows:
        return
    if conn.dialect.name == "postgresql":
        _send_arrays(
            conn, _arrays(conn.dialect, table, rows, given), statements.insert_arrays(conn.dialect, table)
        )
    else:
        values = zip(*_columns(conn.dialect, table, rows, given), strict=True)
        conn.exec_driver_sql(statements.insert(table), list(values))


def change_rows(
    conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row], given: Given = NONE
) -> None:
    """Writes these columns of rows that are there already, and leaves the others as they are. `given` as above.

    Raises RowsGone when one of them is not there.
    """
    if not rows:
        return
    written, key = tuple(columns), tuple(table.primary_key.columns.keys())
    if conn.dialect.name == "postgresql":
        arrays = _arrays(conn.dialect, table, rows, given, written + key)
        changed = _send_arrays(conn, arrays, statements.change_arrays(conn.dialect, table, written))
    else:
        values = zip(*_columns(conn.dialect, table, rows, given, written + key), strict=True)
        changed = conn.exec_driver_sql(statements.change(table, written), list(values)).rowcount
    if changed != len(rows):
        raise RowsGone(table.name)


def find_by_keys(conn: Connection) -> None:
    """Whatever is changed in this transaction, PostgreSQL finds through its keys."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(statements.BY_KEY)


def delete_rows(conn: Connection, table: Table, keys: Sequence[Row]) -> None:
    """Deletes the rows with these primary keys."""
    if not keys:
        return
    columns = list(table.primary_key)
    processes = _processes(conn.dialect, table)
    mark = "%s" if conn.dialect.name == "postgresql" else "?"
    matching = " AND ".join(f'"{column.name}" = {mark}' for column in columns)
    values = [tuple(_process(processes[c.name], key[c.name]) for c in columns) for key in keys]
    conn.exec_driver_sql(f'DELETE FROM "{table.name}" WHERE {matching}', values)  # noqa: S608 - our own names only


def _process(process: Process | None, value: Any) -> Any:
    return value if process is None else process(value)


def _columns(
    dialect: Dialect, table: Table, rows: Sequence[Row], given: Given, names: Names = None
) -> list[Sequence[Any]]:
    """The values of each column (of these, where some are named) as the driver takes them: one quick loop each."""
    processes = _processes(dialect, table)
    with _told_of(table):
        return [
            [process(one) for one in values] if process else values
            for process, values in ((processes[name], _column(name, rows, given)) for name in names or processes)
        ]


def _arrays(dialect: Dialect, table: Table, rows: Sequence[Row], given: Given, names: Names = None) -> list[Array]:
    """Each column as PostgreSQL takes it."""
    makers = _array_makers(dialect, table)
    with _told_of(table):
        return [makers[name](_column(name, rows, given)) for name in names or makers]


def _column(name: str, rows: Sequence[Row], given: Given) -> Sequence[Any]:
    return given[name] if name in given else [row.get(name) for row in rows]


@contextmanager
def _told_of(table: Table) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, struct.error) as fault:
        raise exc.StatementError(
            f"a row of {table.name} cannot be written", None, None, fault, hide_parameters=True
        ) from fault


@lru_cache(maxsize=256)
def _array_makers(dialect: Dialect, table: Table) -> dict[str, ArrayOf]:
    processes = _processes(dialect, table)
    return {one.name: ArrayOf(one.type.compile(dialect=dialect), processes[one.name]) for one in table.c}


@lru_cache(maxsize=256)
def _processes(dialect: Dialect, table: Table) -> dict[str, Process | None]:
    return {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.c}


def _send_arrays(conn: Connection, arrays: Sequence[Array], statement: bytes) -> int:
    """One statement with one array per column: a third of the cost of as many statements as rows. Rows written."""
    with _told(conn) as driver, psycopg.RawCursor(driver) as cursor:
        return cursor.execute(statement, arrays).rowcount


@contextmanager
def driver_cursor(conn: Connection, *, binary: bool = False) -> Iterator[psycopg.Cursor[Any]]:
    """PostgreSQL's own cursor on this connection. Its faults come as if they had gone through SQLAlchemy.

    So callers tell a bad row from a lost connection in one way.
    """
    with _told(conn) as driver, driver.cursor(binary=binary) as cursor:
        yield cursor


def fetched(conn: Connection, statement: LiteralString | bytes, values: Sequence[Any]) -> list[Any]:
    """What PostgreSQL answers, as the driver reads it. Faults come as with `driver_cursor`.

    Asked through what stays with the connection: what a new cursor has to find out about the types it sends and
    gets takes longer than everything else here.
    """
    driver: psycopg.Connection[Any] = conn.connection.driver_connection  # type: ignore[assignment]
    try:
        if isinstance(driver, Forgetful):
            return driver.asking.rows(statement, values)
        with driver.cursor(binary=True) as cursor:
            answered = cursor.execute(statement, values)
            return answered.fetchall() if answered.description else []
    except psycopg.Error as fault:
        raise _as_told(conn, fault) from fault


def let_go(conn: Connection) -> None:
    """Ends a transaction that only read, so that nothing is left for the rollback to come.

    At every rollback the driver has PostgreSQL forget all prepared statements: each would be planned anew.
    """
    if conn.dialect.name == "postgresql":
        with _told(conn) as driver:
            driver.commit()


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """A connection of its own, for reading alone, that leaves prepared statements as they are."""
    with engine.connect() as conn:
        yield conn
        let_go(conn)


@contextmanager
def _told(conn: Connection) -> Iterator["psycopg.Connection[Any]"]:
    driver: psycopg.Connection[Any] = conn.connection.driver_connection  # type: ignore[assignment]
    try:
        yield driver
    except psycopg.Error as fault:
        raise _as_told(conn, fault) from fault


def _as_told(conn: Connection, fault: psycopg.Error) -> BaseException:
    """The fault as SQLAlchemy would raise it."""
    return exc.DBAPIError.instance("", None, fault, psycopg.Error, hide_parameters=True, dialect=conn.dialect)
