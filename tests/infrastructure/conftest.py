"""What tests of the store may ask for, beside databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.counting import create_tables
from tests.support.ledgers import Book, book


@pytest.fixture
def shelf(database: str, tmp_path: Path) -> Iterator[Book]:
    """An empty ledger, with the tables of a counting read model."""
    with book(database, tmp_path) as one:
        create_tables(one.engine)
        yield one
