"""Invitation: a reason to come back after it went wrong."""

from domain.amounts import Fx, refuse_amounts
from domain.errors import AlreadyExists, InvalidValue, UnknownRef
from domain.kinds import Context, Event, Fact
from domain.relationship import Invitation, Recovery, RecoveryCommand, RecoveryEvent, Relationship
from domain.values import Code, CompensationId, InvitationId, Moment, Money


class ReturnInvitationIssued(RecoveryEvent, topic="return_invitation.issued"):
    """The customer was invited to come back."""

    invitation_id: InvitationId
    what: Code
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    valid_until: Moment
    compensation_id: CompensationId | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        invitation = Invitation(valid_until=self.valid_until)
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

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        self._check(state, recovery, at)
        given = self.model_dump(exclude_none=True, exclude={"about"})
        minted = {
            "recovery_id": recovery.recovery_id,
            "invitation_id": self.invitation_id or InvitationId(at.new_id()),
        }
        return [ReturnInvitationIssued.model_validate(given | minted)]

    def _check(self, state: Relationship, recovery: Recovery, at: Context) -> None:
        if any(self.invitation_id in one.invitations for one in state.recoveries.values()):
            raise AlreadyExists("invitation", self.invitation_id)
        if self.compensation_id is not None and self.compensation_id not in recovery.compensations:
            raise UnknownRef("compensation", self.compensation_id)
        if self.valid_until <= at.occurred_at:
            raise InvalidValue("valid_until", "an invitation must be open for a while")
        refuse_amounts(self.value, self.cost, self.fx)


class ReturnInvitationExpired(RecoveryEvent, topic="return_invitation.expired"):
    """The invitation was not taken up in time. It follows from the calendar; nobody posts it."""

    invitation_id: InvitationId

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        invitation = recovery.invitations.get(self.invitation_id)
        if invitation is None or invitation.status != "open":
            return recovery
        expired = invitation.but(status="expired")
        return recovery.but(invitations={**recovery.invitations, self.invitation_id: expired})
