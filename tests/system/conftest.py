"""What tests of whole processes may ask for: a database that keeps what it confirmed, and a key to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import KINDS
from tests.support.databases import Server
from tests.support.processes import House, house


def _on(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    if kind == "sqlite":
        yield house(f"sqlite:///{folder / 'amends.db'}", folder)
        return
    server: Server = request.getfixturevalue("durable_postgres_server")
    name = server.create()
    yield house(server.url(name), folder)
    server.drop(name)


@pytest.fixture(params=KINDS)
def any_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on an empty database; the test runs once per kind of database."""
    yield from _on(request.param, tmp_path, request)


@pytest.fixture
def sqlite_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on an empty SQLite database."""
    yield from _on("sqlite", tmp_path, request)


@pytest.fixture
def postgres_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on an empty PostgreSQL database that survives a crash."""
    yield from _on("postgresql", tmp_path, request)
