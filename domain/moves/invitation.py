"""Invitation: a reason to come back after it went wrong."""

from domain.amounts import Fx, refuse_amounts
from domain.budgets.budget import Budget, grant_of
from domain.errors import AlreadyExists, InvalidValue, OwnGrant, UnknownRef
from domain.granting.decision import Till, Wanted
from domain.granting.settling import set_aside
from domain.kinds import Context, Elsewhere, Event, Fact
from domain.quiet import refuse_in_quiet_hours
from domain.recovery import Invitation, Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship
from domain.times import refuse_future
from domain.values import BudgetId, Code, CompensationId, InvitationId, Moment, Money


class ReturnInvitationIssued(RecoveryEvent, topic="return_invitation.issued"):
    """The customer was invited to come back."""

    invitation_id: InvitationId
    what: Code
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    valid_until: Moment
    compensation_id: CompensationId | None = None
    budget_id: BudgetId | None = None
    """The budget that holds its cost back until it is redeemed or has expired."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        invitation = Invitation(
            valid_until=self.valid_until,
            recorded_at=fact.recorded_at,
            amount=self.cost or self.value,
            budget=self.budget_id,
        )
        return recovery.but(invitations={**recovery.invitations, self.invitation_id: invitation}).contacted(fact)


class InviteBack(RecoveryCommand, path="invite-back", facts=(ReturnInvitationIssued,)):
    """Invite the customer back: to what (a code such as `breakfast`), its value and cost, and until when."""

    what: Code
    valid_until: Moment
    invitation_id: InvitationId | None = None
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    compensation_id: CompensationId | None = None
    cost_centre: Code | None = None
    """Whose budget pays; the team's, else `main`, if absent."""

    def names(self, recovery: Recovery) -> bool:
        return self.compensation_id in recovery.compensations

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        recovery = self.found(state, at)
        self._check(state, recovery, at)
        refuse_in_quiet_hours(state, at.occurred_at, at)
        invitation_id = self.invitation_id or InvitationId(at.new_id())
        budget = self._budget(state, recovery, at)
        held = set_aside(budget, grant_of(state.customer_id, invitation_id), self._amount, self.valid_until)
        given = self.model_dump(exclude_none=True, exclude={"about", "cost_centre"})
        minted = {"recovery_id": recovery.recovery_id, "invitation_id": invitation_id}
        paying = {} if budget is None else {"budget_id": budget.stream_id}
        return [ReturnInvitationIssued.model_validate(given | minted | paying), *held]

    @property
    def _amount(self) -> Money | None:
        return self.cost or self.value

    def _budget(self, state: Relationship, recovery: Recovery, at: Context) -> Budget | None:
        """The budget that pays, in the currency of its cost; none where a compensation stands behind it."""
        if at.importing or self.compensation_id is not None:
            return None
        wanted = Wanted("free_item", self._amount, self._amount, self.cost_centre)
        return Till(state, recovery, at).budget(wanted)

    def _check(self, state: Relationship, recovery: Recovery, at: Context) -> None:
        if any(self.invitation_id in one.invitations for one in state.recoveries.values()):
            raise AlreadyExists("invitation", self.invitation_id)
        if self.compensation_id is not None and self.compensation_id not in recovery.compensations:
            raise UnknownRef("compensation", self.compensation_id)
        if self.valid_until <= at.occurred_at:
            raise InvalidValue("valid_until", "an invitation must be open for a while")
        refuse_amounts(self.value, self.cost, self.fx)
        refuse_future("fx.at", self.fx.at if self.fx else None, at)
        if at.actor.kind == "customer" and not at.importing:
            raise OwnGrant


class ReturnInvitationExpired(RecoveryEvent, topic="return_invitation.expired"):
    """The invitation was not taken up in time. It follows from the calendar; nobody posts it."""

    invitation_id: InvitationId

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        invitation = recovery.invitations.get(self.invitation_id)
        if invitation is None or invitation.status != "open":
            return recovery
        expired = invitation.but(status="expired")
        return recovery.but(invitations={**recovery.invitations, self.invitation_id: expired})
