"""The roster: who joined, as the writer of a ledger knows it, so that acts are recorded in their doers' roles."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from domain.colleagues.post import REFERENCE, ColleagueJoined
from infrastructure import lookup
from infrastructure.record import Told

_JOINED: Final = ColleagueJoined.TOPIC


class Roster:
    """The colleagues who ever joined. Read once: where nobody did, nothing more is ever asked."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._joined: set[UUID] | None = None

    def joined(self, conn: Connection, colleagues: Iterable[UUID]) -> set[UUID]:
        """Those of them who ever joined."""
        if self._joined is None:
            self._joined = set(lookup.streams_of(conn, self._ledger, REFERENCE))
        return self._joined.intersection(colleagues)

    def hear(self, told: Iterable[Told]) -> None:
        """Takes note of whoever joined according to what others appended."""
        if self._joined is not None:
            self._joined.update(one.stream_id for one in told if one.topic == _JOINED)

    def take(self, colleague_id: UUID) -> None:
        """Counts this one in; it may still be forgotten again."""
        if self._joined is not None:
            self._joined.add(colleague_id)

    def forget(self) -> None:
        """Reads it anew when it is next asked for."""
        self._joined = None
