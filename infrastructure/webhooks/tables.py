"""The tables of webhooks: where a ledger is told on, how far each has come, and what nobody took.

Ids, types and positions only; what happened stands in the ledger.
"""

from typing import Final

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Integer, LargeBinary, Table, Text, Uuid

from infrastructure.tables import Instant, metadata

STATES: Final = ("active", "paused", "gone")

webhooks = Table(
    "webhooks",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("webhook_id", Uuid, primary_key=True),
    Column("url", Text, nullable=False),
    Column("types", JSON, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("former", LargeBinary),
    Column("former_until", Instant),
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_at", Instant),
    Column("failing_since", Instant),
    Column("reason", Text),
    Column("status", Integer),
    Column("delivered_at", Instant),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("position >= 0", name="position"),
    CheckConstraint("state IN ('active', 'paused', 'gone')", name="state"),
)
"""One row per webhook. Everything up to `position` is done; `failures` counts the tries of what comes next.

Secrets are sealed with the key file. `revision` rises with every change by an administrator, so that a delivery
under way notices.
"""

dead_letters = Table(
    "webhook_dead_letters",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("webhook_id", Uuid, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("status", Integer),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", Instant),
    Column("again_at", Instant),
)
"""Deliveries that were given up, by the position of their event. With `again_at` one is to be tried once more."""
