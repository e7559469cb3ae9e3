"""The place where a run measures: one PostgreSQL that keeps what it confirms, a database for each part."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import Engine

from infrastructure.engine import make_engine
from infrastructure.key_file import create_secrets
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from tests.bench import peers, workload
from tests.bench.peers import Peer
from tests.bench.rounds import ROUNDS
from tests.support.databases import DURABLE, Server, migrated_template, postgres

SETTINGS: Final = DURABLE | {"shared_buffers": "128MB"}
"""What production has, and otherwise PostgreSQL's own defaults."""
_SHOWN: Final = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
    "max_wal_size",
    "max_connections",
)


@dataclass
class Place:
    """A running PostgreSQL with a migrated template, and a folder for key files.

    What a reader of the figures must know of a part goes into `notes`, by the part's name.
    """

    server: Server
    template: str
    folder: Path
    rounds: int = ROUNDS
    notes: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """The URL of a database of the part's own."""
        name = self.server.create(template or self.template)
        try:
            yield self.server.url(name)
        finally:
            self.server.drop(name)

    @contextmanager
    def engine(self, url: str) -> Iterator[Engine]:
        """An engine on it, as the program makes it."""
        made = make_engine(url, pool_size=20)
        try:
            yield made
        finally:
            made.dispose()

    @contextmanager
    def peer(self, name: str) -> Iterator[Peer]:
        """A peer with an empty database of its own on the same PostgreSQL, for as long as the block lasts."""
        with self.database("template0") as url:
            made = Peer(name, url, self.folder)
            try:
                yield made
            finally:
                made.close()

    def keyring(self) -> Keyring:
        """The keys of this run."""
        path = self.folder / "amends.key"
        if not path.exists():
            create_secrets(path)
        return Keyring(path)

    def mapper(self, ledger: str = "main") -> Mapper:
        """A mapper of this ledger."""
        return Mapper(ledger, self.keyring())

    def conditions(self) -> dict[str, Any]:
        """What the figures depend on."""
        admin = self.server.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(admin) as conn:
            settings = {name: conn.execute(f"SHOW {name}").fetchone()[0] for name in _SHOWN}  # type: ignore[index]
        return {
            "cores": os.cpu_count(),
            "cpu": _cpu(),
            "load_before": load(),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "postgresql": settings,
            "peers": peers.versions(),
            "workload": workload.DESCRIBED,
            "rounds": self.rounds,
        }


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """The place, for as long as the block lasts. Raises NoPostgres where there cannot be one."""
    with postgres(SETTINGS) as server:
        yield Place(server, migrated_template(server), folder)


def load() -> list[float]:
    """How busy the machine is: the load of the last 1, 5 and 15 minutes."""
    return [round(one, 2) for one in os.getloadavg()]


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
