"""Subjects: which customers a page of orders means, under which references they are found, with which keys."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Connection

from domain.milestones import Reference
from infrastructure import lookup
from infrastructure.keys import Drawn, SubjectKey
from infrastructure.tools import Tools


class Subjects:
    """References and keys as this page sees them. New ones count within the page and are written with it."""

    def __init__(self, conn: Connection, tools: Tools) -> None:
        self._conn, self._tools = conn, tools
        self._streams: dict[Reference, UUID | None] = {}
        self._links: dict[Reference, UUID] = {}
        self._stored: dict[UUID, SubjectKey] = {}
        self._new: dict[UUID, SubjectKey] = {}
        self._drawn: list[Drawn] = []

    def prepare(self, references: Iterable[Reference], streams: Iterable[UUID]) -> set[UUID]:
        """Looks all of them up in few queries; gives every known stream among them."""
        self._find({lookup.same(reference) for reference in references})
        known = set(streams) | {stream for stream in self._streams.values() if stream is not None}
        self._stored |= self._tools.keyring.keys_of(self._conn, self._tools.ledger, known)
        return known

    def stream_of(self, reference: Reference) -> UUID | None:
        """The stream this reference leads to, if any."""
        same = lookup.same(reference)
        if same not in self._streams:
            self._find({same})
        return self._streams[same]

    def key_of(self, subject: UUID) -> SubjectKey | None:
        """The subject's key, if it has one."""
        key = self._stored.get(subject) or self._new.get(subject)
        if key is None:
            key = self._tools.keyring.subject_key(self._conn, self._tools.ledger, subject)
            if key is not None:
                self._stored[subject] = key
        return key

    def forget_keys(self) -> None:
        """Looks every stored key up anew: some may be gone, or somebody else's."""
        self._stored.clear()

    def accept(self, links: Iterable[tuple[Reference, UUID]], drawn: Mapping[UUID, Drawn]) -> None:
        """Takes over the references and keys that a finished order brought."""
        for reference, stream in links:
            self._streams[reference] = self._links[reference] = stream
        self._drawn += drawn.values()
        self._new |= {subject: one.key for subject, one in drawn.items()}

    def write(self) -> None:
        """Stores what was accepted, in the page's transaction."""
        self._tools.keyring.store(self._conn, self._drawn)
        lookup.put_all(self._conn, self._tools.keyring, self._tools.ledger, self._links)

    def _find(self, references: set[Reference]) -> None:
        found = lookup.find_all(self._conn, self._tools.keyring, self._tools.ledger, references)
        self._streams |= {reference: found.get(reference) for reference in references}
