"""Escalation: somebody with more authority must look at it."""

from typing import Annotated

from pydantic import Field

from domain.errors import InvalidValue, UnknownRef
from domain.kinds import Context, Event, Fact
from domain.milestones import HIGHEST, EscalationRaised, Trigger, escalated
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship
from domain.values import Personal, RecoveryId, Words

Level = Annotated[int, Field(ge=1, le=3, strict=True)]


class Escalate(RecoveryCommand, path="escalate", facts=(EscalationRaised,)):
    """Call in somebody with more authority. Without a level, one more than now."""

    trigger: Trigger
    level: Level | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        now = recovery.escalation or 0
        if (self.level or HIGHEST) < now:
            raise InvalidValue("level", f"it is at level {now} already")
        return [escalated(recovery, self.trigger, at.occurred_at, told_at=at.recorded_at, level=self.level)]


class EscalationSettled(RecoveryEvent, topic="escalation.settled"):
    """Whoever was called in has dealt with it."""

    how: Personal[Words]

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(escalation=None, settle_by=None)


class SettleEscalation(RecoveryCommand, path="settle-escalation", facts=(EscalationSettled,)):
    """Record how an escalation was dealt with."""

    how: Personal[Words]

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if recovery.escalation is None:
            raise UnknownRef("open escalation")
        return [EscalationSettled(recovery_id=RecoveryId(recovery.recovery_id), how=self.how)]
