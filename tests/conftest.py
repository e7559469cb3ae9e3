"""What every test may ask for: a migrated, empty database, on SQLite and on PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from infrastructure.engine import make_engine
from infrastructure.migrate import upgrade
from tests.support.databases import DURABLE, NoPostgres, Server, migrated_template, postgres
from tests.support.soak import SOAK

KINDS = ("sqlite", "postgresql")
# In `make test` the same is drawn at random each time, so that a run fails by what was changed and not by luck; a
# soak draws anew. And in neither does an example fail for the time it took, as others may keep the machine busy.
settings.register_profile("soak", settings.get_profile("ci"), derandomize=False)
settings.load_profile("soak" if SOAK else "ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: two workers have finished when the last file has."""
    items.sort(key=lambda item: "system" not in item.path.parts)


def _or_skip(settings: dict[str, str] | None = None) -> Iterator[Server]:
    try:
        with postgres(settings) if settings else postgres() as server:
            yield server
    except NoPostgres as missing:
        # A skipped database must be seen; on CI it may not be missing at all.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no PostgreSQL: {missing}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One throwaway PostgreSQL for the whole run (fast, forgets everything on a crash)."""
    yield from _or_skip()


@pytest.fixture(scope="session")
def durable_postgres_server() -> Iterator[Server]:
    """One throwaway PostgreSQL that keeps what it confirmed, as production does."""
    yield from _or_skip(DURABLE)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """The name of a migrated database to copy."""
    return migrated_template(postgres_server)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "amends.db"
    upgrade(f"sqlite:///{path}")
    return path


def _database(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if kind == "sqlite":
        path = folder / "amends.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database of the test's own; the test runs once per kind of database."""
    yield from _database(request.param, tmp_path, request)


@pytest.fixture(params=KINDS, scope="module")
def module_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a migrated database that all tests of a file share; keep them apart by ledger."""
    yield from _database(request.param, tmp_path_factory.mktemp("module"), request)


@pytest.fixture
def sqlite_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty SQLite database."""
    yield from _database("sqlite", tmp_path, request)


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database."""
    yield from _database("postgresql", tmp_path, request)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """An engine on a migrated, empty database of the test's own."""
    made = make_engine(database)
    yield made
    made.dispose()
