"""Failure: something went wrong for a customer, and somebody says so."""

from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.clocks import (
    awaits_compensation,
    moved_clocks,
    opening_clocks,
    set_clocks,
)
from domain.errors import AlreadyExists
from domain.kinds import Context, Event, Fact
from domain.milestones import opened
from domain.planning import FOLLOWED_UP_FROM, follow_up_planned
from domain.recovery import Recovery
from domain.relationship import (
    RecoveryCommand,
    RecoveryEvent,
    Relationship,
    RelationshipCommand,
    RelationshipEvent,
    foreseen,
    refuse_erased,
    refuse_own_case,
)
from domain.times import refuse_future
from domain.values import (
    CallerRef,
    Channel,
    Code,
    Count,
    Moment,
    Money,
    Personal,
    RecoveryId,
    Severity,
    Words,
)
from domain.vocabulary import WHAT, FailureKind, Resource, What

Fault = Literal["firm", "customer", "shared", "outside", "unknown"]
Detection = Literal["customer_reported", "colleague_noticed", "system_detected", "predicted"]
Witnessed = Literal["none", "some", "public"]

DERIVED: Final[dict[str, tuple[FailureKind, Resource]]] = {
    "wrong_or_broken": ("core", "goods"),
    "badly_done": ("core", "service"),
    "not_available": ("core", "goods"),
    "billed_wrong": ("core", "monetary"),
    "late": ("procedural", "time"),
    "not_told": ("procedural", "information"),
    "hard_to_do": ("procedural", "time"),
    "treated_badly": ("interactional", "attention"),
    "other": ("unknown", "unknown"),
}
"""What the reporter chose -> (kind of failure, what was lost). Source: domain.md section 2."""
JUDGED: Final = frozenset({"severity", "severity_customer", "fault"})
"""What nobody decides in a case in which he is named himself (I-21)."""


