"""Indexes that stay out of the way of who folds: none that nobody asks, the others only of rows asked for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REWRITTEN = ("satisfaction_state", "satisfaction_recoveries", "recovery_streams", "recoveries", "feed_items")
"""Tables whose rows are written over again and again: with room on their pages, that touches no index."""
ROOM = 70


def _index(name: str, table: str, *columns: str, of: str | None = None) -> None:
    only = None if of is None else sa.text(of)
    # SQLite takes an index only where the query says the same word for word, and its queries say 1 for true.
    on_sqlite = None if of is None else sa.text(of if " " in of else f"{of} = 1")
    op.create_index(name, table, ["ledger", "generation", *columns], postgresql_where=only, sqlite_where=on_sqlite)


def _leave_room() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {ROOM})")


def _take_room_away() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")


def _replaced(name: str, table: str, *columns: str, of: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        # To drop an index shuts readers out until the commit, to build one only writers: so that comes first.
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_before")
    else:
        op.drop_index(name, table)
    _index(name, table, *columns, of=of)


def upgrade() -> None:
    """Nothing but indexes and the room on new pages changes; the rows stay as they are."""
    _replaced("ix_recovery_streams_next_due_at", "recovery_streams", "next_due_at", of="next_due_at IS NOT NULL")
    _replaced("ix_recoveries_open", "recoveries", "team", of="open")
    _replaced("ix_feed_items_told", "feed_items", "position", of="told")
    _leave_room()
    op.drop_index("ix_satisfaction_state_score", "satisfaction_state")
    op.drop_index("ix_recovery_streams_status", "recovery_streams")
    op.drop_index("ix_recoveries_similarity_key", "recoveries")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_recovery_streams_next_due_at_before", "recovery_streams")
        op.drop_index("ix_recoveries_open_before", "recoveries")
        op.drop_index("ix_feed_items_told_before", "feed_items")


def downgrade() -> None:
    """Makes them as they were."""
    _take_room_away()
    op.drop_index("ix_recovery_streams_next_due_at", "recovery_streams")
    op.drop_index("ix_recoveries_open", "recoveries")
    op.drop_index("ix_feed_items_told", "feed_items")
    _index("ix_feed_items_told", "feed_items", "told", "position")
    _index("ix_recoveries_open", "recoveries", "open", "team")
    _index("ix_recovery_streams_next_due_at", "recovery_streams", "next_due_at")
    _index("ix_recoveries_similarity_key", "recoveries", "similarity_key")
    _index("ix_recovery_streams_status", "recovery_streams", "status")
    _index("ix_satisfaction_state_score", "satisfaction_state", "score")
