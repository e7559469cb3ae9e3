"""Follow-up: asking the customer afterwards whether it is well again."""

from datetime import UTC
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, StrictInt

from domain.errors import InvalidValue, part
from domain.kinds import Context, Event, Fact
from domain.milestones import OUTCOME_VALUES, Instrument, SatisfactionStated, heard, refuse_impossible
from domain.planning import FollowUpScheduled
from domain.quiet import refuse_if_asked_in_quiet_hours, refuse_in_quiet_hours
from domain.recovery import Recovery, later
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship
from domain.values import Channel, Count, Moment, OneOf, Personal, Rating, RecoveryId, Words

Attempt = Literal["reached", "no_answer", "bounced", "declined"]
Outcome = Annotated[
    str, OneOf(("satisfied", "partly", "dissatisfied", "no_objection", "unreachable", "declined", "other"))
]
ANSWERS: Final = (*OUTCOME_VALUES, "no_objection")
"""The outcomes in which the customer himself spoke (I-14)."""


class ScheduleFollowUp(RecoveryCommand, path="schedule-follow-up", facts=(FollowUpScheduled,)):
    """Plan when to ask the customer. The promise of the house stays where it is."""

    due_at: Moment
    channel: Channel = "other"

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if self.due_at < at.occurred_at:
            raise InvalidValue("due_at", "lies in the past")
        refuse_in_quiet_hours(state, self.due_at, at)
        recovery_id = RecoveryId(recovery.recovery_id)
        return [FollowUpScheduled(recovery_id=recovery_id, due_at=self.due_at, channel=self.channel)]


class FollowUpAttempted(RecoveryEvent, topic="follow_up.attempted"):
    """We tried to reach the customer. Trying in time keeps the promise to ask: the clock measures us, not him."""

    outcome: Attempt
    n: Count = 1
    channel: Channel = "other"

    @property
    def answered(self) -> bool:
        """Whether he was asked."""
        return self.outcome in ("reached", "declined")

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        return _asked(super().evolve(state, fact), fact, self.answered)

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        tried = _tried(recovery, fact, self.answered)
        return tried.but(declined=recovery.declined or self.outcome == "declined")


class AttemptFollowUp(RecoveryCommand, path="attempt-follow-up", facts=(FollowUpAttempted,)):
    """Record a try to reach the customer afterwards, and how it went."""

    outcome: Attempt
    channel: Channel = "other"

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        refuse_in_quiet_hours(state, at.occurred_at, at)
        return [
            FollowUpAttempted(
                recovery_id=RecoveryId(recovery.recovery_id),
                outcome=self.outcome,
                n=len(recovery.tries) + 1,
                channel=self.channel,
            )
        ]


class FollowUpCompleted(RecoveryEvent, topic="follow_up.completed"):
    """The follow-up is over: what the customer said, or that he could not or would not say it."""

    outcome: Outcome
    treatment: Rating | None = None
    """How he was treated, 1-5."""
    confidence: Rating | None = None
    """How sure he is that it will not happen again, 1-5."""
    would_return: bool | None = None

    @property
    def answered(self) -> bool:
        """Whether he was asked."""
        return self.outcome != "unreachable"

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        return _asked(super().evolve(state, fact), fact, self.answered)

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return (
            _tried(recovery, fact, self.answered)
            .with_done("follow_up", fact)
            .but(
                stated=recovery.stated or (recovery.ended and self.outcome in ANSWERS),
                declined=recovery.declined or self.outcome == "declined",
            )
        )


class Stated(BaseModel):
    """What the customer answered on a scale of the caller's own choice. Its range: see `state-satisfaction`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instrument: Instrument
    value: StrictInt | None = None
    verbatim: Personal[Words] | None = None


class CompleteFollowUp(RecoveryCommand, path="complete-follow-up", facts=(FollowUpCompleted,)):
    """Record how the follow-up ended. The outcome is his word, unless `stated` gives it on another scale."""

    outcome: Outcome
    treatment: Rating | None = None
    confidence: Rating | None = None
    would_return: bool | None = None
    stated: Stated | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        refuse_if_asked_in_quiet_hours(state, at)
        given = self.model_dump(exclude_none=True, exclude={"about", "stated"})
        completed = FollowUpCompleted.model_validate(given | {"recovery_id": recovery.recovery_id})
        stated = self._stated(recovery)
        if stated is None:
            return [completed]
        return [completed, stated, *heard(recovery, stated, at)]

    def _stated(self, recovery: Recovery) -> SatisfactionStated | None:
        said = self.stated
        if said is None:
            if self.outcome not in OUTCOME_VALUES:
                return None
            said = Stated(instrument="OUTCOME", value=OUTCOME_VALUES.index(self.outcome))
        with part("stated"):
            refuse_impossible(said.instrument, said.value)
        return SatisfactionStated(
            instrument=said.instrument,
            value=said.value,
            about="recovery",
            recovery_id=RecoveryId(recovery.recovery_id),
            solicited=True,
            verbatim=said.verbatim,
        )


def _tried(recovery: Recovery, fact: Fact, answered: bool) -> Recovery:
    day = fact.occurred_at.astimezone(UTC).date()
    return (
        recovery.contacted(fact)
        .without_clocks("follow_up")
        .but(
            tries=(*recovery.tries, day),
            unanswered=recovery.unanswered if answered else (*recovery.unanswered, day),
            follow_up_at=None,
        )
    )


def _asked(state: Relationship, fact: Fact, answered: bool) -> Relationship:
    return state.but(asked_at=later(state.asked_at, fact.occurred_at)) if answered else state
