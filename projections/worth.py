"""Worth: what each customer spends in a year, when he left or came back, and where something failed.

For the house's own arithmetic. The queue never looks at it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Column, SmallInteger, Text, Uuid

from domain.kinds import Fact
from domain.revenue import annual
from projections.base import Instant, Key, Projection, Row, position_column, projection_table

value_declarations = projection_table(
    "value_declarations",
    position_column(),
    Column("currency", Text, nullable=False),
    Column("annual", BigInteger),
    Column("basis", Text, nullable=False),
    Column("margin_pct", SmallInteger),
    Column("acquisition_cost", BigInteger),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per declaration of what a customer spends; of a customer the last one counts, whole.

`annual` and `acquisition_cost` are minor units of `currency`; `annual` is empty where nobody can work it out.
"""

customer_moves = projection_table(
    "customer_moves",
    position_column(),
    Column("move", Text, nullable=False),
    Column("basis", Text),
    Column("cause_recovery_id", Uuid),
    Column("occurred_at", Instant, nullable=False),
    key=("position",),
)
"""One row per time that a customer was `lost`, `returned`, or asked to be forgotten (`erased`)."""

recovery_sites = projection_table(
    "recovery_sites",
    Column("recovery_id", Uuid, nullable=False),
    Column("site", Text, nullable=False),
    key=("recovery_id",),
)
"""Where a failure happened, where that was said."""


class Worth(Projection):
    """What customers are worth, and whether they are still there."""

    name = "worth"
    version = 1
    topics = frozenset(
        ("failure.reported", "value.declared", "customer.lost", "customer.returned", "personal_data.erased")
    )
    tables = (value_declarations, customer_moves, recovery_sites)
    loaded = ()

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One row for a fact about what he spends or about leaving, or that says where something failed."""
        if fact.event.TOPIC == "failure.reported":
            return _site(fact.event)
        made = _ROWS.get(fact.event.TOPIC)
        if made is None:
            return {}
        table, row = made(fact.event)
        return {(table, fact.position): {**row, "position": fact.position, "occurred_at": fact.occurred_at}}


def _site(event: Any) -> dict[Key, Row | None]:
    if event.site is None:
        return {}
    return {("recovery_sites", event.recovery_id): {"recovery_id": event.recovery_id, "site": event.site}}


def _declared(event: Any) -> tuple[str, Row]:
    currency, won_for = event.amount.currency, event.acquisition_cost
    row = {
        "currency": currency,
        "annual": annual(event.amount.minor, event.per, event.visits_per_year),
        "basis": event.basis,
        "margin_pct": event.margin_pct,
        # In another currency it cannot be set against what he spends.
        "acquisition_cost": won_for.minor if won_for is not None and won_for.currency == currency else None,
    }
    return "value_declarations", row


def _moved(move: str) -> Callable[[Any], tuple[str, Row]]:
    def row(event: Any) -> tuple[str, Row]:
        lost = move == "lost"
        basis, cause = (event.basis, event.cause_recovery_id) if lost else (None, None)
        return "customer_moves", {"move": move, "basis": basis, "cause_recovery_id": cause}

    return row


_ROWS: Final[Mapping[str, Callable[[Any], tuple[str, Row]]]] = {
    "value.declared": _declared,
    "customer.lost": _moved("lost"),
    "customer.returned": _moved("returned"),
    "personal_data.erased": _moved("erased"),
}
"""What is kept of each kind of event, and in which table."""
