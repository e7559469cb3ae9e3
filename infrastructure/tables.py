"""The tables of the store. `ledger` is the first column of every key, so ledgers never touch each other.

The schema itself is made by the migrations in alembic/ alone; `alembic check` proves that both say the same.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.types import TypeEngine

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A moment, always aware and in UTC: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """An integer where the database has no moments of its own."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """What is stored. Raises ValueError for a datetime without a time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return (value - EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The moment in UTC, whatever zone the session has."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return EPOCH + timedelta(microseconds=value)
        moment: datetime = value
        return moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)


def _ledger() -> Column[str]:
    return Column("ledger", Text, primary_key=True)


heads = Table(
    "heads",
    metadata,
    _ledger(),
    Column("position", BigInteger, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    CheckConstraint("position >= 0", name="position"),
)
"""One row per ledger: its last position and when that was recorded. Appending locks this row first."""

events = Table(
    "events",
    metadata,
    _ledger(),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("topic", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("personal", LargeBinary),
    Column("personal_2", LargeBinary),
    UniqueConstraint("ledger", "stream_id", "version"),
    UniqueConstraint("ledger", "event_id"),
    CheckConstraint("position >= 1", name="position"),
    # Ours begin at 1 (the mapper sees to it); streams of other eventsourcing programs may begin at 0.
    CheckConstraint("version >= 0", name="version"),
    CheckConstraint("length(header) <= 4096", name="header"),
    CheckConstraint("length(salt) = 16", name="salt"),
    # The few that hold something sealed about a colleague: they are looked for, and erased after a time.
    Index(
        "ix_events_sealed",
        "ledger",
        "position",
        postgresql_where=text("personal_2 IS NOT NULL"),
        sqlite_where=text("personal_2 IS NOT NULL"),
    ),
)
"""The record. Triggers refuse every UPDATE but personal and personal_2 to NULL, and every DELETE."""

commands = Table(
    "commands",
    metadata,
    _ledger(),
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary),
    Column("customer_id", Uuid, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Index("ix_commands_ledger_customer_id", "ledger", "customer_id"),
)
"""Commands taken, by the HMAC of the caller's key: position of the first event, and how many there are.

An erasure nulls fingerprints.
"""

snapshots = Table(
    "snapshots",
    metadata,
    _ledger(),
    Column("stream_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("format", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
"""Folded states, so that long streams load quickly. Losing them loses nothing."""

tracking = Table(
    "tracking",
    metadata,
    _ledger(),
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How far each reader of a ledger has come."""

leases = Table(
    "leases",
    metadata,
    _ledger(),
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
"""Who does a job of which there may be one at a time, and until when."""

subject_keys = Table(
    "subject_keys",
    metadata,
    _ledger(),
    Column("kid", Uuid, primary_key=True),
    Column("subject", Uuid, nullable=False),
    Column("kek_id", Text, nullable=False),
    Column("wrapped", LargeBinary),
    Column("kc", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("destroyed_at", Instant),
    # One living key per subject; a destroyed one stays as the proof that it is gone.
    Index(
        "uq_subject_keys_living",
        "ledger",
        "subject",
        unique=True,
        postgresql_where=text("wrapped IS NOT NULL"),
        sqlite_where=text("wrapped IS NOT NULL"),
    ),
    Index("ix_subject_keys_ledger_subject", "ledger", "subject"),
)
"""The key of each customer or colleague, by his stream; of each event that names a colleague, by its own `kid`.

Wrapped; erasure sets `wrapped` to NULL. Before version 0009 of the schema, whatever named a colleague was sealed
with the key of his stream.
"""

subject_lookup = Table(
    "subject_lookup",
    metadata,
    _ledger(),
    Column("kind", Text, primary_key=True),
    Column("index", LargeBinary, primary_key=True),
    Column("stream_id", Uuid, nullable=False),
    Index("ix_subject_lookup_ledger_stream_id", "ledger", "stream_id"),
)
"""How a customer is found: the HMAC of each reference, never the reference."""

key_check = Table(
    "key_check",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
"""Proof that the key file belongs to this database. One row; it spans ledgers because the file does."""

api_keys = Table(
    "api_keys",
    metadata,
    _ledger(),
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("sources", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)
"""Who may call: the digest of each key, its ledger, scopes and sources."""

generations = Table(
    "generations",
    metadata,
    _ledger(),
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("live", Integer, nullable=False),
    Column("building", Integer),
    Column("building_version", Integer),
)
"""Which generation of a projection's rows is read (0: none yet), and which is being built beside it."""

parked = Table(
    "parked",
    metadata,
    _ledger(),
    Column("projection", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("stream_id", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
)
"""Streams that a projection cannot fold: from which event on, and why. Their later events wait behind it."""

tallies = Table(
    "tallies",
    metadata,
    _ledger(),
    Column("duty", Text, primary_key=True),
    Column("about", Text, primary_key=True),
    Column("tally", Text, nullable=False),
)
"""How far each count of a duty has come, as JSON: what it counts is named by codes."""
