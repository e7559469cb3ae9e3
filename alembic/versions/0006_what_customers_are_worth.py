"""What customers are worth and who keeps them: declared values, losses, acts, and words in numbers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A moment is microseconds since 1970 where the database has no moments of its own.
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
BY_POSITION = ("value_declarations", "customer_moves", "loyalty_acts", "statements")


def _text(name: str, *, needed: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=not needed)


def _flag(name: str, *, needed: bool = True) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=not needed)


def _small(name: str, *, needed: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), nullable=not needed)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


def _id(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=not needed)


def _table(name: str, *columns: sa.Column[object], key: str) -> None:
    op.create_table(
        name,
        _text("ledger"),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        _id("stream_id"),
        *columns,
        sa.PrimaryKeyConstraint("ledger", "generation", "stream_id", key, name=f"pk_{name}"),
    )


def _by_position(name: str, *columns: sa.Column[object]) -> None:
    position = sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False)
    occurred_at = sa.Column("occurred_at", INSTANT, nullable=False)
    _table(name, position, *columns, occurred_at, key="position")


def _worth() -> None:
    _by_position(
        "value_declarations",
        _text("currency"),
        _big("annual"),
        _text("basis"),
        _small("margin_pct", needed=False),
        _big("acquisition_cost"),
    )
    _by_position(
        "customer_moves", _text("move"), _text("basis", needed=False), _id("cause_recovery_id", needed=False)
    )
    _table("recovery_sites", _id("recovery_id"), _text("site"), key="recovery_id")


def _acts_and_words() -> None:
    _by_position(
        "loyalty_acts",
        _text("act"),
        _text("role"),
        _text("role_class"),
        _id("maker"),
        _text("gesture", needed=False),
        _flag("unasked", needed=False),
        _big("avoided_contacts"),
    )
    _by_position(
        "statements",
        _text("instrument"),
        _small("value"),
        _text("about"),
        _id("recovery_id", needed=False),
    )


def upgrade() -> None:
    """Nothing but new tables; the program fills them from the ledger."""
    _worth()
    _acts_and_words()


def _close_books(*projections: str) -> None:
    """Forgets how far these have come: else they would count as caught up with tables that come back empty."""
    name, projection = sa.column("name", sa.Text()), sa.column("projection", sa.Text())
    for one in projections:
        op.execute(sa.delete(sa.table("generations")).where(name == one))
        op.execute(sa.delete(sa.table("tracking")).where(name.startswith(f"projection:{one}:", autoescape=True)))
        op.execute(sa.delete(sa.table("parked")).where(projection == one))


def downgrade() -> None:
    """Takes them away; the ledger still holds what they say."""
    _close_books("worth", "loyalty", "statements")
    op.drop_table("recovery_sites")
    for name in BY_POSITION:
        op.drop_table(name)
