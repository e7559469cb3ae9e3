"""Waiver: a step left out on purpose, with the reason."""

from typing import Final, Literal

from domain.errors import NotAllowed
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery, Step
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship, refuse_own_case
from domain.values import RecoveryId

WaiverReason = Literal["customer_request", "no_contact_given", "trivial", "not_recorded", "other"]
CLOCKED: Final = ("remedy", "compensation", "follow_up")
"""The steps that have a clock of the same name."""


class StepWaived(RecoveryEvent, topic="step.waived"):
    """A step will not be done, and why."""

    step: Step
    reason: WaiverReason

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        waived = recovery.but(waived={**recovery.waived, self.step: self.reason})
        if self.step == "follow_up":
            waived = waived.but(follow_up_at=None)
        return waived.without_clocks(self.step) if self.step in CLOCKED else waived


class WaiveStep(RecoveryCommand, path="waive-step", facts=(StepWaived,)):
    """Leave a step out. A remedy is never waived, only imported without one."""

    step: Step
    reason: WaiverReason

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        if (self.step == "remedy" or self.reason == "not_recorded") and not at.importing:
            raise NotAllowed("import")
        refuse_own_case(recovery, at.actor.colleague_id, at)
        return [StepWaived(recovery_id=RecoveryId(recovery.recovery_id), step=self.step, reason=self.reason)]
