"""Situation: what advice looks at: the state that rules need, and what only advice wants to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import singledispatch
from uuid import UUID

from domain.clocks import DeadlineMissed
from domain.errors import UnknownRef
from domain.kinds import Event, Fact
from domain.milestones import EscalationRaised, RecoveryReopened
from domain.moves.apology import ApologyMade
from domain.moves.escalation import EscalationSettled
from domain.moves.failure import FailureReported
from domain.moves.handling import RecoveryAssigned, RecoveryHandedOff
from domain.moves.hearing import ConcernHeard
from domain.moves.remedy import RemedyDelivered, RemedyPromised
from domain.moves.treatment import TreatmentReported
from domain.recovery import Recovery
from domain.relationship import Relationship, evolve, only_one, refuse_erased
from domain.standards.playbook import Circumstances
from domain.values import Frozen


@dataclass(frozen=True)
class Case(Frozen):
    """What advice wants to know of one recovery besides its state."""

    channel: str = "other"
    touchpoint: str | None = None
    heard: bool = False
    """Somebody listened, since the last (re)opening."""
    escalated: bool = False
    """Somebody with more authority was called in, since the last (re)opening."""
    for_treatment: bool = False
    """Somebody was called in for poor treatment, or a report of it names a colleague, since the last opening or as
    the cause of it; and since then it was neither settled nor given to another."""
    closing_apology: bool = False
    """Somebody apologised after the last delivery."""
    promised: Mapping[UUID, datetime] = field(default_factory=dict)
    """For when remedies were promised."""
    missed: Mapping[str, datetime] = field(default_factory=dict)
    """When the clocks of steps ran out, since the last (re)opening."""


@dataclass(frozen=True)
class Situation(Frozen):
    """One customer as advice sees him."""

    relationship: Relationship
    cases: Mapping[UUID, Case] = field(default_factory=dict)

    def case(self, recovery: Recovery) -> Case:
        """What advice knows of this recovery."""
        return self.cases.get(recovery.recovery_id, Case())

    def pressing(self) -> Recovery | None:
        """The open recovery that should come first: the gravest, then the oldest."""
        found = self.relationship.open_recoveries()
        return min(found, key=lambda one: (-one.urgency, one.opened_at, one.recovery_id), default=None)


def situation(facts: Iterable[Fact]) -> Situation:
    """The situation after these facts, in stream order. Raises UnknownRef when there are none."""
    found: Situation | None = None
    for fact in facts:
        known = found or Situation(Relationship(fact.stream_id))
        found = known.but(relationship=evolve(known.relationship, fact), cases=_noted(known.cases, fact))
    if found is None:
        raise UnknownRef("customer")
    return found


def meant(found: Situation, recovery_id: UUID | None) -> Recovery:
    """The recovery of this id, else the only one open. Raises UnknownRef, AmbiguousRecovery or Erased."""
    refuse_erased(found.relationship)
    if recovery_id is not None:
        return found.relationship.recovery(recovery_id)
    return only_one(found.relationship.open_recoveries())


def circumstances(recovery: Recovery, case: Case) -> Circumstances:
    """What a playbook is chosen by."""
    return Circumstances(
        what=recovery.what,
        failure_kind=recovery.failure_kind,
        touchpoint=case.touchpoint,
        severity=recovery.urgency,
        similarity_key=recovery.similarity_key,
    )


def _noted(cases: Mapping[UUID, Case], fact: Fact) -> Mapping[UUID, Case]:
    recovery_id = getattr(fact.event, "recovery_id", None)
    if recovery_id is None:
        return cases
    before = cases.get(recovery_id, Case())
    after = _after(fact.event, before)
    return cases if after is before else {**cases, recovery_id: after}


@singledispatch
def _after(event: Event, case: Case) -> Case:
    return case


@_after.register
def _(event: FailureReported, case: Case) -> Case:
    return case.but(channel=str(event.channel), touchpoint=event.touchpoint)


@_after.register
def _(event: ConcernHeard, case: Case) -> Case:
    return case.but(heard=True)


@_after.register
def _(event: EscalationRaised, case: Case) -> Case:
    return case.but(escalated=True, for_treatment=case.for_treatment or event.trigger == "treatment")


@_after.register
def _(event: TreatmentReported, case: Case) -> Case:
    # That it names somebody can be seen without a key, and after it was erased; who that is, is not asked.
    named = event.by_colleague is not None
    # What comes after the end opens it again with the next event: what was reported before that is over.
    return case.but(for_treatment=named or (case.for_treatment and not event.after_resolution))


@_after.register(EscalationSettled)
@_after.register(RecoveryAssigned)
@_after.register(RecoveryHandedOff)
def _(event: Event, case: Case) -> Case:
    return case.but(for_treatment=False)


@_after.register
def _(event: ApologyMade, case: Case) -> Case:
    return case if event.said == "none" else case.but(closing_apology=True)


@_after.register
def _(event: RemedyPromised, case: Case) -> Case:
    return case if event.due_at is None else case.but(promised={**case.promised, event.remedy_id: event.due_at})


@_after.register
def _(event: RemedyDelivered, case: Case) -> Case:
    return case.but(closing_apology=False)


@_after.register
def _(event: RecoveryReopened, case: Case) -> Case:
    return case.but(
        heard=False,
        escalated=False,
        # The report that opens it again comes before this.
        for_treatment=case.for_treatment and event.cause == "treatment",
        closing_apology=False,
        missed={},
    )


@_after.register
def _(event: DeadlineMissed, case: Case) -> Case:
    return case if event.due_at is None else case.but(missed={**case.missed, event.step: event.due_at})
