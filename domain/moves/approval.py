"""Approval: the second voice. Somebody else says yes or no to what was asked for a customer."""

from domain.errors import AlreadyEnded, InvalidValue, NeedsWord, OwnGrant, UnknownRef
from domain.granting.approving import Approval, refused
from domain.granting.events import CompensationApproved, CompensationRefused
from domain.kinds import Context, Elsewhere, Event
from domain.recovery import Recovery, Request
from domain.relationship import RecoveryCommand, Relationship, refuse_own_case
from domain.values import CompensationId, Money, Personal, Words


class DecideCompensation(
    RecoveryCommand, path="decide-compensation", facts=(CompensationApproved, CompensationRefused)
):
    """Say yes or no to a compensation that somebody asked for; without an id, to the only one asked for.

    A yes may be to less. Where nobody had decided in time, it is to what the customer did not get by then.
    """

    approve: bool
    compensation_id: CompensationId | None = None
    amount: Money | None = None
    """How much, if it is less than was asked for."""
    reason: Personal[Words] | None = None
    """Why not. A no needs one."""

    def names(self, recovery: Recovery) -> bool:
        return self.compensation_id in recovery.requests or self.compensation_id in recovery.compensations

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        recovery = self.found_open(state, at)
        compensation_id, request = self._meant(recovery)
        refuse_own_case(recovery, at.actor.colleague_id, at)
        _refuse_no_second_voice(request, at)
        approval = Approval(state.customer_id, recovery, compensation_id, request, at)
        if not self.approve:
            if self.reason is None:
                raise InvalidValue("reason", "whoever asked, and the customer behind him, is owed a reason")
            return refused(approval, self.reason)
        _refuse_run_out(request, at)
        return approval.granted(self._amount(approval.open_amount))

    def _meant(self, recovery: Recovery) -> tuple[CompensationId, Request]:
        asked = recovery.requests
        if self.compensation_id is not None:
            if self.compensation_id not in asked:
                raise UnknownRef("open request", self.compensation_id)
            return self.compensation_id, asked[self.compensation_id]
        if not asked:
            raise UnknownRef("open request")
        if len(asked) > 1:
            raise InvalidValue("compensation_id", "several requests could be meant; name one")
        [(compensation_id, request)] = asked.items()
        return CompensationId(compensation_id), request

    def _amount(self, most: Money | None) -> Money | None:
        """How much the yes is to. Raises InvalidValue for more than was asked for."""
        if self.amount is None:
            return most
        if most is None or self.amount.currency != most.currency or not 0 < self.amount.minor <= most.minor:
            raise InvalidValue("amount", f"a yes is to at most {most}" if most else "no amount was asked for")
        return self.amount


def _refuse_run_out(request: Request, at: Context) -> None:
    """Raises AlreadyEnded for what would have run out by now."""
    if request.expires_at is not None and request.expires_at <= at.recorded_at:
        raise AlreadyEnded("request", "expired")


def _refuse_no_second_voice(request: Request, at: Context) -> None:
    """Raises OwnGrant for who asked for it (I-22), NeedsWord for a voice that does not count here."""
    colleague = at.actor.colleague_id
    if at.actor.kind == "customer" or (colleague is not None and colleague == request.by):
        raise OwnGrant
    # Only somebody who is named is a second person; a service may say any role it likes.
    counts = request.approver != "manager" or at.actor.role_class == "manager"
    if colleague is None or not counts:
        raise NeedsWord(request.amount, None, [request.approver])
