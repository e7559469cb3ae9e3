"""Commitment: what we told the customer we would do, and by when."""

from domain.errors import AlreadyExists, InvalidValue, UnknownRef
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship, RelationshipCommand, refuse_unknown
from domain.values import CommitmentId, Moment, Personal, RecoveryId, Words


class CommitmentMade(RecoveryEvent, topic="commitment.made"):
    """We gave our word."""

    commitment_id: CommitmentId
    what: Personal[Words]
    due_at: Moment

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(commitments={**recovery.commitments, self.commitment_id: self.due_at})


class MakeCommitment(RecoveryCommand, path="make-commitment", facts=(CommitmentMade,)):
    """Record what was promised to the customer, and by when."""

    what: Personal[Words]
    due_at: Moment
    commitment_id: CommitmentId | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if self.due_at < at.occurred_at:
            raise InvalidValue("due_at", "lies in the past")
        if any(self.commitment_id in one.commitments for one in state.recoveries.values()):
            raise AlreadyExists("commitment", self.commitment_id)
        return [
            CommitmentMade(
                recovery_id=RecoveryId(recovery.recovery_id),
                commitment_id=self.commitment_id or CommitmentId(at.new_id()),
                what=self.what,
                due_at=self.due_at,
            )
        ]


class CommitmentKept(RecoveryEvent, topic="commitment.kept"):
    """We did what we had said."""

    commitment_id: CommitmentId

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        still_open = {one: due for one, due in recovery.commitments.items() if one != self.commitment_id}
        return recovery.but(commitments=still_open)


class KeepCommitment(RelationshipCommand, path="keep-commitment", facts=(CommitmentKept,)):
    """Record that a promise was kept."""

    commitment_id: CommitmentId

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        for recovery in state.recoveries.values():
            if self.commitment_id in recovery.commitments:
                recovery_id = RecoveryId(recovery.recovery_id)
                return [CommitmentKept(recovery_id=recovery_id, commitment_id=self.commitment_id)]
        raise UnknownRef("open commitment", self.commitment_id)
