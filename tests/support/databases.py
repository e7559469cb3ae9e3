"""Real databases for tests: a throwaway PostgreSQL, and SQLite files. Each is migrated once and then copied."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, make_url
from sqlalchemy.event import listen

from infrastructure.migrate import upgrade
from tests.support.clusters import IMMEDIATE, Cluster, NoPostgres, throwaway

__all__ = [
    "DURABLE",
    "FAST",
    "IMMEDIATE",
    "NoPostgres",
    "NotOurs",
    "Server",
    "migrated_template",
    "patient",
    "postgres",
]
SERVER_SETTING: Final = "AMENDS_TEST_DATABASE_URL"
TEMPLATE: Final = "amends_template"
FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""Settings for tests that do not care what a power cut leaves behind.

Nobody comes by and counts rows unasked: some tests look at plans in a database that knows nothing of its tables.
"""
DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""Settings for crash tests and measurements: what production has."""


class NotOurs(Exception):
    """Somebody else runs this PostgreSQL: tests must not stop it."""


@dataclass
class Server:
    """A running PostgreSQL: makes databases, and copies of a migrated template."""

    admin: URL
    cluster: Cluster | None = None
    """The process and its data, when it is our own."""
    names: Iterator[int] = field(default_factory=lambda: count(1))
    made: list[str] = field(default_factory=list)
    prefix: str = field(default_factory=lambda: f"amends_{os.getpid()}_{time.monotonic_ns() % 10**9}")

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases, password included."""
        return self.admin.set(database=database).render_as_string(hide_password=False)

    def create(self, template: str = "template0") -> str:
        """The name of a new database, a copy of `template`."""
        name = f"{self.prefix}_{next(self.names)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        self.made.append(name)
        return name

    def drop(self, name: str) -> None:
        """Takes the database away, whoever is still connected."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self.made.remove(name)

    def drop_all(self) -> None:
        """Takes away every database made through this object."""
        for name in list(self.made):
            self.drop(name)

    @property
    def pid(self) -> int | None:
        """The process, when it is our own."""
        return None if self.cluster is None else self.cluster.pid

    def crash(self, how: signal.Signals = IMMEDIATE) -> None:
        """Ends it as `pg_ctl stop -m immediate` does, or with SIGKILL: nothing is finished or written out."""
        self._own().end(how)

    def start(self) -> None:
        """Starts it again on the same data at the same address; returns when it can be asked."""
        self._own().start()

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it, in good order unless told otherwise, and starts it again."""
        self.crash(how)
        self.start()

    def _own(self) -> Cluster:
        if self.cluster is None:
            raise NotOurs(f"{SERVER_SETTING} names this server, and it is not ours to stop")
        return self.cluster

    def _execute(self, statement: str, *names: str) -> None:
        admin = self.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def migrated_template(server: Server) -> str:
    """The name of a database migrated to the newest schema, to copy from."""
    name = server.create()
    upgrade(server.url(name))
    return name


@contextmanager
def postgres(settings: dict[str, str] = FAST) -> Iterator[Server]:
    """A PostgreSQL for as long as the block lasts: the one named by the environment, else one of our own.

    Raises NoPostgres when this machine cannot have one.
    """
    given = os.environ.get(SERVER_SETTING)
    if given:
        server = Server(make_url(given).set(drivername="postgresql+psycopg"))
        try:
            yield server
        finally:
            server.drop_all()
    else:
        with throwaway(settings) as cluster:
            admin = URL.create(
                "postgresql+psycopg", "postgres", database="postgres", query={"host": str(cluster.home)}
            )
            yield Server(admin, cluster)


def patient(engine: Engine) -> None:
    """Lets connections of this engine wait a minute for the lock of a SQLite file.

    SQLite gives it to whoever asks at the right moment: of many threads that want it at once, one may wait longer
    on a slow machine than our one writer ever does.
    """
    if engine.dialect.name == "sqlite":
        listen(engine, "connect", _wait_a_minute)


def _wait_a_minute(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout = 60000").close()
