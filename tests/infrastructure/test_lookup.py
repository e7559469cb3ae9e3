"""Look-up: customers are found by any spelling of a reference, and the table tells nobody who they are."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from domain.milestones import Reference
from infrastructure import lookup
from infrastructure.engine import begin_writing
from infrastructure.key_file import create_secrets
from infrastructure.keys import Keyring
from infrastructure.tables import subject_lookup

ELENI = UUID("11111111-1111-4111-8111-111111111111")
NIKOS = UUID("22222222-2222-4222-8222-222222222222")


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    create_secrets(tmp_path / "amends.key")
    return Keyring(tmp_path / "amends.key")


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as conn, begin_writing(conn):
        yield conn


def reference(kind: str, value: str) -> Reference:
    return Reference(kind=kind, value=value)


def test_nobody_is_found_under_a_reference_never_seen(conn: Connection, keyring: Keyring):
    assert lookup.find(conn, keyring, "main", "email", "eleni@example.gr") is None
    assert lookup.find_all(conn, keyring, "main", [reference("email", "eleni@example.gr")]) == {}
    assert lookup.find_all(conn, keyring, "main", []) == {}


def test_a_customer_is_found_by_another_spelling_of_the_same_address(conn: Connection, keyring: Keyring):
    lookup.put(conn, keyring, "main", "email", "Ελένη@Example.GR", ELENI)
    assert lookup.find(conn, keyring, "main", "email", "ΕΛΈΝΗ@example.gr ") == ELENI


def test_references_of_other_kinds_or_ledgers_lead_elsewhere(conn: Connection, keyring: Keyring):
    lookup.put(conn, keyring, "main", "crm", "7", ELENI)
    lookup.put(conn, keyring, "main", "erp", "7", NIKOS)
    lookup.put(conn, keyring, "other", "crm", "7", NIKOS)
    assert lookup.find(conn, keyring, "main", "crm", "7") == ELENI
    assert lookup.find(conn, keyring, "main", "erp", "7") == NIKOS
    assert lookup.find(conn, keyring, "other", "crm", "7") == NIKOS
    assert lookup.find(conn, keyring, "third", "crm", "7") is None


def test_many_are_found_at_once_under_every_spelling_asked_for(conn: Connection, keyring: Keyring):
    lookup.put(conn, keyring, "main", "email", "eleni@example.gr", ELENI)
    lookup.put(conn, keyring, "main", "crm", "7", NIKOS)
    asked = [
        reference("email", "eleni@example.gr"),
        reference("email", "ELENI@example.gr"),
        reference("email", "nobody@example.gr"),
        reference("crm", "7"),
        reference("crm", "8"),
    ]
    assert lookup.find_all(conn, keyring, "main", asked) == {asked[0]: ELENI, asked[1]: ELENI, asked[3]: NIKOS}


def test_a_reference_leads_to_one_customer_only(conn: Connection, keyring: Keyring):
    lookup.put(conn, keyring, "main", "email", "eleni@example.gr", ELENI)
    with pytest.raises(IntegrityError) as refused, conn.begin_nested():
        lookup.put(conn, keyring, "main", "email", "ELENI@EXAMPLE.GR", NIKOS)
    assert "example" not in str(refused.value)


def test_the_table_holds_no_reference_in_the_clear(conn: Connection, keyring: Keyring):
    lookup.put(conn, keyring, "main", "email", "eleni@example.gr", ELENI)
    row = conn.execute(subject_lookup.select()).one()
    assert "eleni" not in repr(tuple(row))
    assert len(row[2]) == 32


def test_two_spellings_compare_as_one():
    assert lookup.same(reference("email", "Eleni@Example.gr")) == lookup.same(
        reference("email", "eleni@example.gr")
    )
    assert lookup.same(reference("crm", "A")) != lookup.same(reference("crm", "a"))
