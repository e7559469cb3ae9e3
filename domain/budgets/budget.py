"""One budget: what a cost centre may spend on goodwill in a period, what is set aside, and what is spent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, NewType
from uuid import UUID, uuid5

from domain.budgets.periods import period
from domain.kinds import Event, Fact
from domain.values import Frozen, Money

REFERENCE: Final = "/budget"
"""The kind of reference under which a budget's stream is found. No caller can write it: codes have no slash."""
WARN_AT_PCT: Final = 80
GrantId = NewType("GrantId", UUID)
"""A compensation or an invitation of one customer, as budgets name it: see `grant_of`."""


def grant_of(customer_id: UUID, given_id: UUID) -> GrantId:
    """The name of what this customer was given, in budgets.

    Callers choose the ids of what they give: two customers may get the same one, and only one would be paid for.
    """
    return GrantId(uuid5(customer_id, given_id.hex))


@dataclass(frozen=True)
class Reservation(Frozen):
    """Money set aside for one grant, in minor units of the budget's currency."""

    amount: int
    expires_at: datetime | None = None
    """When it is free again if nobody has taken it up; None: only when somebody says so."""


@dataclass(frozen=True)
class Budget(Frozen):
    """What one cost centre may spend in one currency and period, in minor units."""

    stream_id: UUID
    version: int = 0
    position: int = 0
    strange: bool = False
    cost_centre: str = ""
    currency: str = ""
    period: str = ""
    timezone: str = "UTC"
    limit: int = 0
    warn_at_pct: int = WARN_AT_PCT
    reservations: Mapping[GrantId, Reservation] = field(default_factory=dict)
    """What is set aside now, by grant."""
    committed: int = 0
    """What is in customers' hands."""
    closed: bool = False
    NAME: ClassVar[str] = "budget"

    @classmethod
    def begun(cls, stream_id: UUID) -> "Budget":
        """Before it is opened."""
        return cls(stream_id)

    def after(self, fact: Fact) -> "Budget":
        """The same after one more fact."""
        event = fact.event
        if isinstance(event, BudgetEvent):
            return event.evolve(self, fact).but(version=fact.version, position=fact.position)
        return self.but(version=fact.version, position=fact.position, strange=self.strange or bool(event.OF))

    @property
    def reserved(self) -> int:
        """What is set aside now."""
        return sum(one.amount for one in self.reservations.values())

    @property
    def unpromised(self) -> int:
        """What nobody was promised and nobody got."""
        return self.limit - self.reserved - self.committed

    @property
    def left(self) -> int:
        """What may still be promised; nothing once it is closed."""
        return 0 if self.closed else self.unpromised

    @property
    def next_due_at(self) -> datetime | None:
        """When the first of what is set aside becomes free by itself."""
        return min((one.expires_at for one in self.reservations.values() if one.expires_at), default=None)

    def money(self, minor: int) -> Money:
        """So many minor units in its currency."""
        return Money(minor=minor, currency=self.currency)

    def takes(self, moment: datetime) -> bool:
        """Whether something may be drawn on it at this moment: it is open, and the moment lies in its period."""
        return bool(self.version) and not self.closed and period(self.period).covers(moment, self.timezone)


class BudgetEvent(Event):
    """An event of a budget."""

    OF = Budget.NAME
    FOR_CUSTOMER: ClassVar[bool] = False

    def evolve(self, state: Budget, fact: Fact) -> Budget:
        """The state after this event. Copies facts, never refuses."""
        raise NotImplementedError


def reference(cost_centre: str, currency: str, name: str) -> tuple[str, str]:
    """Under which the stream of a budget is found; `name` is that of its period."""
    return REFERENCE, f"{cost_centre}:{currency}:{name}"
