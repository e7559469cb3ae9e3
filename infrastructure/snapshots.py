"""Snapshots behind the library's interface: folded states that may be lost without losing anything."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import AggregateRecorder, StoredEvent
from sqlalchemy import Engine, insert, select

from infrastructure.engine import writing
from infrastructure.library import library_errors, stored_in_order, stream_uuid
from infrastructure.tables import snapshots

UNKNOWN_POSITION = 0
"""Where a snapshot of another program stands in the ledger: it does not say."""


class SnapshotRecorder(AggregateRecorder):
    """The snapshots of one ledger. Its own class: what it stores gets no positions."""

    def __init__(self, engine: Engine, ledger: str = "main") -> None:
        self.engine, self.ledger = engine, ledger

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """Stores these snapshots. Raises IntegrityError of the library when the version has one."""
        rows = [
            {
                "ledger": self.ledger,
                "stream_id": stream_uuid(stored.originator_id),
                "version": stored.originator_version,
                "position": UNKNOWN_POSITION,
                "format": stored.topic,
                "state": stored.state,
            }
            for stored in stored_events
        ]
        if rows:
            with library_errors(), writing(self.engine) as conn:
                conn.execute(insert(snapshots), rows)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """The snapshots of a stream by version."""
        query = select(snapshots.c.stream_id, snapshots.c.version, snapshots.c.format, snapshots.c.state)
        query = query.where(snapshots.c.ledger == self.ledger, snapshots.c.stream_id == stream_uuid(originator_id))
        return stored_in_order(self.engine, query, gt=gt, lte=lte, desc=desc, limit=limit)
