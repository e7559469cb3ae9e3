"""What the house is told: lessons, who read and acknowledged them, and who may be named."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A moment is microseconds since 1970 where the database has no moments of its own.
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def _column(name: str, kind: object, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=not needed)  # type: ignore[call-overload,no-any-return]


def _table(name: str, *columns: sa.Column[object], key: tuple[str, ...] = ()) -> None:
    op.create_table(
        name,
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("ledger", "generation", "stream_id", *key, name=f"pk_{name}"),
    )


def _lessons() -> None:
    text, number, moment, flag, uuid = sa.Text(), sa.Integer(), INSTANT, sa.Boolean(), sa.Uuid()
    _table(
        "lessons",
        _column("drafted", sa.BigInteger()),
        _column("drafted_at", moment),
        _column("kind", text),
        _column("topic", text, needed=False),
        _column("title", text),
        _column("text", text),
        _column("edition", number),
        _column("approved", number),
        _column("published", number),
        _column("told", sa.BigInteger(), needed=False),
        _column("told_title", text, needed=False),
        _column("told_text", text, needed=False),
        _column("published_at", moment, needed=False),
        _column("expires_at", moment, needed=False),
        _column("must_ack", flag),
        _column("audience", text),
        *(_column(name, uuid, needed=False) for name in ("only_for", "recognises", "customer_id", "recovery_id")),
        _column("retired", flag),
    )


def upgrade() -> None:
    """Nothing but new tables; the program fills them from the ledger."""
    _lessons()
    position = sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False)
    _table(
        "lesson_receipts",
        position,
        _column("lesson_id", sa.Uuid()),
        _column("version", sa.Integer()),
        _column("acknowledged", sa.Boolean()),
        _column("occurred_at", INSTANT),
        key=("position",),
    )
    last = sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False)
    _table("naming_consents", last, _column("given", sa.Boolean()))


def _close_books(*projections: str) -> None:
    """Forgets how far these have come: else they would count as caught up with tables that come back empty."""
    name, projection = sa.column("name", sa.Text()), sa.column("projection", sa.Text())
    for one in projections:
        op.execute(sa.delete(sa.table("generations")).where(name == one))
        op.execute(sa.delete(sa.table("tracking")).where(name.startswith(f"projection:{one}:", autoescape=True)))
        op.execute(sa.delete(sa.table("parked")).where(projection == one))


def downgrade() -> None:
    """Takes them away; the ledger still holds what they say."""
    _close_books("lessons", "receipts")
    for name in ("naming_consents", "lesson_receipts", "lessons"):
        op.drop_table(name)
