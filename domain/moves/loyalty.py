"""Loyalty: customers who leave, and customers who come back."""

from typing import Literal

from domain.budgets.budget import Budget, grant_of
from domain.budgets.drawing import pay
from domain.errors import AlreadyEnded, UnknownRef
from domain.kinds import Context, Elsewhere, Event, Fact
from domain.recovery import Invitation, Recovery
from domain.relationship import Relationship, RelationshipCommand, RelationshipEvent, refuse_unknown
from domain.values import InvitationId, Money, Personal, RecoveryId, Words

Basis = Literal["told_us", "contract_end", "stayed_away"]


class CustomerLost(RelationshipEvent, topic="customer.lost"):
    """The customer is gone."""

    basis: Basis
    competitor: Personal[Words] | None = None
    cause_recovery_id: RecoveryId | None = None

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        cause = state.recoveries.get(self.cause_recovery_id) if self.cause_recovery_id else None
        if cause is not None:
            state = state.with_recovery(cause.but(lost=True))
        return state.but(lost=True)


class ReportLoss(RelationshipCommand, path="report-loss", facts=(CustomerLost,)):
    """Record that the customer is gone, and which recovery it was about if it is known."""

    basis: Basis
    competitor: Personal[Words] | None = None
    cause_recovery_id: RecoveryId | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        if self.cause_recovery_id is not None:
            state.recovery(self.cause_recovery_id)
        return [CustomerLost.model_validate(self.model_dump(exclude_none=True))]


class CustomerReturned(RelationshipEvent, topic="customer.returned"):
    """The customer came back."""

    amount: Money | None = None
    invitation_id: InvitationId | None = None

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        for recovery in state.recoveries.values():
            state = state.with_recovery(_welcomed(recovery, self.invitation_id))
        return state.but(lost=False)


class WelcomeBack(RelationshipCommand, path="welcome-back", facts=(CustomerReturned,)):
    """Record that the customer came back, and on which invitation. Each is redeemed once."""

    amount: Money | None = None
    invitation_id: InvitationId | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        refuse_unknown(state)
        returned = CustomerReturned(amount=self.amount, invitation_id=self.invitation_id)
        if self.invitation_id is None:
            return [returned]
        _refuse_redeemed(state, self.invitation_id)
        return [returned, *_redeemed(state, self.invitation_id, at)]


def _redeemed(state: Relationship, invitation_id: InvitationId, at: Context) -> list[Elsewhere]:
    """What the budget pays for an invitation that is taken up."""
    invitation = _invitation(state, invitation_id)
    budget = None if invitation.budget is None else at.other(Budget, invitation.budget)
    if budget is None or invitation.amount is None:
        return []
    return pay(budget, grant_of(state.customer_id, invitation_id), invitation.amount)


def _welcomed(recovery: Recovery, invitation_id: InvitationId | None) -> Recovery:
    invitations = dict(recovery.invitations)
    if invitation_id is not None and invitation_id in invitations:
        invitations[invitation_id] = invitations[invitation_id].but(status="redeemed")
    return recovery.but(lost=False, invitations=invitations)


def _refuse_redeemed(state: Relationship, invitation_id: InvitationId) -> None:
    # One that has expired may still be honoured: that he came back is a fact either way.
    if _invitation(state, invitation_id).status == "redeemed":
        raise AlreadyEnded("invitation", "redeemed")


def _invitation(state: Relationship, invitation_id: InvitationId) -> Invitation:
    for recovery in state.recoveries.values():
        if invitation_id in recovery.invitations:
            return recovery.invitations[invitation_id]
    raise UnknownRef("invitation", invitation_id)
