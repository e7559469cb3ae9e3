"""The place where a run measures: one PostgreSQL that keeps what it confirms, a database for each part."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from infrastructure.engine import make_engine
from infrastructure.keys import Keyring, create_secrets
from infrastructure.mapper import Mapper
from tests.bench.rounds import ROUNDS
from tests.support.databases import DURABLE, Server, migrated_template, postgres


@dataclass
class Place:
    """A running PostgreSQL with a migrated template, and a folder for key files."""

    server: Server
    template: str
    folder: Path
    rounds: int = ROUNDS

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

    def keyring(self) -> Keyring:
        """The keys of this run."""
        path = self.folder / "amends.key"
        if not path.exists():
            create_secrets(path)
        return Keyring(path)

    def mapper(self) -> Mapper:
        """A mapper of the ledger `main`."""
        return Mapper("main", self.keyring())

    def conditions(self) -> dict[str, Any]:
        """What the figures depend on."""
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        admin = self.server.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(admin) as conn:
            settings = {name: conn.execute(f"SHOW {name}").fetchone()[0] for name in names}  # type: ignore[index]
        return {
            "cores": os.cpu_count(),
            "load_before": [round(one, 2) for one in os.getloadavg()],
            "python": platform.python_version(),
            "machine": platform.machine(),
            "postgresql": settings,
            "rounds": self.rounds,
        }


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """The place, for as long as the block lasts. Raises NoPostgres where there cannot be one."""
    with postgres(DURABLE) as server:
        yield Place(server, migrated_template(server), folder)
