"""Approving: what follows from a yes, a no, or nobody's word, for the customer and for the budget."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.amounts import in_currency, percent_of
from domain.budgets.budget import Budget, grant_of
from domain.budgets.drawing import hold, release
from domain.granting.decision import DecidedBy
from domain.granting.events import CompensationApproved, CompensationGranted, CompensationRefused
from domain.kinds import Context, Elsewhere, Event
from domain.recovery import Recovery, Request
from domain.values import BudgetId, CompensationId, Money, RecoveryId


@dataclass(frozen=True)
class Approval:
    """One request, and who looks at it now."""

    customer_id: UUID
    recovery: Recovery
    compensation_id: CompensationId
    request: Request
    at: Context

    @property
    def open_amount(self) -> Money | None:
        """What was asked for and not granted yet; None where nobody said how much."""
        whole, got = self.request.amount, self.request.granted
        if whole is None or got is None:
            return whole
        return Money(minor=whole.minor - got.minor, currency=whole.currency)

    @property
    def waited_s(self) -> int:
        """How long it waited."""
        return waited(self.request, self.at.occurred_at)

    def granted(self, amount: Money | None) -> list[Event | Elsewhere]:
        """What is recorded of a yes to this much."""
        request = self.request
        # What nobody's word granted stands; the rest is a grant of its own.
        new = self.at.new_id() if request.timed_out else self.compensation_id
        drawn = in_currency(amount, request.fx, request.budget_currency)
        yes = CompensationApproved(
            recovery_id=RecoveryId(self.recovery.recovery_id),
            compensation_id=self.compensation_id,
            amount=amount,
            by=self.at.actor.colleague_id,
            waited_s=self.waited_s,
            in_time=not request.timed_out and self.at.occurred_at <= request.decide_by,
        )
        grant = granted(self.recovery, CompensationId(new), request, amount, drawn)
        return [yes, grant, *self._drawn(CompensationId(new), drawn)]

    def freed(self) -> list[Elsewhere]:
        """What the budget no longer holds back for the fallback."""
        budget = self._budget()
        if budget is None or self.request.timed_out:
            return []
        return release(budget, grant_of(self.customer_id, self.compensation_id), "withdrawn")

    def _drawn(self, new: CompensationId, drawn: Money | None) -> list[Elsewhere]:
        budget = self._budget()
        if budget is None or drawn is None:
            return self.freed()
        return hold(budget, grant_of(self.customer_id, new), drawn, self.request.expires_at)

    def _budget(self) -> Budget | None:
        return None if self.request.budget is None else self.at.other(Budget, self.request.budget)


def refused(approval: Approval, reason: str) -> list[Event | Elsewhere]:
    """What is recorded of a no."""
    no = CompensationRefused(
        recovery_id=RecoveryId(approval.recovery.recovery_id),
        compensation_id=approval.compensation_id,
        by=approval.at.actor.colleague_id,
        reason=reason,
        waited_s=approval.waited_s,
    )
    return [no, *approval.freed()]


def withdrawn(customer_id: UUID, recovery: Recovery, at: Context) -> list[Elsewhere]:
    """What budgets no longer hold back once nobody need decide on anything in this recovery."""
    asked = recovery.requests.items()
    approvals = (Approval(customer_id, recovery, CompensationId(one), request, at) for one, request in asked)
    return [freed for approval in approvals for freed in approval.freed()]


def timed_out(recovery: Recovery, compensation_id: CompensationId, request: Request) -> tuple[Event, ...]:
    """What is recorded when nobody decided in time: the customer gets the fallback, and it is said so.

    The budget has held it back since it was asked for, so nothing is recorded there.
    """
    auto = CompensationApproved(
        recovery_id=RecoveryId(recovery.recovery_id),
        compensation_id=compensation_id,
        amount=request.fallback,
        waited_s=waited(request, request.decide_by),
        in_time=False,
        auto=True,
    )
    drawn = request.budget_amount or request.fallback
    return auto, granted(recovery, compensation_id, request, request.fallback, drawn)


def granted(
    recovery: Recovery,
    compensation_id: CompensationId,
    request: Request,
    amount: Money | None,
    drawn: Money | None,
) -> CompensationGranted:
    """The grant of so much of what was asked for; `drawn` is the same in the currency of the budget."""
    value, cost = _part(request, amount)
    return CompensationGranted(
        recovery_id=RecoveryId(recovery.recovery_id),
        compensation_id=compensation_id,
        kind=request.kind,
        basis=request.basis,
        timing=request.timing,
        value=value,
        cost=cost,
        fx=request.fx,
        pct_of_loss=percent_of(value, recovery.loss),
        budget_id=None if request.budget is None else BudgetId(request.budget),
        budget_amount=None if drawn == amount else drawn,
        authority=DecidedBy(standard=request.standard, version=request.standard_version, rule_id=request.rule_id),
        expires_at=request.expires_at,
    )


def waited(request: Request, until: datetime) -> int:
    """For how many whole seconds it waited until then."""
    return max(int((until - request.asked_at).total_seconds()), 0)


def _part(request: Request, amount: Money | None) -> tuple[Money | None, Money | None]:
    """Value and cost of this much of it; the value shrinks as the cost does."""
    value, cost = request.value, request.cost
    if amount is None or amount == request.amount:
        return value, cost
    if cost is None:
        return amount, None
    part = None if value is None else value.model_copy(update={"minor": value.minor * amount.minor // cost.minor})
    return part if part is None or part.minor else None, amount
