"""Who is trained and who asks for help: posts, trainings, requests and their answers, gaps in training."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A moment is microseconds since 1970 where the database has no moments of its own.
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
AWAITED = "due_at IS NOT NULL"


def _text(name: str, *, needed: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=not needed)


def _id(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=not needed)


def _moment(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, INSTANT, nullable=not needed)


def _table(name: str, *columns: sa.Column[object], key: str = "position") -> None:
    position = sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False)
    op.create_table(
        name,
        _text("ledger"),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        _id("stream_id"),
        *([position] if key == "position" else []),
        *columns,
        sa.PrimaryKeyConstraint("ledger", "generation", "stream_id", key, name=f"pk_{name}"),
    )


def _gaps() -> None:
    about = (_id("recovery_id", needed=False), _id("met_by", needed=False), _text("topic", needed=False))
    _table("training_gaps", *about, _moment("occurred_at"))
    _table("recovery_teams", _id("recovery_id"), _text("team"))


def _staff() -> None:
    here = sa.Column("here", sa.Boolean(), nullable=False)
    post = (_text("role", needed=False), _text("role_class", needed=False), _text("team", needed=False))
    _table("colleague_posts", here, *post, _moment("occurred_at"))
    _table("trainings", _text("topic"), _text("format"), _moment("occurred_at"))


def _help() -> None:
    about = (_text("kind"), _text("topic"), _text("topic_class", needed=False), _text("asked_by"))
    _table("help_requests", _id("help_id"), *about, _moment("occurred_at"))
    _table("help_moves", _id("help_id"), _text("move"), _moment("occurred_at"))
    _table("help_clocks", _id("help_id"), _moment("due_at", needed=False), key="help_id")
    op.create_index(
        "ix_help_clocks_due_at",
        "help_clocks",
        ["ledger", "generation", "due_at"],
        unique=False,
        postgresql_where=sa.text(AWAITED),
        sqlite_where=sa.text(AWAITED),
    )


def upgrade() -> None:
    """Nothing but new tables; the program fills them from the ledger."""
    _gaps()
    _staff()
    _help()


def _close_books(*projections: str) -> None:
    """Forgets how far these have come: else they would count as caught up with tables that come back empty."""
    name, projection = sa.column("name", sa.Text()), sa.column("projection", sa.Text())
    for one in projections:
        op.execute(sa.delete(sa.table("generations")).where(name == one))
        op.execute(sa.delete(sa.table("tracking")).where(name.startswith(f"projection:{one}:", autoescape=True)))
        op.execute(sa.delete(sa.table("parked")).where(projection == one))


def downgrade() -> None:
    """Takes them away; the ledger still holds what they say."""
    _close_books("training")
    op.drop_index("ix_help_clocks_due_at", table_name="help_clocks")
    for name in ("help_clocks", "help_moves", "help_requests", "trainings", "colleague_posts"):
        op.drop_table(name)
    for name in ("recovery_teams", "training_gaps"):
        op.drop_table(name)
