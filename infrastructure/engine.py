"""Connections: one engine for SQLite and PostgreSQL, set up so that nothing confirmed is lost.

On PostgreSQL an engine with `patience_seconds` never waits longer than that for an answer, whatever became of it.
On SQLite whoever wants to write waits up to ten seconds for the one who does.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Broken
from infrastructure.asking import Forgetful
from infrastructure.files import keep_to_its_file
from infrastructure.patience import make_patient

BUSY_TIMEOUT_MS: Final = 10_000
READ_ONLY: Final = "25006"
"""The SQLSTATE of a server that takes no writes: a replica, or a primary that no longer is one."""
_OUTDATED: Final = ("26000", "0A000")
"""Those of a prepared statement that is not there, and of one whose columns got another type."""
IDLE_SECONDS: Final = 60
"""How long a transaction of ours may stand still before PostgreSQL ends it: a process that was stopped in the
middle of one must not hold the ledger's lock for ever."""
WAL_KEPT_BYTES: Final = 16 * 2**20
_IMMEDIATE: Final = "amends_immediate"
_PRAGMAS: Final = (
    # First of all, so that a connection waits instead of failing while another one switches to WAL.
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",
    # A reader who stays long makes the log grow: once he is gone it shrinks to this.
    f"journal_size_limit = {WAL_KEPT_BYTES}",
    "foreign_keys = ON",
    # Without it INSERT OR REPLACE deletes rows behind the back of the triggers that refuse deletion.
    "recursive_triggers = ON",
)
# What a lost network says nothing about is noticed by asking: after five silent seconds, three times in six.
_KEEPALIVE: Final = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3"}


class UnknownDatabase(Broken):
    """The address names a kind of database that we do not know."""

    code = "unknown_database"

    def __init__(self, scheme: str) -> None:
        wanted = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
        super().__init__(f"a database address begins with {scheme}://; it must be {wanted}")
        self.scheme = scheme


class WrongAddress(Broken):
    """What should say where the database is cannot be read as an address."""

    code = "invalid_value"

    def __init__(self, why: str) -> None:
        super().__init__(f"AMENDS_DATABASE_URL: {why}")


def make_engine(
    url: str | URL,
    *,
    patience_seconds: float | None = None,
    connect_within_seconds: int | None = None,
    reading: bool = False,
    **options: Any,
) -> Engine:
    """An engine for this address, `sqlite:///...` or `postgresql://...`. Raises UnknownDatabase or WrongAddress.

    With `patience_seconds` a PostgreSQL that does not answer within them counts as lost: half of them for
    connecting. On one for `reading` every statement on PostgreSQL stands alone: nothing is begun or rolled back,
    and what was prepared stays so. `connect_within_seconds` alone bounds nothing but that. `options` go
    to SQLAlchemy's create_engine. Bound values are personal data: they never appear in errors.
    """
    address = _read(url)
    scheme = address.get_backend_name()
    if scheme == "sqlite":
        engine = create_engine(address.set(drivername="sqlite+pysqlite"), hide_parameters=True, **options)
        keep_to_its_file(engine)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if scheme not in ("postgresql", "postgres"):
        raise UnknownDatabase(scheme)
    address = _postgres(address, patience_seconds, connect_within_seconds)
    if reading:
        options["isolation_level"] = "AUTOCOMMIT"
    engine = create_engine(address, hide_parameters=True, pool_pre_ping=True, **options)
    event.listen(engine, "handle_error", _give_up_useless)
    event.listen(engine, "connect", _set_up_postgres)
    if patience_seconds is None:
        event.listen(engine, "do_connect", _connect)
    else:
        make_patient(engine, patience_seconds)
    return engine


@contextmanager
def unmoving(engine: Engine) -> Iterator[Connection]:
    """A connection in one transaction that sees the database as it was at its first question.

    Also on an engine for reading, whose statements otherwise stand alone: rows that come a few at a time
    (`yield_per`) come through a cursor, which PostgreSQL keeps no longer than the transaction.
    """
    with engine.connect() as conn:
        if conn.dialect.name == "postgresql":
            conn = conn.execution_options(isolation_level="REPEATABLE READ")
        with conn.begin():
            yield conn


def _read(url: str | URL) -> URL:
    # Never a part of it in words: what stands in the wrong place may be a piece of the password.
    try:
        address = make_url(url)
    except ArgumentError as fault:
        raise WrongAddress("this is no address of a database") from fault
    except (TypeError, ValueError) as fault:
        raise WrongAddress("its port is no number") from fault
    if "@" in (address.host or ""):
        raise WrongAddress("in user and password write @ as %40 and / as %2F")
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise WrongAddress("it keeps nothing; a file is named as in sqlite:///amends.db")
    return address


def _postgres(address: URL, patience_seconds: float | None, connect_within_seconds: int | None = None) -> URL:
    given = address.query.get("options", ())
    parts = [given] if isinstance(given, str) else list(given)
    parts.append("-c timezone=UTC")
    # A server that ends sessions at rest would end those of our pools and of whoever listens.
    parts.append("-c idle_session_timeout=0")
    query: dict[str, Any] = {"application_name": "amends"}
    if connect_within_seconds is not None:
        query |= _KEEPALIVE | {"connect_timeout": str(connect_within_seconds)}
    if patience_seconds is not None:
        query |= _KEEPALIVE | {"connect_timeout": str(max(2, round(patience_seconds / 2)))}
        query["tcp_user_timeout"] = str(round(patience_seconds * 1000))
        # The server gives up a little earlier than we do, so that the connection stays good.
        parts.append(f"-c statement_timeout={round(patience_seconds * 900)}")
        parts.append(f"-c idle_in_transaction_session_timeout={IDLE_SECONDS * 1000}")
    query |= dict(address.query)
    query["options"] = " ".join(parts)
    return address.set(drivername="postgresql+psycopg", query=query)


def _connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Forgetful:
    return Forgetful.connect(*arguments, **options)


def _set_up_postgres(connection: "psycopg.Connection[Any]", _record: Any) -> None:
    # Asked by the column's type alone, as COPY asks, the driver would take one written in Python for bytes.
    connection.adapters.register_dumper(bytes, BytesBinaryDumper)


def _give_up_useless(context: ExceptionContext) -> None:
    # A session that was told to be read-only stays so: only a new connection finds out that it is over. And the
    # driver goes on asking by a statement that the server forgot or whose plan it cannot use any more.
    if getattr(context.original_exception, "sqlstate", None) in (READ_ONLY, *_OUTDATED):
        context.is_disconnect = True


def too_large(fault: BaseException) -> bool:
    """Whether PostgreSQL cannot hold what was to be written, an index row for one (class 54).

    It counts that among the faults of operation, but who wrote it is at fault.
    """
    return str(getattr(getattr(fault, "orig", None), "sqlstate", None)).startswith("54")


def out_of_reach(fault: BaseException) -> bool:
    """Whether the database is gone, full, read-only or gave no connection: nobody's request is at fault."""
    if too_large(fault):
        return False
    if isinstance(fault, OperationalError | InterfaceError | PoolTimeout):
        return True
    if not isinstance(fault, DBAPIError):
        return False
    return fault.connection_invalidated or getattr(fault.orig, "sqlstate", None) == READ_ONLY


# SQLite.


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
