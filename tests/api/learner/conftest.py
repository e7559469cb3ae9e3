"""What tests of the learner may ask for: a service in which a colleague has joined."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import Service, service
from tests.support.learners import joined


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, on each database."""
    with service(database, tmp_path) as made:
        yield joined(made)


@pytest.fixture
def quick(sqlite_database: str, tmp_path: Path) -> Iterator[Service]:
    """The same on one database, for what the database has no part in."""
    with service(sqlite_database, tmp_path) as made:
        yield joined(made)
