"""Drawing on a budget: set money aside for a grant, spend it, or let it go. Never more than there is (B-1).

For commands on a customer: each answers with what is to be recorded in the budget's own stream. In one transaction
with what the customer is told, so nobody can be promised what another has just got.
"""

from collections.abc import Iterable
from datetime import datetime

from domain.budgets.budget import Budget, GrantId, reference
from domain.budgets.events import CompensationCommitted, CompensationReserved, Freed, ReservationReleased
from domain.budgets.periods import names_at
from domain.errors import BudgetExhausted, CurrencyMismatch
from domain.kinds import Context, Elsewhere, Event
from domain.values import Money


def candidates(cost_centre: str, currency: str, moment: datetime) -> list[tuple[str, str]]:
    """The references of all budgets that may count for this cost centre at this moment, the shortest period first.

    Whether one does is for it to say (`Budget.takes`): the moment is another day in another zone.
    """
    return [reference(cost_centre, currency, name) for name in names_at(moment)]


def budget_for(cost_centre: str, currency: str, at: Context) -> Budget | None:
    """The budget that counts for this cost centre when the ledger records it; None where there is none.

    A grant that is told late draws on the budget of the day it is told: the other may be spent or closed by now.
    """
    found = (at.other(Budget, one) for one in candidates(cost_centre, currency, at.recorded_at))
    return next((one for one in found if one is not None and one.takes(at.recorded_at)), None)


def reserve(budget: Budget, grant_id: GrantId, amount: Money, expires_at: datetime | None) -> list[Elsewhere]:
    """Sets the amount aside for this grant, once however often it is asked for.

    Raises BudgetExhausted when less is left, CurrencyMismatch for another currency than the budget's.
    """
    return [] if grant_id in budget.reservations else hold(budget, grant_id, amount, expires_at)


def hold(budget: Budget, grant_id: GrantId, amount: Money, expires_at: datetime | None) -> list[Elsewhere]:
    """Sets this much aside for this grant in place of what was, out of that and of what is left.

    What a closed budget has set aside may still be granted. Raises as `reserve`.
    """
    _refuse_beyond(budget, amount, budget.left + _held(budget, grant_id))
    return _of(budget, [CompensationReserved(grant_id=grant_id, amount=amount, expires_at=expires_at)])


def commit(budget: Budget, grant_id: GrantId, amount: Money) -> list[Elsewhere]:
    """Spends what was set aside for this grant; where that is free again or too little, of what is left.

    The grant itself sees to it that it is handed over only once (I-9). Raises as `reserve`.
    """
    _refuse_beyond(budget, amount, budget.left + _held(budget, grant_id))
    return _of(budget, [CompensationCommitted(grant_id=grant_id, amount=amount)])


def payable(budget: Budget, grant_id: GrantId, amount: Money) -> Money:
    """How much of it the budget can pay: out of what is set aside for this grant, and what nobody was promised."""
    _refuse_other_currency(budget, amount)
    return budget.money(min(amount.minor, budget.unpromised + _held(budget, grant_id)))


def pay(budget: Budget, grant_id: GrantId, amount: Money) -> list[Elsewhere]:
    """Spends for what the customer was promised and has by now: as much of it as is payable.

    Never refused: it happened. Nothing is recorded where nothing is left. A closed budget pays, too.
    """
    paid = payable(budget, grant_id, amount)
    return _of(budget, [CompensationCommitted(grant_id=grant_id, amount=paid)] if paid.minor else [])


def release(budget: Budget, grant_id: GrantId, reason: Freed) -> list[Elsewhere]:
    """Lets go what was set aside for this grant; nothing where that was done before."""
    return _of(budget, [_released(budget, grant_id, reason)] if grant_id in budget.reservations else [])


def take_back(budget: Budget, grant_id: GrantId, amount: Money) -> list[Elsewhere]:
    """Puts back what was spent for this grant, or lets go what is still set aside.

    Raises CurrencyMismatch for another currency than the budget's.
    """
    if grant_id in budget.reservations:
        return release(budget, grant_id, "reversed")
    _refuse_other_currency(budget, amount)
    amount = budget.money(min(amount.minor, budget.committed))
    freed = ReservationReleased(grant_id=grant_id, amount=amount, reason="reversed")
    return _of(budget, [freed] if amount.minor else [])


def expired(budget: Budget, until: datetime) -> list[tuple[datetime, Event]]:
    """What was set aside and not taken up in time, each with the moment it became free, in order (D5)."""
    due = sorted(
        (one.expires_at, grant_id)
        for grant_id, one in budget.reservations.items()
        if one.expires_at is not None and one.expires_at <= until
    )
    return [(expires_at, _released(budget, grant_id, "expired")) for expires_at, grant_id in due]


def _held(budget: Budget, grant_id: GrantId) -> int:
    """What is set aside for this grant."""
    reserved = budget.reservations.get(grant_id)
    return 0 if reserved is None else reserved.amount


def _released(budget: Budget, grant_id: GrantId, reason: Freed) -> ReservationReleased:
    amount = budget.money(budget.reservations[grant_id].amount)
    return ReservationReleased(grant_id=grant_id, amount=amount, reason=reason)


def _refuse_beyond(budget: Budget, amount: Money, available: int) -> None:
    _refuse_other_currency(budget, amount)
    if amount.minor > available:
        raise BudgetExhausted(budget.stream_id, amount.amount, budget.money(available).amount, budget.currency)


def _refuse_other_currency(budget: Budget, amount: Money) -> None:
    if amount.currency != budget.currency:
        raise CurrencyMismatch(budget.currency, amount.currency)


def _of(budget: Budget, events: Iterable[Event]) -> list[Elsewhere]:
    return [Elsewhere(budget, event) for event in events]
