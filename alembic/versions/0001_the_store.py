"""The store: ledgers, events that are only appended, commands, keys and the books of readers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
FIXED = ("ledger", "position", "stream_id", "version", "event_id", "topic") + (
    "occurred_at",
    "recorded_at",
    "header",
    "public",
    "salt",
)
"""Columns of an event that never change."""

POSTGRES_TRIGGERS = (
    """
    CREATE FUNCTION amends_events_are_only_appended() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            -- Personal parts may become nothing. The rest is compared as one row, later columns included.
            IF NEW.personal IS NULL THEN OLD.personal := NULL; END IF;
            IF NEW.personal_2 IS NULL THEN OLD.personal_2 := NULL; END IF;
            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'events are only appended' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER events_only_appended BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION amends_events_are_only_appended()
    """,
    """
    CREATE TRIGGER events_never_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION amends_events_are_only_appended()
    """,
)
_CHANGED = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in FIXED)
_REWRITTEN = " OR ".join(f"(NEW.{c} IS NOT NULL AND NEW.{c} IS NOT OLD.{c})" for c in ("personal", "personal_2"))
SQLITE_TRIGGERS = (
    f"""
    CREATE TRIGGER events_only_appended BEFORE UPDATE ON events WHEN {_CHANGED} OR {_REWRITTEN}
    BEGIN SELECT RAISE(ABORT, 'events are only appended'); END
    """,
    """
    CREATE TRIGGER events_never_deleted BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are only appended'); END
    """,
)


def _ledger() -> sa.Column[str]:
    return sa.Column("ledger", sa.Text(), nullable=False)


def _record() -> None:
    op.create_table(
        "heads",
        _ledger(),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("ledger", name="pk_heads"),
        sa.CheckConstraint("position >= 0", name=op.f("ck_heads_position")),
    )
    op.create_table(
        "events",
        _ledger(),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("personal", sa.LargeBinary()),
        sa.Column("personal_2", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("ledger", "position", name="pk_events"),
        sa.UniqueConstraint("ledger", "stream_id", "version", name="uq_events_ledger_stream_id_version"),
        sa.UniqueConstraint("ledger", "event_id", name="uq_events_ledger_event_id"),
        sa.CheckConstraint("position >= 1", name=op.f("ck_events_position")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_events_version")),
        sa.CheckConstraint("length(header) <= 4096", name=op.f("ck_events_header")),
        sa.CheckConstraint("length(salt) = 16", name=op.f("ck_events_salt")),
    )
    op.create_table(
        "commands",
        _ledger(),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary()),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "source", "key", name="pk_commands"),
    )
    op.create_index("ix_commands_ledger_customer_id", "commands", ["ledger", "customer_id"])
    op.create_table(
        "snapshots",
        _ledger(),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "stream_id", "version", name="pk_snapshots"),
    )


def _keys() -> None:
    op.create_table(
        "subject_keys",
        _ledger(),
        sa.Column("kid", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("kek_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary()),
        sa.Column("kc", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("destroyed_at", INSTANT),
        sa.PrimaryKeyConstraint("ledger", "kid", name="pk_subject_keys"),
    )
    living = sa.text("wrapped IS NOT NULL")
    op.create_index(
        "uq_subject_keys_living",
        "subject_keys",
        ["ledger", "subject"],
        unique=True,
        postgresql_where=living,
        sqlite_where=living,
    )
    op.create_index("ix_subject_keys_ledger_subject", "subject_keys", ["ledger", "subject"])
    op.create_table(
        "subject_lookup",
        _ledger(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("index", sa.LargeBinary(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "kind", "index", name="pk_subject_lookup"),
    )
    op.create_index("ix_subject_lookup_ledger_stream_id", "subject_lookup", ["ledger", "stream_id"])
    op.create_table(
        "key_check",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_key_check"),
        sa.CheckConstraint("id = 1", name=op.f("ck_key_check_single")),
    )
    op.create_table(
        "api_keys",
        _ledger(),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("ledger", "key_id", name="pk_api_keys"),
    )


def _readers() -> None:
    op.create_table(
        "tracking",
        _ledger(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "name", name="pk_tracking"),
    )
    op.create_table(
        "leases",
        _ledger(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("ledger", "name", name="pk_leases"),
    )
    op.create_table(
        "generations",
        _ledger(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("building", sa.Integer()),
        sa.Column("building_version", sa.Integer()),
        sa.PrimaryKeyConstraint("ledger", "name", name="pk_generations"),
    )


def upgrade() -> None:
    """Makes every table of the store, and the triggers that keep events as they were written."""
    _record()
    _keys()
    _readers()
    sqlite = op.get_context().dialect.name == "sqlite"
    for trigger in SQLITE_TRIGGERS if sqlite else POSTGRES_TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    """There is no way back: it would delete the ledger."""
    raise NotImplementedError("a ledger is never taken away")
