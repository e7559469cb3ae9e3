"""Statements that write rows, put together once for each table."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Column, Dialect, Table
from sqlalchemy.dialects import sqlite

BY_KEY: Final = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
"""Until its transaction ends, PostgreSQL finds the rows to change through their keys.

Left to itself it keeps to the plan it made when a table was small, and then reads all of it for every page.
"""


@lru_cache(maxsize=256)
def replace(table: Table) -> str:
    """Insert, or write over the row of the same key, for SQLite."""
    statement = sqlite.insert(table)
    others = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
    key = list(table.primary_key)
    written = (
        statement.on_conflict_do_update(index_elements=key, set_=others)
        if others
        else statement.on_conflict_do_nothing(index_elements=key)
    )
    return str(written.compile(dialect=sqlite.dialect()))


@lru_cache(maxsize=256)
def insert(table: Table) -> str:
    """Insert, for SQLite."""
    return str(sqlite.insert(table).compile(dialect=sqlite.dialect()))


@lru_cache(maxsize=256)
def copy(dialect: Dialect, table: Table) -> tuple[sql.Composed, list[str]]:
    """For PostgreSQL, to add many rows at once; and the types of their columns."""
    every = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.c)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table.name), every)
    return statement, [_type(dialect, column) for column in table.c]


def _type(dialect: Dialect, column: Column[Any]) -> str:
    name = column.type.compile(dialect=dialect).lower()
    return "timestamptz" if name == "timestamp with time zone" else name


@lru_cache(maxsize=256)
def insert_arrays(dialect: Dialect, table: Table) -> bytes:
    """Insert from one array per column, for PostgreSQL.

    With its own marks, $1 and on, which the driver need not look for: for a table of more than fifty columns it
    would at every call, and that took longer than all else in writing a few rows.
    """
    every = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.c)
    statement = sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({})")
    return statement.format(sql.Identifier(table.name), every, _arrays(dialect, table.c)).as_bytes()


@lru_cache(maxsize=256)
def upsert_arrays(dialect: Dialect, table: Table) -> bytes:
    """The same, or write over the row of the same key."""
    key = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.primary_key)
    others = [sql.Identifier(column.name) for column in table.c if not column.primary_key]
    overwritten = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in others)
    action = sql.SQL("UPDATE SET {}").format(overwritten) if others else sql.SQL("NOTHING")
    conflict = sql.SQL(" ON CONFLICT ({}) DO {}").format(key, action)
    return insert_arrays(dialect, table) + conflict.as_bytes()


@lru_cache(maxsize=256)
def change_arrays(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> bytes:
    """Write these columns of rows that are there, from an array of each and then of each part of the key.

    To be run under BY_KEY, see there.
    """
    told = (*columns, *table.primary_key.columns.keys())
    return (
        sql.SQL("UPDATE {} AS old SET {} FROM unnest({}) AS new ({}) WHERE {}")
        .format(
            sql.Identifier(table.name),
            sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(sql.Identifier(name)) for name in columns),
            _arrays(dialect, [table.c[name] for name in told]),
            sql.SQL(", ").join(map(sql.Identifier, told)),
            sql.SQL(" AND ").join(
                sql.SQL("old.{0} = new.{0}").format(sql.Identifier(one.name)) for one in table.primary_key
            ),
        )
        .as_bytes()
    )


@lru_cache(maxsize=256)
def change(table: Table, columns: tuple[str, ...]) -> str:
    """The same for SQLite, one row at a time."""
    changed = ", ".join(f'"{name}" = ?' for name in columns)
    matching = " AND ".join(f'"{one.name}" = ?' for one in table.primary_key)
    return f'UPDATE "{table.name}" SET {changed} WHERE {matching}'  # noqa: S608 - our own names only


def _arrays(dialect: Dialect, columns: Iterable[Column[Any]]) -> sql.Composed:
    return sql.SQL(", ").join(
        # Type names are our own columns'; they come from SQLAlchemy, not from anybody's input.
        sql.SQL(f"${n}::{column.type.compile(dialect=dialect)}[]")
        for n, column in enumerate(columns, start=1)
    )
