"""What stories may ask for: a running service, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import Service, service


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, empty; the test runs once per kind of database."""
    with service(database, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def house(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that all tests of a file share, once per kind of database; for customers apart from each other."""
    with service(module_database, tmp_path_factory.mktemp("house")) as made:
        yield made
