"""Stored keys: the keys of customers and colleagues as the database has them, wrapped with the house's own."""

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection

from infrastructure.probes import probe
from infrastructure.tables import subject_keys


class StoredKey(NamedTuple):
    """A key as it is stored."""

    ledger: str
    kid: UUID
    subject: UUID
    kek_id: str
    wrapped: bytes
    kc: bytes


_COLUMNS: Final = tuple(subject_keys.c[name] for name in StoredKey._fields)


def read_stored(conn: Connection, ledger: str, by: Column[Any], names: Iterable[UUID]) -> list[StoredKey]:
    """The keys of these names that were not destroyed."""
    rows = map(StoredKey._make, probe(conn, _COLUMNS, ledger, (by,), [(name,) for name in names]))
    return [row for row in rows if row.wrapped is not None]


def these_keys(ledger: str, kids: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    """By which a statement finds these keys."""
    return (subject_keys.c.ledger == ledger, subject_keys.c.kid.in_(kids))
