"""Relationship: who the customer is to us, what he wishes for, and the visits where all went well."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.milestones import Locale, PartyKind, Reference, RelationshipOpened
from domain.recovery import Recovery
from domain.relationship import Relationship, RelationshipCommand, RelationshipEvent, refuse_erased, refuse_unknown
from domain.values import CallerRef, Channel, Code, Count, Money, Personal, Rating, Words
from domain.zones import Zone

SaidBy = Literal["customer", "segment", "colleague"]
Per = Literal["day", "week", "month", "year", "visit"]
Basis = Literal["observed", "contract", "estimate"]
Percent = Annotated[int, Field(ge=0, le=100, strict=True)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class OpenRelationship(RelationshipCommand, path="open", facts=(RelationshipOpened,), opens=True):
    """Make a customer known. One who is known already stays as he is: nothing is recorded."""

    party_kind: PartyKind = "customer"
    references: Personal[tuple[Reference, ...]] = ()
    locale: Locale | None = None
    timezone: Zone | None = None
    contactable: bool | None = None
    """Default: whether there is a reference at all."""

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_erased(state)
        if state.version:
            return []
        asked = (Reference(kind=kind, value=value) for kind, value in at.references)
        references = tuple(dict.fromkeys((*asked, *self.references)))
        reachable = bool(references) if self.contactable is None else self.contactable
        return [
            RelationshipOpened(
                party_kind=self.party_kind,
                references=references,
                locale=self.locale,
                timezone=self.timezone,
                contactable=reachable,
            )
        ]


class ReferenceLinked(RelationshipEvent, topic="reference.linked"):
    """The customer is known under one more name or number."""

    kind: Code
    value: Personal[CallerRef]

    def links(self) -> tuple[tuple[str, str], ...]:
        return ((self.kind, self.value),)

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        # Whoever left a name or number can be reached through it: silence towards him counts from now on.
        if state.contactable:
            return state
        for recovery in state.open_recoveries():
            state = state.with_recovery(recovery.but(silence_counts_from=fact.recorded_at, alarms=()))
        return state.but(contactable=True)


class LinkReference(RelationshipCommand, path="link-reference", facts=(ReferenceLinked,)):
    """Add a name or number under which the customer can be found."""

    kind: Code
    value: Personal[CallerRef]

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        return [ReferenceLinked(kind=self.kind, value=self.value)]


class QuietHours(BaseModel):
    """From when until when, in the customer's own time, nobody disturbs him. It may run past midnight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: TimeOfDay
    end: TimeOfDay


class ContactPreferencesSet(RelationshipEvent, topic="contact_preferences.set"):
    """How and when the customer wants to be reached."""

    channels: tuple[Channel, ...] = ()
    """The channels he likes, best first."""
    quiet_hours: QuietHours | None = None
    marketing_ok: bool = False

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        quiet = self.quiet_hours
        return state.but(quiet_hours=None if quiet is None else (quiet.start, quiet.end))


class SetContactPreferences(RelationshipCommand, path="set-contact-preferences", facts=(ContactPreferencesSet,)):
    """Record how and when the customer wants to be reached; it replaces what was recorded before."""

    channels: tuple[Channel, ...] = ()
    quiet_hours: QuietHours | None = None
    marketing_ok: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        return [ContactPreferencesSet.model_validate(self.model_dump())]


class ExpectationRecorded(RelationshipEvent, topic="expectation.recorded"):
    """What matters to the customer, in his words or ours."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    topic: Code
    wish: Personal[Words]
    importance: Rating
    from_: SaidBy = Field(default="customer", alias="from")


class RecordExpectation(RelationshipCommand, path="record-expectation", facts=(ExpectationRecorded,)):
    """Record what matters to the customer, before anything goes wrong."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    topic: Code
    wish: Personal[Words]
    importance: Rating = 3
    from_: SaidBy = Field(default="customer", alias="from")

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        return [ExpectationRecorded.model_validate(self.model_dump())]


class ValueDeclared(RelationshipEvent, topic="value.declared"):
    """What the customer usually spends. For the house's own arithmetic, never for the order of the queue."""

    amount: Money
    per: Per
    visits_per_year: Count | None = None
    basis: Basis = "estimate"
    acquisition_cost: Money | None = None
    margin_pct: Percent | None = None


class DeclareValue(RelationshipCommand, path="declare-value", facts=(ValueDeclared,)):
    """Record what the customer usually spends."""

    amount: Money
    per: Per
    visits_per_year: Count | None = None
    basis: Basis = "estimate"
    acquisition_cost: Money | None = None
    margin_pct: Percent | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        if self.per == "visit" and self.visits_per_year is None:
            raise InvalidValue("visits_per_year", "an amount per visit says nothing without the visits in a year")
        return [ValueDeclared.model_validate(self.model_dump())]


class EncounterCompleted(RelationshipEvent, topic="encounter.completed"):
    """The customer was served."""

    touchpoint: Code
    as_expected: bool
    amount: Money | None = None


class CompleteEncounter(RelationshipCommand, path="complete-encounter", facts=(EncounterCompleted,)):
    """Record that the customer was served, and whether it went as he could expect."""

    touchpoint: Code
    as_expected: bool = True
    amount: Money | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_unknown(state)
        return [EncounterCompleted.model_validate(self.model_dump())]


class PersonalDataErased(RelationshipEvent, topic="personal_data.erased"):
    """The customer asked to be forgotten: his keys are destroyed. It follows from an erasure; nobody posts it."""

    request: Code
    key_ids: tuple[UUID, ...] = ()
    counts: dict[Code, Count] = Field(default_factory=dict)

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        stopped = {one: _without_duties(recovery) for one, recovery in state.recoveries.items()}
        return state.but(status="erased", recoveries=stopped)


def _without_duties(recovery: Recovery) -> Recovery:
    # Nobody can be reached any more, so nothing is due to him.
    return recovery.but(clocks=False, deadlines={})
