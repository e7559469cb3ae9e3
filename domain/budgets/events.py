"""What happens to a budget: it is opened, raised and closed, and money is set aside, spent, or free again."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from domain.budgets.budget import WARN_AT_PCT, Budget, BudgetEvent, GrantId, Reservation, reference
from domain.budgets.periods import PeriodName
from domain.kinds import Fact
from domain.milestones import Timezone
from domain.values import Code, Moment, Money

Percent = Annotated[int, Field(ge=1, le=100, strict=True)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Freed = Literal["expired", "turned_down", "reversed", "withdrawn"]


class BudgetOpened(BudgetEvent, topic="budget.opened"):
    """A cost centre may spend so much on goodwill in a period."""

    cost_centre: Code
    currency: Currency
    period: PeriodName
    timezone: Timezone = "UTC"
    """Where the days of the period are counted."""
    limit: Money
    warn_at_pct: Percent = WARN_AT_PCT

    def links(self) -> tuple[tuple[str, str], ...]:
        return (reference(self.cost_centre, self.currency, self.period),)

    def evolve(self, state: Budget, fact: Fact) -> Budget:
        return state.but(
            cost_centre=self.cost_centre,
            currency=self.currency,
            period=self.period,
            timezone=self.timezone,
            limit=self.limit.minor,
            warn_at_pct=self.warn_at_pct,
        )


class BudgetRaised(BudgetEvent, topic="budget.raised"):
    """More may be spent than before; `limit` is what may be spent in all."""

    limit: Money

    def evolve(self, state: Budget, fact: Fact) -> Budget:
        return state.but(limit=self.limit.minor)


class BudgetClosed(BudgetEvent, topic="budget.closed"):
    """Nothing more is promised from it. What was set aside stays so until it is taken up or free."""

    def evolve(self, state: Budget, fact: Fact) -> Budget:
        return state.but(closed=True)


class CompensationReserved(BudgetEvent, topic="compensation.reserved"):
    """Money is set aside for what a customer was promised, in place of what was set aside for it before."""

    grant_id: GrantId
    """The compensation or the invitation, as `grant_of` names it."""
    amount: Money
    expires_at: Moment | None = None

    def evolve(self, state: Budget, fact: Fact) -> Budget:
        reservation = Reservation(self.amount.minor, self.expires_at)
        return state.but(reservations={**state.reservations, self.grant_id: reservation})


class CompensationCommitted(BudgetEvent, topic="compensation.committed"):
    """What was promised is in the customer's hand: the price is spent, what was set aside beyond it is free."""

    grant_id: GrantId
    amount: Money

    def evolve(self, state: Budget, fact: Fact) -> Budget:
        return without(state, self.grant_id).but(committed=state.committed + self.amount.minor)


class ReservationReleased(BudgetEvent, topic="reservation.released"):
    """Money is free again: nobody took it up, or it came back."""

    grant_id: GrantId
    amount: Money
    reason: Freed

    def evolve(self, state: Budget, fact: Fact) -> Budget:
        if self.grant_id in state.reservations:
            return without(state, self.grant_id)
        # It had been spent, and was taken back.
        return state.but(committed=state.committed - self.amount.minor)


def without(state: Budget, grant_id: GrantId) -> Budget:
    """The budget with nothing set aside for this grant."""
    return state.but(reservations={one: kept for one, kept in state.reservations.items() if one != grant_id})


KINDS: Final[tuple[type[BudgetEvent], ...]] = (
    BudgetOpened,
    BudgetRaised,
    BudgetClosed,
    CompensationReserved,
    CompensationCommitted,
    ReservationReleased,
)
"""Everything that can happen to a budget."""
