"""Apology: apologise, apologise, and apologise again: at once, with the solution, and afterwards."""

from typing import Literal

from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship
from domain.values import Channel, Code

Stage = Literal["acknowledgement", "resolution", "follow_up"]
Said = Literal["none", "regret", "admits", "admits_and_commits"]
Explanation = Literal["none", "brief", "full"]
Accepted = Literal["accepted", "neutral", "rejected"]


class ApologyMade(RecoveryEvent, topic="apology.made"):
    """We apologised. What was said decides its worth, not that something was said."""

    stage: Stage
    said: Said
    feeling_named: bool = False
    explanation: Explanation = "none"
    explanation_wanted: bool | None = None
    accepted: Accepted | None = None
    channel: Channel = "other"
    wording_ref: Code | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        contacted = recovery.contacted(fact)
        if self.said == "none":
            return contacted
        done = contacted.acknowledged(fact).but(apologised=True)
        return done.with_done("apology", fact).with_done(f"apology:{self.stage}", fact)


class Apologise(RecoveryCommand, path="apologise", facts=(ApologyMade,)):
    """Record an apology. Without a stage the recovery's phase decides it."""

    said: Said
    stage: Stage | None = None
    feeling_named: bool = False
    explanation: Explanation = "none"
    explanation_wanted: bool | None = None
    accepted: Accepted | None = None
    channel: Channel = "other"
    wording_ref: Code | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if self.said == "none" and self.feeling_named:
            raise InvalidValue("feeling_named", "an apology that says nothing names no feeling")
        given = self.model_dump(exclude_none=True, exclude={"about"})
        stage = self.stage or _stage_of(recovery)
        return [ApologyMade.model_validate(given | {"recovery_id": recovery.recovery_id, "stage": stage})]


def _stage_of(recovery: Recovery) -> Stage:
    if recovery.ended:
        return "follow_up"
    return "resolution" if recovery.acted else "acknowledgement"
