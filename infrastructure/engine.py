"""Connections: one engine for SQLite and PostgreSQL, set up so that nothing confirmed is lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

BUSY_TIMEOUT_MS: Final = 10_000
_IMMEDIATE: Final = "amends_immediate"
_PRAGMAS: Final = (
    # First of all, so that a connection waits instead of failing while another one switches to WAL.
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    # Without it INSERT OR REPLACE deletes rows behind the back of the triggers that refuse deletion.
    "recursive_triggers = ON",
)


def make_engine(url: str | URL, **options: Any) -> Engine:
    """An engine for this address, `sqlite:///...` or `postgresql://...`.

    `options` go to SQLAlchemy's create_engine. Bound values are personal data: they never appear in errors.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address.set(drivername="sqlite+pysqlite"), hide_parameters=True, **options)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(_postgres(address), hide_parameters=True, pool_pre_ping=True, **options)


def _postgres(address: URL) -> URL:
    given = address.query.get("options", ())
    parts = [given] if isinstance(given, str) else list(given)
    query = {"application_name": "amends"} | dict(address.query)
    query["options"] = " ".join([*parts, "-c timezone=UTC"])
    return address.set(drivername="postgresql+psycopg", query=query)


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver begins transactions late, and never by itself before a SELECT; we say BEGIN.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(conn: Connection) -> None:
    immediate = conn.get_execution_options().get(_IMMEDIATE, False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def begin_writing(conn: Connection) -> Iterator[Connection]:
    """A transaction that writes: on SQLite it is the only writer from its first moment on.

    A transaction that begins by reading and writes later fails there when another wrote in between.
    """
    conn.execution_options(**{_IMMEDIATE: True})
    try:
        transaction = conn.begin()
    finally:
        conn.execution_options(**{_IMMEDIATE: False})
    with transaction:
        yield conn


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection of its own inside such a transaction, committed at the end of the block."""
    with engine.connect() as conn, begin_writing(conn):
        yield conn
