"""Milestones: the events that several moves append: opened, reopened, stated, escalated."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.clocks import opening_clocks
from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery, Request, later
from domain.relationship import RecoveryEvent, Relationship, RelationshipEvent
from domain.values import CallerRef, Code, Moment, OneOf, Personal, RecoveryId, Words

ReopenCause = Literal["dissatisfied", "treatment", "remedy_failed", "recurrence", "promise_broken"]
Instrument = Literal["CSAT", "CES", "NPS", "OUTCOME", "VERBATIM", "REVIEW"]
PartyKind = Literal["customer", "prospect", "organisation", "internal"]
Trigger = Annotated[
    str,
    OneOf(
        ("supervisor_demanded", "deadline", "treatment", "leaving", "legal", "regulator", "media", "safety")
        + ("colleague_request", "other")
    ),
]
Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4}$")]
"""A language tag such as el or el-GR."""
Timezone = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]
"""A name of the time zone database such as Europe/Athens."""
OUTCOME_VALUES = ("dissatisfied", "partly", "satisfied")
VALUES: Final[dict[Instrument, tuple[int, int]]] = {
    "CSAT": (1, 5),
    "CES": (1, 7),
    "NPS": (0, 10),
    "OUTCOME": (0, 2),
}
"""The lowest and highest value of each instrument that has one."""
WORST: Final = 3
"""The degree of poor treatment at which somebody with more authority is called in (D3)."""
HIGHEST: Final = 3
"""The level above which there is nobody."""
SETTLED_WITHIN: Final = timedelta(hours=4)
"""How long whoever is called in has before it goes a level up. Source: domain.md section 5, D3."""


class Reference(BaseModel):
    """The caller's own name for a customer: a kind (crm, email, phone ...) and a value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Code
    value: CallerRef


class RelationshipOpened(RelationshipEvent, topic="relationship.opened"):
    """A customer, a prospect, an organisation or an internal team became known."""

    party_kind: PartyKind = "customer"
    references: Personal[tuple[Reference, ...]] = ()
    locale: Locale | None = None
    timezone: Timezone | None = None
    contactable: bool = True

    def links(self) -> tuple[tuple[str, str], ...]:
        return tuple((one.kind, one.value) for one in self.references)

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        return state.but(
            party_kind=self.party_kind,
            contactable=self.contactable,
            timezone=self.timezone,
            opened_at=fact.occurred_at,
        )


class RecoveryReopened(RecoveryEvent, topic="recovery.reopened"):
    """What seemed put right was not."""

    cause: ReopenCause

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.heard_from_us(fact).but(
            phase="acting",
            reopened_for=self.cause,
            reopenings=recovery.reopenings + 1,
            deviations=recovery.deviations + (self.cause != "dissatisfied"),
            settled_by=(),
            apologised=False,
            stated=False,
            resolved_at=None,
            resolved_recorded_at=None,
            closed_at=None,
            outcome=None,
            tries=(),
            unanswered=(),
            declined=False,
            deadlines={},
            follow_up_at=None,
        )


class SatisfactionStated(RelationshipEvent, topic="satisfaction.stated"):
    """The customer's own word on how he feels. Stored as said."""

    instrument: Instrument
    value: Annotated[int, Field(ge=0, le=10, strict=True)] | None = None
    """CSAT 1-5, CES 1-7, NPS 0-10, OUTCOME 0 dissatisfied, 1 partly, 2 satisfied; none for VERBATIM and REVIEW."""
    about: Literal["recovery", "relationship", "encounter"] = "relationship"
    recovery_id: RecoveryId | None = None
    solicited: bool = False
    verbatim: Personal[Words] | None = None

    @property
    def low(self) -> bool:
        """Dissatisfied: CSAT up to 2, NPS up to 4, or said so (I-19)."""
        limits = {"CSAT": 2, "NPS": 4, "OUTCOME": 0}
        return self.value is not None and self.value <= limits.get(self.instrument, -1)

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        if self.solicited:
            state = state.but(asked_at=later(state.asked_at, fact.occurred_at))
        recovery = state.recoveries.get(self.recovery_id) if self.recovery_id else None
        if recovery is None:
            return state
        said = self.value is not None
        return state.with_recovery(
            recovery.but(
                stated=recovery.stated or (recovery.ended and said),
                low_statements=recovery.low_statements + (self.low and recovery.ended),
                last_event_at=later(recovery.last_event_at, fact.occurred_at),
                follow_up_at=None if said else recovery.follow_up_at,
            ).without_clocks(*(["follow_up"] if said else []))
        )


