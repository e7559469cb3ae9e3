"""Cost: what failures cost the customer himself: money, and his time, trips and calls. Source: practices S2.6."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.advice.situation import Situation
from domain.kinds import Fact
from domain.moves.failure import CustomerLoss, FailureReported
from domain.values import MAX_INT, Money

UNCOUNTED: Final = ("duplicate", "entered_in_error")
"""How recoveries end that tell of nothing that happened, or tell it twice."""


class OwnCost(BaseModel):
    """What failures cost the customer himself, all together, as far as somebody told it."""

    model_config = ConfigDict(frozen=True)

    money: tuple[Money, ...]
    """In each currency by itself, and never more than the largest amount there is."""
    minutes: int
    visits: int
    contacts: int


def own_cost(facts: Iterable[Fact], found: Situation) -> OwnCost:
    """The sum of what was told with each of his failures."""
    losses = [loss for fact in facts if (loss := _told(fact, found)) is not None]
    money: Counter[str] = Counter()
    for loss in losses:
        if loss.money is not None:
            money[loss.money.currency] += loss.money.minor
    return OwnCost(
        money=tuple(Money(minor=min(money[currency], MAX_INT), currency=currency) for currency in sorted(money)),
        minutes=sum(loss.minutes or 0 for loss in losses),
        visits=sum(loss.visits or 0 for loss in losses),
        contacts=sum(loss.contacts or 0 for loss in losses),
    )


def _told(fact: Fact, found: Situation) -> CustomerLoss | None:
    event = fact.event
    if not isinstance(event, FailureReported):
        return None
    recovery = found.relationship.recoveries[event.recovery_id]
    return None if recovery.outcome in UNCOUNTED else event.customer_loss
