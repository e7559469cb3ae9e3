"""Look-up: which customer a caller means by his e-mail address or number, without storing either in clear."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select

from domain.milestones import Reference
from infrastructure.keys import Keyring, normal
from infrastructure.probes import probe
from infrastructure.rows import insert_rows
from infrastructure.tables import subject_lookup

_KEY: Final = (subject_lookup.c.kind, subject_lookup.c.index)


def same(reference: Reference) -> Reference:
    """The one spelling of all references that lead to the same customer: what to compare them by."""
    return Reference.model_construct(kind=reference.kind, value=normal(reference.kind, reference.value))


def find(conn: Connection, keyring: Keyring, ledger: str, kind: str, value: str) -> UUID | None:
    """The stream this reference leads to, if any."""
    return conn.execute(
        select(subject_lookup.c.stream_id).where(
            subject_lookup.c.ledger == ledger,
            subject_lookup.c.kind == kind,
            subject_lookup.c.index == keyring.blind_index(kind, value),
        )
    ).scalar_one_or_none()


def find_all(
    conn: Connection, keyring: Keyring, ledger: str, references: Iterable[Reference]
) -> dict[Reference, UUID]:
    """The streams of those references that are known, with one query."""
    wanted: dict[tuple[str, bytes], list[Reference]] = {}
    for one in references:
        # Two spellings of one address have the same index.
        wanted.setdefault((one.kind, keyring.blind_index(one.kind, one.value)), []).append(one)
    rows = probe(conn, (*_KEY, subject_lookup.c.stream_id), ledger, _KEY, sorted(wanted))
    return {reference: stream for kind, index, stream in rows for reference in wanted[kind, bytes(index)]}


def all_of(conn: Connection, ledger: str, kind: str) -> dict[bytes, UUID]:
    """Every reference of this kind by its index, and the stream it leads to."""
    query = select(subject_lookup.c.index, subject_lookup.c.stream_id).where(
        subject_lookup.c.ledger == ledger, subject_lookup.c.kind == kind
    )
    return {bytes(index): stream for index, stream in conn.execute(query)}


def put(conn: Connection, keyring: Keyring, ledger: str, kind: str, value: str, stream_id: UUID) -> None:
    """Lets the reference lead to this stream from now on.

    Done in the transaction that records the event. Raises IntegrityError when it leads somewhere already.
    """
    put_all(conn, keyring, ledger, {Reference(kind=kind, value=value): stream_id})


def put_all(conn: Connection, keyring: Keyring, ledger: str, links: Mapping[Reference, UUID]) -> None:
    """Lets these references lead to these streams, with one statement; otherwise as `put`."""
    rows = [
        {
            "ledger": ledger,
            "kind": one.kind,
            "index": keyring.blind_index(one.kind, one.value),
            "stream_id": stream,
        }
        for one, stream in links.items()
    ]
    insert_rows(conn, subject_lookup, rows)
