"""Who else is told: webhooks, how far each has come, and what no receiver took."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A moment is microseconds since 1970 where the database has no moments of its own.
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("former", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", INSTANT, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("delivered_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_webhooks_position")),
        sa.CheckConstraint("state IN ('active', 'paused', 'gone')", name=op.f("ck_webhooks_state")),
        sa.PrimaryKeyConstraint("ledger", "webhook_id", name="pk_webhooks"),
    )


def _dead_letters() -> None:
    op.create_table(
        "webhook_dead_letters",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.Column("again_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("ledger", "webhook_id", "position", name="pk_webhook_dead_letters"),
    )


def upgrade() -> None:
    """Nothing but new tables; nobody is told anything before somebody makes a webhook."""
    _webhooks()
    _dead_letters()


def downgrade() -> None:
    """Takes them away, and with them who was told and how far: the ledger does not know that."""
    op.drop_table("webhook_dead_letters")
    op.drop_table("webhooks")
