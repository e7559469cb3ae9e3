"""The read models: satisfaction, recoveries, timeline and stories, and the streams that got stuck."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
CLOCKS = ("acknowledge", "first_action", "remedy", "compensation", "follow_up", "update", "response")


def _text(name: str, *, needed: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=not needed)


def _flag(name: str, *, needed: bool = True) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=not needed)


def _number(name: str, *, needed: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=not needed)


def _small(name: str, *, needed: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), nullable=not needed)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _position() -> sa.Column[int]:
    return sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False)


def _id(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=not needed)


def _instant(name: str, *, needed: bool = False) -> sa.Column[object]:
    return sa.Column(name, INSTANT, nullable=not needed)


def _table(name: str, *columns: sa.Column[object], key: tuple[str, ...] = ()) -> None:
    op.create_table(
        name,
        _text("ledger"),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        _id("stream_id"),
        *columns,
        sa.PrimaryKeyConstraint("ledger", "generation", "stream_id", *key, name=f"pk_{name}"),
    )


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, ["ledger", "generation", *columns])


def _satisfaction() -> None:
    _table(
        "satisfaction_state",
        _position(),
        _big("version"),
        _number("score"),
        _text("band"),
        _text("basis"),
        _number("stated", needed=False),
        _text("instrument", needed=False),
        _instant("stated_at"),
        _number("failures_since_stated"),
        _number("baseline"),
        _number("failed_again"),
        _flag("paradox"),
        _flag("plausible"),
        sa.Column("fold", sa.LargeBinary(), nullable=False),
    )
    _index("ix_satisfaction_state_score", "satisfaction_state", "score")
    _table(
        "satisfaction_terms",
        _position(),
        _small("ordinal"),
        _text("label"),
        _big("change"),
        _big("total"),
        _id("event_id"),
        _id("recovery_id", needed=False),
        _number("error", needed=False),
        _flag("withheld"),
        key=("position", "ordinal"),
    )


def _recoveries() -> None:
    _table(
        "recovery_streams",
        _instant("next_due_at"),
        _text("status"),
        _number("open_recoveries"),
        sa.Column("cases", sa.LargeBinary(), nullable=False),
    )
    _index("ix_recovery_streams_status", "recovery_streams", "status")
    _index("ix_recovery_streams_next_due_at", "recovery_streams", "next_due_at")
    _table(
        "recoveries",
        _id("recovery_id"),
        _position(),
        _instant("opened_at", needed=True),
        _text("phase"),
        _flag("open"),
        _text("what"),
        _text("failure_kind"),
        _text("resource"),
        _small("severity"),
        _small("severity_customer", needed=False),
        _small("urgency"),
        _text("fault"),
        _text("detection"),
        _text("similarity_key"),
        _id("owner", needed=False),
        _text("team", needed=False),
        _text("checklist"),
        _small("steps_due"),
        _small("steps_covered"),
        _text("deadlines"),
        _text("promised"),
        _text("missed"),
        *(_instant(f"due_{step}") for step in CLOCKS),
        _instant("next_due_at"),
        _small("overdue"),
        _number("risk"),
        _instant("silent_since"),
        _small("silences"),
        _flag("escalated"),
        _number("failed_again"),
        _number("reopenings"),
        _flag("leaving"),
        _flag("lost"),
        _flag("public"),
        _flag("treated_after"),
        _text("how_code", needed=False),
        _flag("first_contact", needed=False),
        _text("first_instrument", needed=False),
        _small("first_value", needed=False),
        _text("follow_up", needed=False),
        _instant("resolved_at"),
        _instant("closed_at"),
        _text("outcome", needed=False),
        key=("recovery_id",),
    )
    _index("ix_recoveries_open", "recoveries", "open", "team")
    _index("ix_recoveries_similarity_key", "recoveries", "similarity_key")


def _stories() -> None:
    _table(
        "timeline",
        _position(),
        _text("kind"),
        _text("role_class"),
        _instant("occurred_at", needed=True),
        _flag("time_known"),
        _id("recovery_id", needed=False),
        key=("position",),
    )
    _table(
        "feed_items",
        _id("item_id"),
        _position(),
        _flag("told"),
        _text("kind"),
        _text("codes"),
        _text("steps"),
        _text("outcome", needed=False),
        sa.Column("story", sa.LargeBinary()),
        key=("item_id",),
    )
    _index("ix_feed_items_told", "feed_items", "told", "position")


def _stuck() -> None:
    op.create_table(
        "parked",
        _text("ledger"),
        _text("projection"),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        _id("stream_id"),
        _big("position"),
        _text("error"),
        sa.PrimaryKeyConstraint("ledger", "projection", "generation", "stream_id", name="pk_parked"),
    )


def upgrade() -> None:
    """Makes the tables of every read model. Their rows can always be folded anew."""
    _satisfaction()
    _recoveries()
    _stories()
    _stuck()


def downgrade() -> None:
    """Takes the read models away; the ledger keeps everything they were made of."""
    for table in ("parked", "feed_items", "timeline", "recoveries", "recovery_streams"):
        op.drop_table(table)
    op.drop_table("satisfaction_terms")
    op.drop_table("satisfaction_state")
