"""Compensation: what goes beyond what was owed, from the grant to the customer's hand."""

from collections.abc import Sequence

from domain.amounts import Fx, refuse_amounts
from domain.budgets.events import Currency
from domain.errors import (
    AlreadyDelivered,
    AlreadyEnded,
    AlreadyExists,
    InvalidValue,
    NeedsWord,
    OwnGrant,
    UnknownRef,
)
from domain.granting.decision import Allowed, Till
from domain.granting.events import CompensationDelivered, CompensationGranted, Timing, with_status
from domain.granting.finality import Cause, refuse_challenge
from domain.granting.grant import Grant
from domain.granting.settling import delivered, let_go
from domain.kinds import Context, Elsewhere, Event, Fact
from domain.recovery import Compensation, Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship, refuse_own_case
from domain.times import refuse_future
from domain.values import Code, CompensationId, Moment, Money, Personal, RecoveryId, Words
from domain.vocabulary import Basis, CompensationKind


class GrantCompensation(RecoveryCommand, path="grant-compensation", facts=(CompensationGranted,)):
    """Grant something beyond what was owed. With `delivered` it is handed over at the same moment.

    Goodwill is given within the authority in force, the customer's limit and the budget. What is more than that is
    asked for (202) where a rule lets somebody say yes; with `ask` false it is refused instead.
    """

    kind: CompensationKind
    compensation_id: CompensationId | None = None
    basis: Basis = "goodwill"
    timing: Timing = "now"
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    cost_centre: Code | None = None
    """Whose budget pays; the team's, else `main`, if absent."""
    budget_currency: Currency | None = None
    """The currency of that budget where it is another; then `fx` leads to it."""
    expires_at: Moment | None = None
    delivered: bool = False
    ask: bool = True
    reason: Personal[Words] | None = None
    """Why, for whoever must say yes."""

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        recovery = self.found_open(state, at)
        self._check(state, at)
        refuse_own_case(recovery, at.actor.colleague_id, at)
        grant = Grant(
            customer_id=state.customer_id,
            recovery=recovery,
            compensation_id=self.compensation_id or CompensationId(at.new_id()),
            kind=self.kind,
            basis=self.basis,
            timing=self.timing,
            value=self.value,
            cost=self.cost,
            fx=self.fx,
            budget_currency=self.budget_currency,
            expires_at=self.expires_at,
        )
        if at.importing:
            return grant.owed(at, delivered=self.delivered)
        if at.actor.kind == "customer":
            raise OwnGrant
        if self.basis == "unknown":
            raise InvalidValue("basis", "only what is imported may be on unknown grounds: say which it is")
        if self.basis != "goodwill":
            return grant.owed(at, delivered=self.delivered)
        till = Till(state, recovery, at)
        decision = till.decide(grant.wanted(self.cost_centre))
        if isinstance(decision, Allowed):
            return grant.given(decision, till.colleague, at, delivered=self.delivered)
        if not self.ask:
            raise NeedsWord(grant.amount, decision.alone, [decision.approver])
        return grant.requested(decision, till.colleague, self.reason)

    def _check(self, state: Relationship, at: Context) -> None:
        known = ((*one.compensations, *one.requests) for one in state.recoveries.values())
        if any(self.compensation_id in ids for ids in known):
            raise AlreadyExists("compensation", self.compensation_id)
        if self.expires_at is not None and self.expires_at <= at.occurred_at:
            raise InvalidValue("expires_at", "what is granted must be good for a while")
        if self.budget_currency is not None and self.fx is None:
            raise InvalidValue("fx", "a budget in another currency needs the rate that leads to it")
        refuse_amounts(self.value, self.cost, self.fx)
        refuse_future("fx.at", self.fx.at if self.fx else None, at)


class DeliverCompensation(RecoveryCommand, path="deliver-compensation", facts=(CompensationDelivered,)):
    """Record that a compensation was handed over; without an id, the only one granted. Lateness is derived."""

    compensation_id: CompensationId | None = None

    def names(self, recovery: Recovery) -> bool:
        return self.compensation_id in recovery.compensations

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        recovery = self.found(state, at)
        compensation_id = self.compensation_id or _only(recovery, "granted")
        compensation = _compensation(recovery, compensation_id)
        _refuse_undeliverable(compensation, at)
        return delivered(state.customer_id, recovery, compensation_id, at)


class CompensationReversed(RecoveryEvent, topic="compensation.reversed"):
    """The compensation was taken back."""

    compensation_id: CompensationId
    reason: Personal[Words]
    cause: Cause | None = None
    """Why it could be taken back; None of what was recorded before anybody asked."""
    legal_ref: Code | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        before = recovery.compensations.get(self.compensation_id)
        reversed_ = with_status(recovery, self.compensation_id, "reversed")
        if before is None or before.status != "delivered":
            return reversed_
        return reversed_.taken_back("compensation", self.compensation_id)


class ReverseCompensation(RecoveryCommand, path="reverse-compensation", facts=(CompensationReversed,)):
    """Take a compensation back, and say why.

    Goodwill within the authority in force is taken back by whoever gave it, and by others only for what is no
    judgement of his: it was made twice, never arrived, was returned, or a law demands it back. That it was entered
    in error, for the wrong customer for one, a manager says in his own name.
    """

    compensation_id: CompensationId
    reason: Personal[Words]
    cause: Cause | None = None
    legal_ref: Code | None = None
    """The law that demands it back, where that is the cause."""

    def names(self, recovery: Recovery) -> bool:
        return self.compensation_id in recovery.compensations

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        recovery = self.found(state, at)
        compensation = _compensation(recovery, self.compensation_id)
        if not compensation.stands:
            raise AlreadyEnded("compensation", compensation.status)
        refuse_own_case(recovery, at.actor.colleague_id, at)
        refuse_challenge(state, self.compensation_id, self.cause, self.legal_ref, at)
        taken_back = CompensationReversed(
            recovery_id=RecoveryId(recovery.recovery_id),
            compensation_id=self.compensation_id,
            reason=self.reason,
            cause=self.cause,
            legal_ref=self.legal_ref,
        )
        return [taken_back, *let_go(state.customer_id, self.compensation_id, compensation, at, "reversed")]


def _refuse_undeliverable(compensation: Compensation, at: Context) -> None:
    if compensation.status == "delivered":
        raise AlreadyDelivered("compensation")
    if compensation.status not in ("granted", "expired"):
        raise AlreadyEnded("compensation", compensation.status)
    ends = compensation.expires_at
    # What was handed over in time was, though the clock may have recorded its end before we were told.
    in_time = compensation.status == "granted" if ends is None else at.occurred_at <= ends
    if not in_time:
        raise AlreadyEnded("compensation", "expired")


def _compensation(recovery: Recovery, compensation_id: CompensationId) -> Compensation:
    try:
        return recovery.compensations[compensation_id]
    except KeyError:
        raise UnknownRef("compensation", compensation_id) from None


def _only(recovery: Recovery, status: str) -> CompensationId:
    found: Sequence[CompensationId] = [
        CompensationId(one)
        for one, compensation in recovery.compensations.items()
        if compensation.status == status
    ]
    if not found:
        raise UnknownRef("compensation")
    if len(found) > 1:
        raise InvalidValue("compensation_id", "several compensations could be meant; name one")
    return found[0]
