"""What stands in the way: obstacles, causes, procedure, clocks, and who told whom first."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TABLES = ("obstacles", "obstacle_removals", "treatments", "root_causes", "process_steps")
CLOCKS = ("clocks_running", "clocks_stopped", "tellings")


def _text(name: str, *, needed: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=not needed)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _big(name: str, *, needed: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=not needed)


def _id(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=not needed)


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


def _obstacles() -> None:
    _table(
        "obstacles",
        _id("obstacle_id"),
        _id("recovery_id", needed=False),
        _text("kind"),
        *(_text(name, needed=False) for name in ("mode", "whose", "rule_id", "hardness", "tool_id", "topic")),
        _big("minutes_lost", needed=False),
        _instant("occurred_at"),
        sa.Column("week", sa.Integer(), nullable=False),
    )
    _table("obstacle_removals", _id("obstacle_id"), _text("how"), _instant("occurred_at"))
    _table(
        "treatments",
        _id("recovery_id", needed=False),
        _text("treatment"),
        sa.Column("degree", sa.SmallInteger(), nullable=False),
        _text("witnessed"),
        _flag("after_resolution"),
        _instant("occurred_at"),
    )


def _causes_and_procedure() -> None:
    _table(
        "root_causes",
        _id("recovery_id"),
        _text("cause_class"),
        _text("contributing"),
        _text("rule_id", needed=False),
        _text("tool_id", needed=False),
        _instant("occurred_at"),
    )
    _table(
        "process_steps",
        _id("recovery_id"),
        _text("kind"),
        _big("amount"),
        _flag("known_before"),
        _instant("occurred_at"),
    )


def _run() -> tuple[sa.Column[object], ...]:
    return (
        _id("recovery_id"),
        _text("step"),
        _instant("started_at"),
        _instant("due_at", needed=False),
        _flag("from_source"),
        _instant("missed_at", needed=False),
    )


def _clocks() -> None:
    _table("clocks_running", *_run(), key=("recovery_id", "step"))
    _table(
        "clocks_stopped",
        *_run(),
        _instant("stopped_at"),
        _flag("done"),
        _flag("told_first"),
        _big("minutes"),
        _big("percent", needed=False),
        key=("position", "recovery_id", "step"),
    )
    _table(
        "tellings",
        _id("recovery_id"),
        _text("detection"),
        _instant("found_at"),
        _instant("told_at", needed=False),
        _instant("asked_at", needed=False),
        key=("recovery_id",),
    )


def upgrade() -> None:
    """Nothing but new tables; the program fills them from the ledger."""
    _obstacles()
    _causes_and_procedure()
    _clocks()


def _close_books(*projections: str) -> None:
    """Forgets how far these have come: else they would count as caught up with tables that come back empty."""
    name, projection = sa.column("name", sa.Text()), sa.column("projection", sa.Text())
    for one in projections:
        op.execute(sa.delete(sa.table("generations")).where(name == one))
        op.execute(sa.delete(sa.table("tracking")).where(name.startswith(f"projection:{one}:", autoescape=True)))
        op.execute(sa.delete(sa.table("parked")).where(projection == one))


def downgrade() -> None:
    """Takes them away; the ledger still holds what they say."""
    _close_books("root_causes", "obstacles", "process_load", "clocks")
    for name in (*CLOCKS, *TABLES):
        op.drop_table(name)
