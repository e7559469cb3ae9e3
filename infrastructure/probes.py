"""Probes: rows found by their keys, many keys in one statement, each through its index.

A list in `IN` leaves the way to the planner, and in a database that was never analysed it reads the whole ledger:
a page of 256 keys took 350 ms among 20,000 commands. A lateral join that cannot be flattened leaves no choice.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, LiteralString

from psycopg import sql
from sqlalchemy import Column, ColumnElement, Connection, Dialect, and_, or_, select

from infrastructure.rows import fetched

Columns = tuple[Column[Any], ...]
Key = tuple[Any, ...]
Process = Callable[[Any], Any]
_FLATTENED_NEVER: Final = sql.SQL(" OFFSET 0")


def probe(conn: Connection, wanted: Columns, ledger: str, by: Columns, keys: Sequence[Key]) -> list[Key]:
    """The wanted columns of this ledger's rows whose columns `by` hold one of these keys, in no certain order.

    `by` must be the columns of an index after its `ledger`. Raises sqlalchemy.exc.DBAPIError.
    """
    if not keys:
        return []
    if conn.dialect.name == "postgresql":
        return _run(conn, _probing(conn.dialect, wanted, by), keys, [ledger], wanted)
    matching = [wanted[0].table.c.ledger == ledger, _among(by, keys)]
    return [tuple(row) for row in conn.execute(select(*wanted).where(*matching))]


def for_each(
    conn: Connection,
    wanted: Columns,
    condition: LiteralString,
    values: Sequence[Any],
    by: Columns,
    keys: Sequence[Key],
) -> list[Key]:
    """On PostgreSQL: the wanted columns of the rows that this condition finds for each key, key by key.

    The condition calls the parts of the key `asked.<column>` and the values `%b`; it must end in something that
    keeps it from being flattened: ORDER BY, LIMIT or OFFSET.
    """
    return _run(conn, _finding(conn.dialect, wanted, by, condition), keys, values, wanted)


def _among(by: Columns, keys: Iterable[Key]) -> ColumnElement[bool]:
    """Keys that differ only in their last part are looked for together: so SQLite uses its index."""
    together: dict[Key, list[Any]] = {}
    for *first, last in keys:
        together.setdefault(tuple(first), []).append(last)
    alike = (
        and_(*(column == one for column, one in zip(by, first, strict=False)), by[-1].in_(lasts))
        for first, lasts in together.items()
    )
    return or_(*alike)


def _run(
    conn: Connection, statement: bytes, keys: Sequence[Key], values: Sequence[Any], wanted: Columns
) -> list[Key]:
    """The rows as the columns read them; errors are raised as if it had all gone through SQLAlchemy."""
    arrays = [list(parts) for parts in zip(*keys, strict=True)]
    rows = fetched(conn, statement, [*arrays, *values])
    readers = _readers(conn.dialect, wanted)
    if not any(readers):
        return rows
    return [
        tuple(one if read is None else read(one) for one, read in zip(row, readers, strict=True)) for row in rows
    ]


@lru_cache(maxsize=256)
def _readers(dialect: Dialect, columns: Columns) -> tuple[Process | None, ...]:
    return tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)


@lru_cache(maxsize=256)
def _probing(dialect: Dialect, wanted: Columns, by: Columns) -> bytes:
    same = sql.SQL(" AND ").join(sql.SQL("{0} = asked.{0}").format(sql.Identifier(one.name)) for one in by)
    return _lateral(dialect, wanted, by, sql.SQL("ledger = %b AND ") + same + _FLATTENED_NEVER)


@lru_cache(maxsize=256)
def _finding(dialect: Dialect, wanted: Columns, by: Columns, condition: LiteralString) -> bytes:
    return _lateral(dialect, wanted, by, sql.SQL(condition))


def _lateral(dialect: Dialect, wanted: Columns, by: Columns, condition: sql.Composable) -> bytes:
    # Type names are our own columns'; they come from SQLAlchemy, not from anybody's input.
    # Each array in a SELECT of its own, so that nobody plans for its length: a plan for one key looks cheaper than
    # one for any number, so PostgreSQL would plan anew every time, which took four times as long as the answer.
    arrays = [sql.SQL("(SELECT %b::" + one.type.compile(dialect=dialect) + "[])") for one in by]
    statement = sql.SQL(
        "SELECT found.* FROM unnest({arrays}) AS asked ({keys})"
        " CROSS JOIN LATERAL (SELECT {wanted} FROM {table} WHERE {condition}) AS found"
    ).format(
        arrays=sql.SQL(", ").join(arrays),
        keys=_names(by),
        wanted=_names(wanted),
        table=sql.Identifier(wanted[0].table.name),
        condition=condition,
    )
    return statement.as_bytes()


def _names(columns: Columns) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(one.name) for one in columns)