class CustomerLoss(BaseModel):
    """What it cost the customer: money, minutes, visits, contacts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    money: Money | None = None
    minutes: Count | None = None
    visits: Count | None = None
    contacts: Count | None = None


class FailureReported(RelationshipEvent, topic="failure.reported"):
    """Something went wrong for a customer."""

    recovery_id: RecoveryId
    what: What
    failure_kind: FailureKind
    resource: Resource
    severity: Severity = 2
    severity_customer: Severity | None = None
    fault: Fault = "unknown"
    detection: Detection = "customer_reported"
    channel: Channel = "other"
    touchpoint: Code | None = None
    site: Code | None = None
    product: Personal[Words] | None = None
    similarity_key: Code
    report: Personal[CallerRef] | None = None
    order: Personal[CallerRef] | None = None
    report_key: UUID | None = None
    order_key: UUID | None = None
    customer_loss: CustomerLoss | None = None
    description: Personal[Words]
    customer_words: Personal[Words] | None = None
    desired_outcome: Personal[Words] | None = None
    witnessed: Witnessed = "none"
    incident_id: UUID | None = None
    happened_at: Moment | None = None
    history: bool = False

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        recovery = Recovery(
            recovery_id=self.recovery_id,
            opened_at=fact.occurred_at,
            reported_at=fact.recorded_at,
            what=self.what,
            failure_kind=self.failure_kind,
            resource=self.resource,
            severity=self.severity,
            severity_customer=self.severity_customer,
            fault=self.fault,
            detection=self.detection,
            similarity_key=self.similarity_key,
            repeated=state.had_similar(self.similarity_key, fact.occurred_at),
            loss=self.customer_loss.money if self.customer_loss else None,
            report_key=self.report_key,
            order_key=self.order_key,
            clocks=not self.history,
            public=self.witnessed == "public",
            last_event_at=fact.occurred_at,
        ).heard_from_us(fact)
        return state.with_recovery(recovery)


class ReportFailure(RelationshipCommand, path="report-failure", facts=(FailureReported,), opens=True):
    """Report what went wrong. Only `what` and `description` are needed; the rest is derived or unknown."""

    what: What
    description: Personal[Words]
    recovery_id: RecoveryId | None = None
    failure_kind: FailureKind | None = None
    resource: Resource | None = None
    severity: Severity = 2
    severity_customer: Severity | None = None
    fault: Fault = "unknown"
    detection: Detection = "customer_reported"
    channel: Channel = "other"
    touchpoint: Code | None = None
    site: Code | None = None
    product: Personal[Words] | None = None
    similarity_key: Code | None = None
    report: Personal[CallerRef] | None = None
    order: Personal[CallerRef] | None = None
    customer_loss: CustomerLoss | None = None
    customer_words: Personal[Words] | None = None
    desired_outcome: Personal[Words] | None = None
    witnessed: Witnessed = "none"
    incident_id: UUID | None = None
    happened_at: Moment | None = None
    history: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        refuse_erased(state)
        if self.recovery_id in state.recoveries:
            raise AlreadyExists("recovery", self.recovery_id)
        # What is foreseen has not happened yet.
        if self.detection != "predicted":
            refuse_future("happened_at", self.happened_at, at)
        reported = self._reported(at)
        events = [*opened(state, at), reported]
        recovery = foreseen(state, events, at).recovery(reported.recovery_id)
        return [*events, *opening_clocks(recovery, at)]

    def _reported(self, at: Context) -> FailureReported:
        kind, resource = DERIVED[WHAT.read(self.what)]
        given = self.model_dump(exclude_none=True, exclude={"customer_loss"})
        derived = {
            "recovery_id": self.recovery_id or RecoveryId(at.new_id()),
            "failure_kind": self.failure_kind or kind,
            "resource": self.resource or resource,
            "similarity_key": self.similarity_key or f"{self.what}:{self.touchpoint or ''}"[:64],
            "customer_loss": self.customer_loss,
            "report_key": at.pseudonym("report", self.report) if self.report else None,
            "order_key": at.pseudonym("order", self.order) if self.order else None,
            # An importer's facts are long past: they run no clock, like history told by a person.
            "history": self.history or at.importing,
        }
        return FailureReported.model_validate(given | derived)


class FailureReassessed(RecoveryEvent, topic="failure.reassessed"):
    """We look at the failure differently now."""

    field: Literal["severity", "severity_customer", "fault", "failure_kind", "resource"]
    to: Code
    reason: Personal[Words]

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        numeric = self.field in ("severity", "severity_customer")
        after = recovery.but(**{self.field: int(self.to) if numeric else str(self.to)})
        if after.urgency != recovery.urgency:
            after = after.but(silence_counts_from=fact.recorded_at, alarms=())
        return after if after.expects_compensation else after.without_clocks("compensation")


class Reassess(RecoveryCommand, path="reassess", facts=(FailureReassessed,)):
    """Change what we think of a failure: give one or several of the fields, and why."""

    reason: Personal[Words]
    severity: Severity | None = None
    severity_customer: Severity | None = None
    fault: Fault | None = None
    failure_kind: FailureKind | None = None
    resource: Resource | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        asked = self.model_dump(
            include={"severity", "severity_customer", "fault", "failure_kind", "resource"}, exclude_none=True
        )
        changed = {name: to for name, to in asked.items() if getattr(recovery, name) != to}
        if not JUDGED.isdisjoint(changed):
            refuse_own_case(recovery, at.actor.colleague_id, at)
        events: list[Event] = [
            FailureReassessed.model_validate(
                {"recovery_id": recovery.recovery_id, "field": name, "to": str(to), "reason": self.reason}
            )
            for name, to in changed.items()
        ]
        changed_state = foreseen(state, events, at)
        after = changed_state.recovery(recovery.recovery_id)
        moved = moved_clocks(after, recovery.urgency, at)
        return events + moved + _newly_expected(after, at) + _newly_followed_up(recovery, changed_state, at)


def _newly_expected(recovery: Recovery, at: Context) -> list[Event]:
    """The clock of a compensation that is expected since the failure is looked at differently."""
    if recovery.ended or "compensation" in recovery.deadlines or not awaits_compensation(recovery):
        return []
    return set_clocks(recovery, at, "compensation")


def _newly_followed_up(before: Recovery, state: Relationship, at: Context) -> list[Event]:
    """The clock for asking afterwards, where a resolved matter proves grave: it no longer closes quietly (D7)."""
    after = state.recovery(before.recovery_id)
    asked = after.tries or after.stated
    if after.phase != "resolved" or asked or not before.urgency < FOLLOWED_UP_FROM <= after.urgency:
        return []
    return follow_up_planned(state, after, at)
