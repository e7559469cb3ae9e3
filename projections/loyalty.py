"""Loyalty: which acts of whom made customers more content, told by role and never by person.

Loyalty comes from where nobody expects it: a mechanic, an accountant, a cleaner (practices S5.1, S5.2).
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, Boolean, Column, Text, Uuid

from domain.kinds import Actor, Fact
from projections.base import Instant, Key, Projection, Row, position_column, projection_table

ACTS: Final = frozenset(
    ("gesture.made", "apology.made", "remedy.started", "remedy.delivered", "compensation.delivered")
    + ("encounter.completed",)
)
"""What somebody does for a customer. To think less of a failure afterwards lifts a score too, but is no deed."""
_MAKERS: Final = UUID("a4d1c7f0-3c0d-5f5e-8a55-6b7f1a6f2c90")

loyalty_acts = projection_table(
    "loyalty_acts",
    position_column(),
    Column("act", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("role_class", Text, nullable=False),
    Column("maker", Uuid, nullable=False),
    Column("gesture", Text),
    Column("unasked", Boolean),
    Column("avoided_contacts", BigInteger),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per act of a colleague. `maker` is a pseudonym: it tells colleagues apart, to count them, and names
none. `gesture` and the two after it are told of gestures only."""


class Loyalty(Projection):
    """The acts that may lift a score."""

    name = "loyalty"
    version = 1
    topics = ACTS
    tables = (loyalty_acts,)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for an act of a colleague; programs and customers make no loyalty."""
        event: Any = fact.event
        if event.TOPIC not in ACTS or not _colleague(fact.actor):
            return {}
        gesture = event.TOPIC == "gesture.made"
        row = {
            "position": fact.position,
            "act": event.TOPIC,
            "role": fact.actor.role,
            "role_class": fact.actor.role_class,
            "maker": uuid5(_MAKERS, fact.actor.ref),
            "gesture": event.kind if gesture else None,
            "unasked": event.unasked if gesture else None,
            "avoided_contacts": event.avoided_contacts if gesture else None,
            "occurred_at": fact.occurred_at,
        }
        return {("loyalty_acts", fact.position): row}


def _colleague(actor: Actor) -> bool:
    # A key whose poster said which role acted stands for a colleague, who is one however many use it.
    return actor.kind != "customer" and actor.role_class != "system"
