"""The check for drift: it sees a table that no migration makes, and says nothing when there is none."""

from pathlib import Path

from sqlalchemy import Column, Integer, Table

from infrastructure.tables import metadata
from tests.support.drift import drift, on_sqlite


def test_a_fresh_sqlite_file_has_the_tables_of_the_code():
    assert on_sqlite() == (True, "drift: sqlite: none")


def test_a_table_without_a_migration_is_named(tmp_path: Path):
    forgotten = Table("forgotten", metadata, Column("ledger", Integer, primary_key=True))
    try:
        found = drift(f"sqlite:///{tmp_path / 'amends.db'}")
    finally:
        metadata.remove(forgotten)
    assert found is not None
    assert "forgotten" in found
