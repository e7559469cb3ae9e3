"""What goodwill may cost: budgets, what was drawn on them, and what was granted at all."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TABLES = ("budgets", "budget_entries", "grants", "grants_ended")


def _text(name: str, *, needed: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=not needed)


def _big(name: str, *, needed: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=not needed)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _instant(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, INSTANT, nullable=not needed)


def _table(name: str, *columns: sa.Column[object], key: tuple[str, ...] = ("position",)) -> None:
    op.create_table(
        name,
        _text("ledger"),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        _id("stream_id"),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("ledger", "generation", "stream_id", *key, name=f"pk_{name}"),
    )


def _budgets() -> None:
    _table(
        "budgets",
        sa.Column("version", sa.Integer(), nullable=False),
        _text("cost_centre"),
        _text("currency"),
        _flag("closed"),
        _instant("next_due_at", needed=False),
        sa.Column("kept", sa.LargeBinary(), nullable=False),
        key=(),
    )
    due = sa.text("next_due_at IS NOT NULL")
    columns = ["ledger", "generation", "next_due_at"]
    op.create_index("ix_budgets_next_due_at", "budgets", columns, postgresql_where=due, sqlite_where=due)
    _table("budget_entries", _id("grant_id"), _big("reserved"), _big("committed"), _instant("occurred_at"))


def _grants() -> None:
    _table(
        "grants",
        _id("grant_id"),
        _text("kind"),
        _text("basis"),
        _big("cost", needed=False),
        _text("currency", needed=False),
        _flag("by_value"),
        _flag("granted"),
        _instant("occurred_at"),
    )
    _table("grants_ended", _id("grant_id"), _text("how"), _instant("occurred_at"))


def upgrade() -> None:
    """Nothing but new tables; the program fills them from the ledger."""
    _budgets()
    _grants()


def _close_books(*projections: str) -> None:
    """Forgets how far these have come: else they would count as caught up with tables that come back empty."""
    name, projection = sa.column("name", sa.Text()), sa.column("projection", sa.Text())
    for one in projections:
        op.execute(sa.delete(sa.table("generations")).where(name == one))
        op.execute(sa.delete(sa.table("tracking")).where(name.startswith(f"projection:{one}:", autoescape=True)))
        op.execute(sa.delete(sa.table("parked")).where(projection == one))


def downgrade() -> None:
    """Takes them away; the ledger still holds what they say."""
    _close_books("budgets", "grants")
    for name in TABLES:
        op.drop_table(name)
