"""Rows of their own for what read models must know of each recovery: a fact writes only what it changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Rows that are there already are folded anew: their read models have a new version."""
    op.add_column("recoveries", sa.Column("kept", sa.LargeBinary()))
    op.create_table(
        "satisfaction_recoveries",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("recovery_id", sa.Uuid(), nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "ledger", "generation", "stream_id", "recovery_id", name="pk_satisfaction_recoveries"
        ),
    )


def downgrade() -> None:
    """Takes them away."""
    op.drop_table("satisfaction_recoveries")
    op.drop_column("recoveries", "kept")
