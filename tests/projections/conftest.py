"""What tests of read models may ask for: a ledger of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ledgers import Book, book


@pytest.fixture
def shelf(module_database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Book]:
    """An empty ledger of the test's own, on either database."""
    with book(module_database, tmp_path, f"t{abs(hash(request.node.name))}") as one:
        yield one
