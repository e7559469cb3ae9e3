"""Aggregates: what each stream that a page touches has come to, as this page has it."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from domain.errors import NewerProgramNeeded, UnknownRef
from domain.kinds import Aggregate
from infrastructure.states import States, load, save_snapshots, snapshot_due
from infrastructure.tools import Tools

S = TypeVar("S", bound=Aggregate)
Name = tuple[type[Aggregate], UUID]
"""What a stream is taken for, and the stream: one caller's mistake must not hide it from others."""


class Aggregates:
    """States by kind and stream: loaded where they are not kept warm, and changed only by finished orders."""

    def __init__(self, conn: Connection, tools: Tools, kept: States) -> None:
        self._conn, self._tools, self._kept = conn, tools, kept
        self._known: dict[Name, Aggregate] = {}
        self._versions: dict[UUID, int] = {}

    def load(self, kind: type[Aggregate], streams: Iterable[UUID]) -> None:
        """Makes these known, in few queries."""
        cold = []
        for stream in streams:
            state = self._kept.get(stream)
            if isinstance(state, kind):
                self._known[kind, stream] = state
            else:
                cold.append(stream)
        if cold:
            tools = self._tools
            loaded = load(self._conn, tools.mapper, tools.ledger, cold, kind, repair=tools.repair)
            self._known.update(((kind, stream), state) for stream, state in loaded.items())

    def get(self, kind: type[S], stream: UUID) -> S:
        """The aggregate, before its first event too.

        Raises UnknownRef where the stream holds something else, NewerProgramNeeded where only a newer program can
        tell.
        """
        state = self._known.get((kind, stream))
        if state is None:
            self.load(kind, [stream])
            state = self._known.get((kind, stream))
        if not isinstance(state, kind):
            raise NewerProgramNeeded
        if state.strange:
            raise UnknownRef(kind.NAME, stream)
        return state

    def take(self, before: Aggregate, after: Aggregate) -> None:
        """Goes on from here."""
        stream = after.stream_id
        self._versions.setdefault(stream, before.version)
        self._known[type(after), stream] = after

    def version(self, stream: UUID) -> int:
        """How many events the stream has by now, as far as this page knows."""
        return max((state.version for (_, one), state in self._known.items() if one == stream), default=0)

    def save_snapshots(self) -> None:
        """Stores the states of the streams that grew past a point where one is taken."""
        before = self._versions
        states = [state for (_, stream), state in self._known.items() if stream in before and not state.strange]
        grown = [state for state in states if snapshot_due(before[state.stream_id], state.version)]
        save_snapshots(self._conn, self._tools.ledger, grown)

    def to_keep(self) -> dict[UUID, Aggregate]:
        """Every state worth keeping warm once the page is committed."""
        return {stream: state for (_, stream), state in self._known.items() if not state.strange}
