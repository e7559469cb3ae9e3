"""Grant: one compensation in the making, and what is recorded of it in all the streams that it touches."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.amounts import Fx, in_currency, percent_of
from domain.budgets.budget import Budget, GrantId, grant_of
from domain.colleagues.state import Colleague
from domain.errors import InvalidValue
from domain.granting.decision import Allowed, DecidedBy, NeedsApproval, Wanted
from domain.granting.events import CompensationGranted, CompensationRequested, Timing, handed_over
from domain.granting.settling import counted, set_aside, spent
from domain.kinds import Context, Elsewhere, Event
from domain.recovery import Recovery
from domain.values import BudgetId, ColleagueId, CompensationId, Money, RecoveryId
from domain.vocabulary import Basis


@dataclass(frozen=True)
class Grant:
    """What is to be given, and on which recovery."""

    customer_id: UUID
    recovery: Recovery
    compensation_id: CompensationId
    kind: str
    basis: Basis
    timing: Timing
    value: Money | None
    cost: Money | None
    fx: Fx | None = None
    budget_currency: str | None = None
    expires_at: datetime | None = None

    @property
    def grant_id(self) -> GrantId:
        """Its name in budgets."""
        return grant_of(self.customer_id, self.compensation_id)

    @property
    def amount(self) -> Money | None:
        """What it costs us, or where nobody knows that what it is worth to him."""
        return self.cost or self.value

    @property
    def budget_amount(self) -> Money | None:
        """The same in the currency of the budget."""
        return in_currency(self.amount, self.fx, self.budget_currency)

    def wanted(self, cost_centre: str | None) -> Wanted:
        """What is asked of the rules and of the budget."""
        return Wanted(self.kind, self.amount, self.budget_amount, cost_centre, self.fx)

    def owed(self, at: Context, *, delivered: bool) -> list[Event | Elsewhere]:
        """What is recorded where contract or law gives it to him, or another system did: no rule is asked."""
        granted = self._granted(None, None)
        return [granted, *([handed_over(self.recovery, self.compensation_id, at)] if delivered else [])]

    def given(
        self, by: Allowed, colleague: Colleague | None, at: Context, *, delivered: bool
    ) -> list[Event | Elsewhere]:
        """What is recorded when it may be given: the grant, the colleague's day, and the budget, all at once."""
        granted = self._granted(by.by, by.budget)
        used = counted(colleague, self.compensation_id, self.amount, by.by.local_day)
        if not delivered:
            return [granted, *used, *set_aside(by.budget, self.grant_id, self.budget_amount, self.expires_at)]
        handed = handed_over(self.recovery, self.compensation_id, at)
        return [granted, handed, *used, *spent(by.budget, self.grant_id, self.budget_amount)]

    def requested(
        self, needs: NeedsApproval, colleague: Colleague | None, reason: str | None
    ) -> list[Event | Elsewhere]:
        """What is recorded when somebody else must say yes: the request, and the fallback set aside for it.

        Raises InvalidValue for what runs out before anybody must have decided.
        """
        if self.expires_at is not None and self.expires_at <= needs.decide_by:
            raise InvalidValue("expires_at", f"others have until {needs.decide_by.isoformat()} to decide on it")
        held = in_currency(needs.fallback, self.fx, self.budget_currency)
        manager = colleague.manager if colleague is not None and needs.approver == "manager" else None
        asked = CompensationRequested(
            recovery_id=RecoveryId(self.recovery.recovery_id),
            compensation_id=self.compensation_id,
            kind=self.kind,
            basis=self.basis,
            timing=self.timing,
            value=self.value,
            cost=self.cost,
            fx=self.fx,
            reason=reason,
            approver=needs.approver,
            approver_ids=() if manager is None else (ColleagueId(manager),),
            decide_by=needs.decide_by,
            fallback=needs.fallback,
            budget_id=_id(needs.budget),
            budget_currency=self.budget_currency,
            budget_amount=None if held == needs.fallback else held,
            authority=needs.by,
            expires_at=self.expires_at,
        )
        return [asked, *set_aside(needs.budget, self.grant_id, held, self.expires_at)]

    def _granted(self, by: DecidedBy | None, budget: Budget | None) -> CompensationGranted:
        return CompensationGranted(
            recovery_id=RecoveryId(self.recovery.recovery_id),
            compensation_id=self.compensation_id,
            kind=self.kind,
            basis=self.basis,
            timing=self.timing,
            value=self.value,
            cost=self.cost,
            fx=self.fx,
            pct_of_loss=percent_of(self.value, self.recovery.loss),
            budget_id=_id(budget),
            budget_amount=None if self.budget_amount == self.amount else self.budget_amount,
            authority=by,
            expires_at=self.expires_at,
        )


def _id(budget: Budget | None) -> BudgetId | None:
    return None if budget is None else BudgetId(budget.stream_id)
