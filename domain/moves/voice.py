"""Voice: what the customer himself says about how he feels, and whether he is leaving."""

from typing import Final, Literal

from pydantic import StrictInt

from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.milestones import (
    OUTCOME_VALUES,
    Instrument,
    SatisfactionStated,
    called_in,
    heard,
    looked_after,
    refuse_impossible,
)
from domain.quiet import refuse_if_asked_in_quiet_hours
from domain.recovery import Recovery, later
from domain.relationship import (
    About,
    RecoveryCommand,
    Relationship,
    RelationshipCommand,
    RelationshipEvent,
    refuse_unknown,
)
from domain.values import Personal, RecoveryId, Words

Subject = Literal["recovery", "relationship", "encounter"]
IN_WORDS: Final = ("VERBATIM", "REVIEW")
"""The instruments that are words and have no value."""


class StateSatisfaction(RelationshipCommand, path="state-satisfaction", facts=(SatisfactionStated,)):
    """Record what the customer says.

    CSAT goes from 1 to 5, CES from 1 to 7, NPS from 0 to 10; VERBATIM and REVIEW are words and have no value.
    OUTCOME goes from 0 to 2 (0 dissatisfied, 1 partly, 2 satisfied), or comes as a word in `outcome`.

    `about` says what he speaks of, or names the recovery by the caller's own number. Without it and without
    `recovery_id` he speaks of the only open recovery, or else of the relationship.
    """

    instrument: Instrument
    value: StrictInt | None = None
    outcome: Literal["satisfied", "partly", "dissatisfied"] | None = None
    about: Subject | About | None = None
    recovery_id: RecoveryId | None = None
    solicited: bool = False
    verbatim: Personal[Words] | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self._recovery(state, at)
        if self.solicited:
            refuse_if_asked_in_quiet_hours(state, at)
        elsewhere = "encounter" if self.about == "encounter" else "relationship"
        stated = SatisfactionStated(
            instrument=self.instrument,
            value=self._value(),
            about="recovery" if recovery else elsewhere,
            recovery_id=RecoveryId(recovery.recovery_id) if recovery else None,
            solicited=self.solicited,
            verbatim=self.verbatim,
        )
        return [stated, *(heard(recovery, stated, at) if recovery else [])]

    def _recovery(self, state: Relationship, at: Context) -> Recovery | None:
        refuse_unknown(state)
        if self.about in ("relationship", "encounter"):
            if self.recovery_id is not None:
                raise InvalidValue("about", "a word about a recovery is about: recovery")
            return None
        by_number = self.about if isinstance(self.about, About) else None
        named = RecoveryCommand(recovery_id=self.recovery_id, about=by_number)
        return named.found(state, at) if self.about == "recovery" else named.found_if_any(state, at)

    def _value(self) -> int | None:
        value = self.value
        if self.outcome is not None:
            value = OUTCOME_VALUES.index(self.outcome)
            if self.instrument != "OUTCOME" or self.value not in (None, value):
                raise InvalidValue("outcome", "does not go with the instrument or the value given")
        refuse_impossible(self.instrument, value)
        if self.instrument in IN_WORDS and self.verbatim is None:
            raise InvalidValue("verbatim", f"{self.instrument} needs the customer's words")
        return value


class LeavingAnnounced(RelationshipEvent, topic="leaving.announced"):
    """The customer says that he is going."""

    competitor: Personal[Words] | None = None

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        for recovery in state.open_recoveries():
            last_event_at = later(recovery.last_event_at, fact.occurred_at)
            state = state.with_recovery(recovery.but(leaving=True, last_event_at=last_event_at))
        return state


class AnnounceLeaving(RelationshipCommand, path="announce-leaving", facts=(LeavingAnnounced,)):
    """Record that the customer says he is going, and to whom if he says so."""

    competitor: Personal[Words] | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        return [LeavingAnnounced(competitor=self.competitor), *_looked_after(state, at)]


def _looked_after(state: Relationship, at: Context) -> list[Event]:
    """Somebody with more authority, for the gravest of what is open, unless somebody is at one of them (D3)."""
    found = [recovery for recovery in state.open_recoveries() if recovery.clocks]
    if not found or any(looked_after(recovery) for recovery in found):
        return []
    first = min(found, key=lambda one: (-one.urgency, one.opened_at, one.recovery_id))
    return called_in(first, "leaving", at)
