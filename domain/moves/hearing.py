"""Hearing: we listened, said it back, and showed that it matters."""

from typing import Annotated

from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship
from domain.values import OneOf, Personal, RecoveryId, Words

Compassion = Annotated[str, OneOf(("named_feeling", "practical_care", "time_given", "privacy", "other"))]


class ConcernHeard(RecoveryEvent, topic="concern.heard"):
    """We listened to the customer; perhaps we showed compassion."""

    summary: Personal[Words] | None = None
    """What we understood, in our words."""
    confirmed: bool | None = None
    """Whether he said that we understood."""
    compassion: Compassion | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        contacted = recovery.contacted(fact)
        return contacted if self.compassion is None else contacted.with_done("compassion", fact)


class HearConcern(RecoveryCommand, path="hear-concern", facts=(ConcernHeard,)):
    """Record that somebody listened, what he understood, and how he showed that it matters."""

    summary: Personal[Words] | None = None
    confirmed: bool | None = None
    compassion: Compassion | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        return [
            ConcernHeard(
                recovery_id=RecoveryId(recovery.recovery_id),
                summary=self.summary,
                confirmed=self.confirmed,
                compassion=self.compassion,
            )
        ]
