"""What is recorded of a grant by several moves and by the clock: asked for, said yes to, granted."""

from datetime import datetime
from typing import ClassVar, Literal

from domain.amounts import Fx
from domain.budgets.events import Currency
from domain.granting.decision import DecidedBy
from domain.kinds import AMENDS, Context, Fact
from domain.recovery import Compensation, Recovery, Request
from domain.relationship import RecoveryEvent
from domain.values import BudgetId, ColleagueId, CompensationId, Count, Moment, Money, Personal, RecoveryId, Words
from domain.vocabulary import Basis, CompensationKind

Timing = Literal["now", "later"]


class CompensationGranted(RecoveryEvent, topic="compensation.granted"):
    """The customer gets something beyond what was owed. `value` is its worth to him, `cost` what it costs us."""

    compensation_id: CompensationId
    kind: CompensationKind
    basis: Basis = "goodwill"
    timing: Timing = "now"
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    pct_of_loss: Count | None = None
    budget_id: BudgetId | None = None
    """The budget that pays; None where the house has opened none for it."""
    budget_amount: Money | None = None
    """What it pays, where its currency is another."""
    authority: DecidedBy | None = None
    """The rule by which it was given; None where none decides: contracts, laws, and what was imported."""
    expires_at: Moment | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        compensation = Compensation(
            kind=self.kind,
            basis=self.basis,
            expires_at=self.expires_at,
            granted_at=fact.occurred_at,
            counts_from=_counts_from(self.authority, fact),
            # What the clock grants counts from its time, in whatever steps it is swept.
            recorded_at=fact.occurred_at if fact.actor.ref == AMENDS.ref else fact.recorded_at,
            amount=self.cost or self.value,
            budget=self.budget_id,
            budget_amount=self.budget_amount,
            by=fact.actor.colleague_id,
            local_day=self.authority.local_day if self.authority else None,
            given_by=fact.actor.ref,
            ruled=self.authority is not None,
        )
        return recovery.but(compensations={**recovery.compensations, self.compensation_id: compensation}).acting()


class CompensationRequested(RecoveryEvent, topic="compensation.requested"):
    """Somebody asked to give more than he may alone. Who may say yes, by when, and what happens otherwise."""

    FOR_CUSTOMER: ClassVar[bool] = False

    compensation_id: CompensationId
    kind: CompensationKind
    basis: Basis = "goodwill"
    timing: Timing = "now"
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    reason: Personal[Words] | None = None
    approver: Literal["peer", "manager"]
    approver_ids: tuple[ColleagueId, ...] = ()
    decide_by: Moment
    fallback: Money | None = None
    """What is granted if nobody decides in time; without it the request goes further up."""
    budget_id: BudgetId | None = None
    budget_currency: Currency | None = None
    """The currency of the budget, where it is another; `fx` leads to it."""
    budget_amount: Money | None = None
    """What it holds back for the fallback, where its currency is another."""
    authority: DecidedBy
    expires_at: Moment | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        request = Request(
            kind=self.kind,
            basis=self.basis,
            timing=self.timing,
            value=self.value,
            cost=self.cost,
            by=fact.actor.colleague_id,
            approver=self.approver,
            asked_at=fact.occurred_at,
            recorded_at=fact.recorded_at,
            decide_by=self.decide_by,
            fallback=self.fallback,
            budget=self.budget_id,
            fx=self.fx,
            budget_currency=self.budget_currency,
            budget_amount=self.budget_amount,
            standard=self.authority.standard,
            standard_version=self.authority.version,
            rule_id=self.authority.rule_id,
            expires_at=self.expires_at,
        )
        return recovery.but(requests={**recovery.requests, self.compensation_id: request})


class CompensationApproved(RecoveryEvent, topic="compensation.approved"):
    """The customer may have this much of what was asked for him. `auto`: nobody had decided in time."""

    FOR_CUSTOMER: ClassVar[bool] = False

    compensation_id: CompensationId
    """The request's."""
    amount: Money | None = None
    by: ColleagueId | None = None
    waited_s: Count
    in_time: bool
    auto: bool = False

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        request = recovery.requests.get(self.compensation_id)
        if request is None:
            return recovery
        # Where nobody's word granted all of it, nothing is left to decide.
        if not self.auto or self.amount == request.amount:
            return recovery.without_request(self.compensation_id)
        waiting = request.but(timed_out=True, granted=self.amount)
        return recovery.but(requests={**recovery.requests, self.compensation_id: waiting})


class CompensationRefused(RecoveryEvent, topic="compensation.refused"):
    """Somebody said no to what was asked for the customer, and why."""

    FOR_CUSTOMER: ClassVar[bool] = False

    compensation_id: CompensationId
    by: ColleagueId | None = None
    reason: Personal[Words]
    waited_s: Count

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.without_request(self.compensation_id)


class CompensationDelivered(RecoveryEvent, topic="compensation.delivered"):
    """The compensation is in the customer's hand."""

    compensation_id: CompensationId
    late: bool = False
    budget_amount: Money | None = None
    """What the budget paid, where less was left than it costs: its time was over when we were told."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        delivered = with_status(recovery, self.compensation_id, "delivered", self.budget_amount)
        settled = delivered.settled("compensation", self.compensation_id)
        done = settled.acting().contacted(fact).with_done("compensation", fact).with_done("first_action", fact)
        return done.without_clocks("compensation", "first_action")


class CompensationExpired(RecoveryEvent, topic="compensation.expired"):
    """The compensation was not taken up in time. It follows from the calendar; nobody posts it."""

    compensation_id: CompensationId

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        compensation = recovery.compensations.get(self.compensation_id)
        if compensation is None or compensation.status != "granted":
            return recovery
        return with_status(recovery, self.compensation_id, "expired")


def _counts_from(authority: DecidedBy | None, fact: Fact) -> datetime:
    # What one gives alone counts from when it is told: as of another day it would escape the limit of this one.
    alone = authority is not None and authority.local_day is not None
    return fact.recorded_at if alone else fact.occurred_at


def handed_over(recovery: Recovery, compensation_id: CompensationId, at: Context) -> CompensationDelivered:
    """The event that says the customer has it, late or not."""
    running = recovery.deadlines.get("compensation")
    late = at.occurred_at > running.due_at if running else "compensation" in recovery.missed
    return CompensationDelivered(
        recovery_id=RecoveryId(recovery.recovery_id), compensation_id=compensation_id, late=late
    )


def with_status(
    recovery: Recovery,
    compensation_id: CompensationId,
    status: Literal["delivered", "expired", "reversed"],
    paid: Money | None = None,
) -> Recovery:
    """The recovery with what became of this compensation; `paid` where the budget paid less than it costs."""
    compensation = recovery.compensations.get(compensation_id)
    if compensation is None:
        return recovery
    changed = compensation.but(status=status, budget_amount=paid or compensation.budget_amount)
    return recovery.but(compensations={**recovery.compensations, compensation_id: changed})
