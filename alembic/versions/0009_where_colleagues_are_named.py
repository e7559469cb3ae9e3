"""Where colleagues are named: an index of the few events that hold something sealed about a colleague."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SEALED = "personal_2 IS NOT NULL"


def upgrade() -> None:
    """One index. What is erased leaves it, so it stays as small as half a year's reports."""
    op.create_index(
        "ix_events_sealed",
        "events",
        ["ledger", "position"],
        unique=False,
        postgresql_where=sa.text(SEALED),
        sqlite_where=sa.text(SEALED),
    )


def downgrade() -> None:
    """Takes it away."""
    op.drop_index("ix_events_sealed", table_name="events")
