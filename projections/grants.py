"""Grants: what was given beyond what was owed, of which kind and on which ground, and what came to nothing."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, Text, Uuid

from domain.budgets.budget import grant_of
from domain.kinds import Fact
from domain.values import Money
from projections.base import Instant, Key, Projection, Row, position_column, projection_table, said

INVITATION: Final = "invitation"
"""The kind of a grant that is an invitation to come back."""

grants = projection_table(
    "grants",
    position_column(),
    Column("grant_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("cost", BigInteger),
    Column("currency", Text),
    Column("by_value", Boolean, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per compensation or invitation, and one per request for a compensation (not `granted` yet).

`cost` is what it costs us; where only its value to the customer is known, that (`by_value`).
"""

grants_ended = projection_table(
    "grants_ended",
    position_column(),
    Column("grant_id", Uuid, nullable=False),
    Column("how", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per time that one was `delivered`, or came to nothing: `expired`, `reversed` or `turned_down`."""

_ENDS: Final[Mapping[str, str]] = {
    "compensation.delivered": "delivered",
    "compensation.expired": "expired",
    "compensation.reversed": "reversed",
    "customer.returned": "delivered",
    "offer.turned_down": "turned_down",
    "return_invitation.expired": "expired",
}


class Grants(Projection):
    """What was given beyond what was owed."""

    name = "grants"
    version = 2
    topics = frozenset((*_ENDS, "compensation.granted", "compensation.requested", "return_invitation.issued"))
    tables = (grants, grants_ended)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for what was granted, or for what became of it."""
        topic, event = fact.event.TOPIC, fact.event
        if topic in ("compensation.granted", "compensation.requested"):
            return _granted(fact, event)
        if topic == "return_invitation.issued":
            return _invited(fact, event)
        how = _ENDS.get(topic)
        return {} if how is None else _ended(fact, how)


def _granted(fact: Fact, event: Any) -> dict[Key, Row | None]:
    # Kinds are open: what a caller calls an invitation is none of ours.
    kind = "other" if event.kind == INVITATION else event.kind
    row = {"grant_id": grant_of(fact.stream_id, event.compensation_id), "kind": kind, "basis": event.basis}
    return _row(fact, "grants", {**row, **_cost(event), "granted": event.TOPIC == "compensation.granted"})


def _invited(fact: Fact, event: Any) -> dict[Key, Row | None]:
    row = {"grant_id": grant_of(fact.stream_id, event.invitation_id), "kind": INVITATION, "basis": "goodwill"}
    # Where a compensation stands behind it, that is what costs.
    free = event.compensation_id is not None
    return _row(fact, "grants", {**row, **(_FREE if free else _cost(event)), "granted": True})


def _cost(event: Any) -> Row:
    cost: Money | None = event.cost or event.value
    if cost is None:
        return _FREE
    return {"cost": cost.minor, "currency": cost.currency, "by_value": event.cost is None}


def _ended(fact: Fact, how: str) -> dict[Key, Row | None]:
    given: UUID | None = said(fact.event, "compensation_id") or said(fact.event, "invitation_id")
    if given is None:  # a remedy was turned down, or a customer came back unasked
        return {}
    return _row(fact, "grants_ended", {"grant_id": grant_of(fact.stream_id, given), "how": how})


def _row(fact: Fact, table: str, told: Row) -> dict[Key, Row | None]:
    return {(table, fact.position): {**told, "position": fact.position, "occurred_at": fact.occurred_at}}


_FREE: Final[Row] = {"cost": None, "currency": None, "by_value": False}
