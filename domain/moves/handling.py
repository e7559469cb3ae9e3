"""Handling: who owns a recovery, who it goes to next, and that somebody answered."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.clocks import promised_update
from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship, refuse_own_case
from domain.values import CallerRef, Channel, Code, ColleagueId, Moment, RecoveryId

AssignReason = Literal["initial", "rebalance", "absence", "escalation", "handoff"]


class RecoveryAssigned(RecoveryEvent, topic="recovery.assigned"):
    """A colleague or a team owns the recovery now."""

    owner: ColleagueId | None = None
    team: Code | None = None
    reason: AssignReason = "initial"

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(owner=self.owner, team=self.team or recovery.team)


class Assign(RecoveryCommand, path="assign", facts=(RecoveryAssigned,)):
    """Give the recovery to a colleague, a team, or both."""

    owner: CallerRef | None = None
    team: Code | None = None
    reason: AssignReason = "initial"

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        owner = _owner(recovery, self.owner, self.team, "owner", at)
        return [
            RecoveryAssigned(
                recovery_id=RecoveryId(recovery.recovery_id), owner=owner, team=self.team, reason=self.reason
            )
        ]


class RecoveryHandedOff(RecoveryEvent, topic="recovery.handed_off"):
    """The recovery went from one to another. The customer should not have to tell it twice."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    from_: ColleagueId | None = Field(default=None, alias="from")
    to: ColleagueId | None = None
    team: Code | None = None
    context_shared: bool | None = None
    """Whether what is known went along; None where nobody knows."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        handed = recovery.but(owner=self.to, team=self.team or recovery.team)
        return handed.with_done("handed_off", fact)


class HandOff(RecoveryCommand, path="hand-off", facts=(RecoveryHandedOff,)):
    """Hand the recovery over to a colleague, a team, or both. Anybody may, at any time."""

    to: CallerRef | None = None
    team: Code | None = None
    context_shared: bool | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        to = _owner(recovery, self.to, self.team, "to", at)
        return [
            RecoveryHandedOff.model_validate(
                {
                    "recovery_id": recovery.recovery_id,
                    "from": recovery.owner or at.actor.colleague_id,
                    "to": to,
                    "team": self.team,
                    "context_shared": self.context_shared,
                }
            )
        ]


class RecoveryAcknowledged(RecoveryEvent, topic="recovery.acknowledged"):
    """The customer was told that we know. Only a human answer counts as an answer."""

    channel: Channel = "other"
    human: bool = True
    expected_by: Moment | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.acknowledged(fact) if self.human else recovery.contacted(fact)


class Acknowledge(RecoveryCommand, path="acknowledge", facts=(RecoveryAcknowledged,)):
    """Tell the customer that we know, and by when he will hear more. An automatic reply says `human: false`."""

    channel: Channel = "other"
    human: bool = True
    expected_by: Moment | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        acknowledged = RecoveryAcknowledged(
            recovery_id=RecoveryId(recovery.recovery_id),
            channel=self.channel,
            human=self.human,
            expected_by=self.expected_by,
        )
        return [acknowledged, *promised_update(recovery, self.expected_by, at, "expected_by")]


def _owner(
    recovery: Recovery, colleague: CallerRef | None, team: Code | None, field: str, at: Context
) -> ColleagueId | None:
    if colleague is None:
        if team is None:
            raise InvalidValue(field, "somebody must have it: name a colleague, a team, or both")
        return None
    owner: UUID = at.pseudonym("colleague", colleague)
    refuse_own_case(recovery, owner, at)
    return ColleagueId(owner)
