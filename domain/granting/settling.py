"""Settling a grant: the colleague's day and the budget follow what becomes of it. All in one transaction."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from domain.budgets.budget import Budget, GrantId, grant_of
from domain.budgets.drawing import commit, pay, payable, release, reserve, take_back
from domain.budgets.events import Freed
from domain.colleagues.authority import give_back, use
from domain.colleagues.state import Colleague
from domain.granting.events import handed_over
from domain.kinds import Context, Elsewhere, Event
from domain.recovery import Compensation, Recovery
from domain.values import CompensationId, Money


def set_aside(
    budget: Budget | None, grant_id: GrantId, amount: Money | None, expires_at: datetime | None
) -> list[Elsewhere]:
    """What the budget holds back for a grant; nothing without a budget or an amount."""
    return [] if budget is None or amount is None else reserve(budget, grant_id, amount, expires_at)


def counted(
    colleague: Colleague | None, grant_id: CompensationId, amount: Money | None, day: date | None
) -> list[Elsewhere]:
    """What counts against the day of the colleague who gives it."""
    return [] if colleague is None or amount is None or day is None else [use(colleague, grant_id, amount, day)]


def spent(budget: Budget | None, grant_id: GrantId, amount: Money | None) -> list[Elsewhere]:
    """What the budget pays at once; nothing without a budget or an amount."""
    return [] if budget is None or amount is None else commit(budget, grant_id, amount)


def delivered(
    customer_id: UUID, recovery: Recovery, compensation_id: CompensationId, at: Context
) -> list[Event | Elsewhere]:
    """What is recorded once the customer has what was granted: that, and what the budget pays.

    Never refused for want of money: it happened. Where less is left, the event says how much was paid.
    """
    compensation = recovery.compensations[compensation_id]
    handed = handed_over(recovery, compensation_id, at)
    budget, owed = _budget(compensation, at), compensation.drawn
    if budget is None or owed is None:
        return [handed]
    grant_id = grant_of(customer_id, compensation_id)
    paid = payable(budget, grant_id, owed)
    told = handed if paid == owed else handed.model_copy(update={"budget_amount": paid})
    return [told, *pay(budget, grant_id, owed)]


def let_go(
    customer_id: UUID, compensation_id: CompensationId, compensation: Compensation, at: Context, why: Freed
) -> list[Elsewhere]:
    """What is free again when the customer does not get it or keep it: of the budget and of the day."""
    grant_id = grant_of(customer_id, compensation_id)
    return [*_freed(grant_id, compensation, at, why), *_returned(compensation_id, compensation, at)]


def _freed(grant_id: GrantId, compensation: Compensation, at: Context, why: Freed) -> Sequence[Elsewhere]:
    budget, amount = _budget(compensation, at), compensation.drawn
    if budget is None or amount is None:
        return []
    # What was never handed over was never spent: once its time is over, nothing of it is in the budget.
    in_hand = compensation.status == "delivered"
    return take_back(budget, grant_id, amount) if in_hand else release(budget, grant_id, why)


def _returned(grant_id: CompensationId, compensation: Compensation, at: Context) -> Sequence[Elsewhere]:
    amount, by, day = compensation.amount, compensation.by, compensation.local_day
    if amount is None or by is None or day is None:
        return []
    colleague = at.other(Colleague, by)
    return [] if colleague is None else [give_back(colleague, grant_id, amount, day)]


def _budget(compensation: Compensation, at: Context) -> Budget | None:
    return None if compensation.budget is None else at.other(Budget, compensation.budget)
