"""What the reports ask: how failures came, who decided, what was promised, and how it went as customers say."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A moment is microseconds since 1970 where the database has no moments of its own.
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
TABLES = {
    "arrivals": ("arrivals",),
    "voices": ("voices",),
    "promises": ("promises", "promises_kept", "capacities", "absences"),
    "aftermath": ("follow_up_answers", "wishes"),
}
"""Every read model with its tables."""


def _text(name: str, *, needed: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=not needed)


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _moment(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, INSTANT, nullable=not needed)


def _few(name: str, *, needed: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), nullable=not needed)


def _many(name: str, *, needed: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=not needed)


def _either(name: str, *, needed: bool = True) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=not needed)


def _table(name: str, *columns: sa.Column[object]) -> None:
    """A table with one row per event, and when it happened."""
    op.create_table(
        name,
        _text("ledger"),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        _id("stream_id"),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        *columns,
        _moment("occurred_at"),
        sa.PrimaryKeyConstraint("ledger", "generation", "stream_id", "position", name=f"pk_{name}"),
    )


def upgrade() -> None:
    """Nothing but new tables; the program fills them from the ledger."""
    case = (_text("what"), _text("failure_kind"), _text("touchpoint", needed=False))
    _table("arrivals", _id("recovery_id"), *case, _few("severity"), _text("similarity_key"))
    answer = (
        _moment("decide_by", needed=False),
        _many("waited_s", needed=False),
        _either("in_time", needed=False),
    )
    _table("voices", _id("recovery_id"), _id("compensation_id"), _text("step"), _text("role_class"), *answer)
    _table("promises", _id("recovery_id"), _id("commitment_id"), _moment("due_at"))
    _table("promises_kept", _id("commitment_id"))
    _table("capacities", _many("points"))
    _table("absences", _moment("begins"), _moment("ends", needed=False))
    said = (
        _few("treatment", needed=False),
        _few("confidence", needed=False),
        _either("would_return", needed=False),
    )
    _table("follow_up_answers", _id("recovery_id"), _text("outcome"), *said)
    _table("wishes", _id("recovery_id"), _either("met"))


def _close_books(*projections: str) -> None:
    """Forgets how far these have come: else they would count as caught up with tables that come back empty."""
    name, projection = sa.column("name", sa.Text()), sa.column("projection", sa.Text())
    for one in projections:
        op.execute(sa.delete(sa.table("generations")).where(name == one))
        op.execute(sa.delete(sa.table("tracking")).where(name.startswith(f"projection:{one}:", autoescape=True)))
        op.execute(sa.delete(sa.table("parked")).where(projection == one))


def downgrade() -> None:
    """Takes them away; the ledger still holds what they say."""
    _close_books(*TABLES)
    for names in TABLES.values():
        for name in names:
            op.drop_table(name)