class EscalationRaised(RecoveryEvent, topic="escalation.raised"):
    """Somebody with more authority must look at it."""

    level: Annotated[int, Field(ge=1, le=3, strict=True)] = 1
    trigger: Trigger
    settle_by: Moment | None = None
    """By when somebody should have dealt with it; then it goes a level up (D3). None: it stays where it is."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(escalation=self.level, settle_by=self.settle_by, requests=_gone_up(recovery, fact))


def _gone_up(recovery: Recovery, fact: Fact) -> dict[UUID, Request]:
    """The open requests; those that nobody decided on in time, and that had no fallback, have gone further up."""
    return {
        compensation_id: request.but(timed_out=True)
        if request.fallback is None and request.decide_by <= fact.occurred_at
        else request
        for compensation_id, request in recovery.requests.items()
    }


def refuse_impossible(instrument: Instrument, value: int | None) -> None:
    """Raises InvalidValue when this instrument cannot give this value; VERBATIM and REVIEW give none."""
    if instrument not in VALUES:
        if value is not None:
            raise InvalidValue("value", f"{instrument} is words and takes no value")
        return
    lowest, highest = VALUES[instrument]
    if value is None or not lowest <= value <= highest:
        raise InvalidValue("value", f"{instrument} goes from {lowest} to {highest}")


def opened(state: Relationship, at: Context, party_kind: PartyKind = "customer") -> list[Event]:
    """The event that opens the relationship when nothing is recorded yet, with the reference the caller gave."""
    if state.version:
        return []
    references = tuple(Reference(kind=kind, value=value) for kind, value in at.references)
    return [RelationshipOpened(party_kind=party_kind, references=references, contactable=bool(references))]


def reopened(recovery: Recovery, cause: ReopenCause, at: Context) -> list[Event]:
    """The recovery opened again, with its clocks."""
    event = RecoveryReopened(recovery_id=RecoveryId(recovery.recovery_id), cause=cause)
    return [event, *opening_clocks(recovery, at)]


def heard(recovery: Recovery, stated: SatisfactionStated, at: Context) -> list[Event]:
    """What follows from a customer's word about a recovery (I-19).

    The first word of dissatisfaction after an ending reopens; a later one goes to another person.
    """
    if not (stated.low and recovery.ended):
        return []
    if recovery.low_statements == 0:
        return reopened(recovery, "dissatisfied", at)
    # Above the highest level there is nobody whom he has not spoken to.
    if recovery.escalation == HIGHEST:
        return []
    return [escalated(recovery, "colleague_request", at.occurred_at, told_at=at.recorded_at)]


def called_in(recovery: Recovery, trigger: Trigger, at: Context) -> list[Event]:
    """Somebody with more authority, unless somebody is at it already, or it is all long past (D3)."""
    if looked_after(recovery) or not recovery.clocks or at.importing:
        return []
    return [escalated(recovery, trigger, at.occurred_at, told_at=at.recorded_at)]


def looked_after(recovery: Recovery) -> bool:
    """Whether somebody with more authority is at it within his time, or there is nobody above him.

    An escalation that nobody settled before the matter was put right, and opened again, helps nobody.
    """
    return recovery.escalation is not None and (recovery.settle_by is not None or recovery.escalation >= HIGHEST)


def escalated(
    recovery: Recovery,
    trigger: Trigger,
    moment: datetime,
    *,
    told_at: datetime | None = None,
    level: int | None = None,
) -> EscalationRaised:
    """The escalation of this recovery: without a level, one more than now.

    One that was told so late that it should be settled by now goes no further up: late news raises no storm.
    """
    level = level or min((recovery.escalation or 0) + 1, HIGHEST)
    settle_by = moment + SETTLED_WITHIN
    climbs = level < HIGHEST and recovery.clocks and (told_at is None or settle_by > told_at)
    return EscalationRaised(
        recovery_id=RecoveryId(recovery.recovery_id),
        level=level,
        trigger=trigger,
        settle_by=settle_by if climbs else None,
    )
