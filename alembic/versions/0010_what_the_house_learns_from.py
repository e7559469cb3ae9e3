"""What the house learns from: signs, and how far each count of them has come."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A moment is microseconds since 1970 where the database has no moments of its own.
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
SILENT = "learning:silent"
"""How far a ledger had come before anybody counted: what had happened by then asks for nothing any more."""


def _signs() -> None:
    op.create_table(
        "signs",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recovery_id", sa.Uuid(), nullable=True),
        sa.Column("told_by", sa.Uuid(), nullable=True),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("value", sa.SmallInteger(), nullable=True),
        sa.Column("customer_value", sa.SmallInteger(), nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "generation", "stream_id", "position", "kind", name="pk_signs"),
    )
    op.create_index(
        "ix_signs_position",
        "signs",
        ["ledger", "generation", "position"],
        unique=False,
        postgresql_where=sa.text("counts"),
        sqlite_where=sa.text("counts = 1"),
    )


def _tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "duty", "about", name="pk_tallies"),
    )


def upgrade() -> None:
    """New tables, filled from the ledger. A ledger that has a history is counted, and asks for nothing late."""
    _signs()
    _tallies()
    heads = sa.table("heads", sa.column("ledger", sa.Text()), sa.column("position", sa.BigInteger()))
    tracking = sa.table("tracking", *(sa.column(name) for name in ("ledger", "name", "position")))
    known = sa.select(heads.c.ledger, sa.literal(SILENT, sa.Text()), heads.c.position).where(heads.c.position > 0)
    op.execute(sa.insert(tracking).from_select(["ledger", "name", "position"], known))


def downgrade() -> None:
    """Takes them away; the ledger still holds what they say."""
    name, projection = sa.column("name", sa.Text()), sa.column("projection", sa.Text())
    op.execute(sa.delete(sa.table("generations")).where(name == "signs"))
    op.execute(sa.delete(sa.table("parked")).where(projection == "signs"))
    tracked = name.startswith("projection:signs:", autoescape=True) | name.startswith("learning", autoescape=True)
    op.execute(sa.delete(sa.table("tracking")).where(tracked))
    op.drop_table("tallies")
    op.drop_index("ix_signs_position", table_name="signs")
    op.drop_table("signs")
