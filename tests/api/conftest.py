"""What tests of the outside may ask for: a running service on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import Service, service
from tests.support.webhook_fixtures import crm, desk

__all__ = ["crm", "desk"]  # the rest is made here


@pytest.fixture
def amends(sqlite_database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, empty."""
    with service(sqlite_database, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that all tests of a file share; for tests that do not care what else is recorded."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "amends.db").write_bytes(sqlite_template.read_bytes())
    with service(f"sqlite:///{folder / 'amends.db'}", folder) as made:
        yield made
