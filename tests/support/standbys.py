"""Two PostgreSQL, of which one repeats what the other writes, and takes over when that one dies."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import URL

from tests.support.clusters import Cluster, folder_with_a_short_name, throwaway
from tests.support.databases import DURABLE
from tests.support.processes import eventually

SYNCHRONOUS: Final = {"synchronous_standby_names": "*"}
"""As docs/operations.md says: nothing is confirmed before it is on two machines."""


@dataclass
class Standby(Cluster):
    """A PostgreSQL made from a running one, whose every write it repeats until it is promoted."""

    primary: Cluster = field(kw_only=True)

    def _made(self) -> Path:
        data = self.home / "data"
        options = ["--checkpoint=fast", "--no-sync", "--write-recovery-conf", "--create-slot", "--slot=standby"]
        self._run("pg_basebackup", "-D", data, "-h", self.primary.home, "-U", "postgres", *options)
        return data

    def promote(self) -> None:
        """Makes it take writes, from where the other one's ended here."""
        assert asked(self, "SELECT pg_promote()") is True


@dataclass(frozen=True)
class Pair:
    """Both, and an address that names both."""

    primary: Cluster
    standby: Standby

    def create(self) -> str:
        """The address of a new database, at whichever of them takes writes."""
        asked(self.primary, "CREATE DATABASE house TEMPLATE template0")
        hosts = (str(self.primary.home), str(self.standby.home))
        query = {"host": hosts, "target_session_attrs": "read-write"}
        return URL.create("postgresql+psycopg", "postgres", database="house", query=query).render_as_string()

    def wait_until_alike(self) -> None:
        """Returns when the standby has repeated everything that the primary has written by now."""
        written = asked(self.primary, "SELECT pg_current_wal_lsn()::text")
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        eventually(lambda: bool(asked(self.standby, reached)), "the standby has repeated it")

    def fail_over(self) -> None:
        """Kills the primary, which never comes back, and lets the standby take over."""
        self.primary.end(signal.SIGKILL)
        self.standby.promote()


def asked(cluster: Cluster, statement: str) -> Any:
    """What it answers, if anything."""
    with psycopg.connect(host=str(cluster.home), user="postgres", dbname="postgres", autocommit=True) as conn:
        cursor = conn.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row and row[0]


@contextmanager
def replicated(settings: dict[str, str] = SYNCHRONOUS) -> Iterator[Pair]:
    """A pair for as long as the block lasts; these are the primary's settings once there is a standby."""
    with throwaway(dict(DURABLE)) as primary, folder_with_a_short_name() as home:
        standby = Standby(home, DURABLE | {"wal_retrieve_retry_interval": "100ms"}, primary=primary)
        primary.end(signal.SIGINT)
        primary.settings |= settings
        primary.start()
        standby.start()
        try:
            yield Pair(primary, standby)
        finally:
            standby.end(signal.SIGINT)
