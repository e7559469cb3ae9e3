"""Remedy: what was owed is promised, done, refused with an alternative, or turned down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from domain.errors import (
    AlreadyDelivered,
    AlreadyEnded,
    AlreadyExists,
    InvalidValue,
    NoAlternative,
    UnknownRef,
)
from domain.granting.settling import let_go
from domain.kinds import Context, Elsewhere, Event, Fact
from domain.milestones import reopened
from domain.recovery import Recovery, Remedy
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship, refuse_own_case
from domain.values import CompensationId, Moment, OneOf, Personal, RecoveryId, RemedyId, Words
from domain.vocabulary import REMEDY_KIND, REPAID_BY, RemedyKind, RepaidBy

Mode = Literal["now", "later", "self_service"]
Resolves = Literal["full", "partial", "none", "unknown"]
How = Literal["done", "sent"]
ConfirmedBy = Annotated[str, OneOf(("customer", "colleague", "carrier", "system", "other"))]
RefusalReason = Literal["legal", "safety", "outside_policy", "facts_differ", "limit_reached"]
UNDER_WAY: Final = ("promised", "started")


class RemedyPromised(RecoveryEvent, topic="remedy.promised"):
    """We told the customer what we will do."""

    remedy_id: RemedyId
    remedy_kind: RemedyKind
    repaid_by: RepaidBy
    due_at: Moment | None = None
    mode: Mode = "now"
    unasked: bool = False

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        remedy = Remedy(remedy_kind=self.remedy_kind, repaid_by=self.repaid_by)
        return recovery.but(remedies={**recovery.remedies, self.remedy_id: remedy}).acting().contacted(fact)


class PromiseRemedy(RecoveryCommand, path="promise-remedy", facts=(RemedyPromised,)):
    """Promise the customer what you will do. What it repays follows from its kind."""

    remedy_kind: RemedyKind
    remedy_id: RemedyId | None = None
    repaid_by: RepaidBy | None = None
    due_at: Moment | None = None
    mode: Mode = "now"
    unasked: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        return [self.promised(state, self.found_open(state, at), at)]

    def promised(self, state: Relationship, recovery: Recovery, at: Context) -> RemedyPromised:
        """The promise made to this recovery.

        Raises AlreadyExists for an id that is taken, InvalidValue for a due time in the past.
        """
        if self.due_at is not None and self.due_at < at.occurred_at:
            raise InvalidValue("due_at", "lies in the past")
        if any(self.remedy_id in one.remedies for one in state.recoveries.values()):
            raise AlreadyExists("remedy", self.remedy_id)
        return RemedyPromised(
            recovery_id=RecoveryId(recovery.recovery_id),
            remedy_id=self.remedy_id or RemedyId(at.new_id()),
            remedy_kind=self.remedy_kind,
            repaid_by=self.repaid_by or REPAID_BY[REMEDY_KIND.read(self.remedy_kind)],
            due_at=self.due_at,
            mode=self.mode,
            unasked=self.unasked,
        )


class RemedyStarted(RecoveryEvent, topic="remedy.started"):
    """Work on the remedy began."""

    remedy_id: RemedyId

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return _first_action(_with_status(recovery, self.remedy_id, "started").acting(), fact)


class StartRemedy(RecoveryCommand, path="start-remedy", facts=(RemedyStarted,)):
    """Begin with a promised remedy; without an id, with the only one under way."""

    remedy_id: RemedyId | None = None

    def names(self, recovery: Recovery) -> bool:
        return self.remedy_id in recovery.remedies

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        remedy_id = self.remedy_id or _only(_of_status(recovery, *UNDER_WAY))
        _refuse_ended(_remedy(recovery, remedy_id))
        return [RemedyStarted(recovery_id=RecoveryId(recovery.recovery_id), remedy_id=remedy_id)]


class RemedyDelivered(RecoveryEvent, topic="remedy.delivered"):
    """The remedy was done, or sent. How far it resolves the matter decides its worth."""

    remedy_id: RemedyId
    resolves: Resolves = "unknown"
    how: How = "done"
    meets_desire: bool | None = None
    confirmed_by: ConfirmedBy | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        delivered = _with_status(recovery, self.remedy_id, "delivered", fact.occurred_at)
        acted = _first_action(delivered.acting().contacted(fact), fact)
        if self.resolves == "none":
            return acted
        return _answered(acted, fact, self.remedy_id)


class DeliverRemedy(RecoveryCommand, path="deliver-remedy", facts=(RemedyDelivered,)):
    """Record that the remedy was done or sent. With a `remedy_kind` an unpromised one is promised on the spot."""

    remedy_id: RemedyId | None = None
    remedy_kind: RemedyKind | None = None
    repaid_by: RepaidBy | None = None
    unasked: bool = False
    resolves: Resolves = "unknown"
    how: How = "done"
    meets_desire: bool | None = None
    confirmed_by: ConfirmedBy | None = None

    def names(self, recovery: Recovery) -> bool:
        return self.remedy_id in recovery.remedies

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if self.remedy_kind is not None and self._is_new(recovery, self.remedy_kind):
            promise = self._promise(self.remedy_kind).promised(state, self.found_open(state, at), at)
            return [promise, self._delivered(recovery, promise.remedy_id)]
        return [self._delivered(recovery, self._promised_before(recovery))]

    def _is_new(self, recovery: Recovery, kind: str) -> bool:
        if self.remedy_id is not None:
            return self.remedy_id not in recovery.remedies
        return not _of_status(recovery, *UNDER_WAY, kind=kind)

    def _promise(self, kind: str) -> PromiseRemedy:
        return PromiseRemedy(
            remedy_kind=kind, remedy_id=self.remedy_id, repaid_by=self.repaid_by, unasked=self.unasked
        )

    def _promised_before(self, recovery: Recovery) -> RemedyId:
        """The remedy meant. Raises UnknownRef for one that was never promised (I-5)."""
        remedy_id = self.remedy_id or _only(_of_status(recovery, *UNDER_WAY, kind=self.remedy_kind))
        remedy = _remedy(recovery, remedy_id)
        if self.remedy_kind not in (None, remedy.remedy_kind):
            raise InvalidValue("remedy_kind", f"this remedy was promised as {remedy.remedy_kind}")
        _refuse_ended(remedy)
        return remedy_id

    def _delivered(self, recovery: Recovery, remedy_id: RemedyId) -> RemedyDelivered:
        return RemedyDelivered(
            recovery_id=RecoveryId(recovery.recovery_id),
            remedy_id=remedy_id,
            resolves=self.resolves,
            how=self.how,
            meets_desire=self.meets_desire,
            confirmed_by=self.confirmed_by,
        )


class RemedyFailed(RecoveryEvent, topic="remedy.failed"):
    """The remedy did not do it, or never arrived."""

    remedy_id: RemedyId
    reason: Personal[Words]

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        # On an ended recovery the reopening that follows counts the deviation (I-18).
        counted = recovery.but(deviations=recovery.deviations + (not recovery.ended))
        failed = _with_status(counted, self.remedy_id, "failed").acting()
        before = recovery.remedies.get(self.remedy_id)
        if before is None or before.status != "delivered":
            return failed
        return failed.taken_back("remedy", self.remedy_id)


class FailRemedy(RecoveryCommand, path="fail-remedy", facts=(RemedyFailed,)):
    """Record that a remedy failed or never arrived. What was resolved or closed is open again."""

    reason: Personal[Words]
    remedy_id: RemedyId | None = None

    def names(self, recovery: Recovery) -> bool:
        return self.remedy_id in recovery.remedies

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        remedy_id = self.remedy_id or _only(_of_status(recovery, *UNDER_WAY, "delivered"))
        status = _remedy(recovery, remedy_id).status
        if status in ("failed", "turned_down"):
            raise AlreadyEnded("remedy", status)
        failed = RemedyFailed(
            recovery_id=RecoveryId(recovery.recovery_id), remedy_id=remedy_id, reason=self.reason
        )
        return [failed, *(reopened(recovery, "remedy_failed", at) if recovery.ended else [])]


class RequestRefused(RecoveryEvent, topic="request.refused"):
    """We said no to what the customer asked for, why, and what we offer instead."""

    reason: RefusalReason
    alternative_kind: RemedyKind | None = None
    alternative: Personal[Words] | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return _answered(recovery.acting().contacted(fact), fact, None)


class RefuseRequest(RecoveryCommand, path="refuse-request", facts=(RequestRefused,)):
    """Say no, with the reason and an alternative: a kind of remedy, or words."""

    reason: RefusalReason
    alternative_kind: RemedyKind | None = None
    alternative: Personal[Words] | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        if self.alternative_kind is None and self.alternative is None:
            raise NoAlternative
        refuse_own_case(recovery, at.actor.colleague_id, at)
        return [
            RequestRefused(
                recovery_id=RecoveryId(recovery.recovery_id),
                reason=self.reason,
                alternative_kind=self.alternative_kind,
                alternative=self.alternative,
            )
        ]


class OfferTurnedDown(RecoveryEvent, topic="offer.turned_down"):
    """The customer did not want what we offered."""

    remedy_id: RemedyId | None = None
    compensation_id: CompensationId | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        if self.remedy_id is not None:
            turned_down = _with_status(recovery, self.remedy_id, "turned_down").acting()
            return _answered(turned_down, fact, self.remedy_id)
        compensations = {
            one: compensation.but(status="turned_down") if one == self.compensation_id else compensation
            for one, compensation in recovery.compensations.items()
        }
        answered = recovery.but(compensations=compensations).settled("compensation", self.compensation_id).acting()
        return answered.with_done("compensation", fact).without_clocks("compensation")


class TurnDownOffer(RecoveryCommand, path="turn-down-offer", facts=(OfferTurnedDown,)):
    """Record that the customer did not want a remedy or a compensation; name the one or the other."""

    remedy_id: RemedyId | None = None
    compensation_id: CompensationId | None = None

    def names(self, recovery: Recovery) -> bool:
        return self.remedy_id in recovery.remedies or self.compensation_id in recovery.compensations

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        recovery = self.found(state, at)
        if (self.remedy_id is None) == (self.compensation_id is None):
            raise InvalidValue("remedy_id", "name a remedy or a compensation, one of them")
        if self.remedy_id is not None:
            _refuse_ended(_remedy(recovery, self.remedy_id))
        elif self.compensation_id is not None:
            _refuse_settled(recovery, self.compensation_id)
        turned_down = OfferTurnedDown(
            recovery_id=RecoveryId(recovery.recovery_id),
            remedy_id=self.remedy_id,
            compensation_id=self.compensation_id,
        )
        if self.compensation_id is None:
            return [turned_down]
        offered = recovery.compensations[self.compensation_id]
        return [turned_down, *let_go(state.customer_id, self.compensation_id, offered, at, "turned_down")]


def _with_status(
    recovery: Recovery,
    remedy_id: RemedyId,
    status: Literal["started", "delivered", "failed", "turned_down"],
    delivered_at: datetime | None = None,
) -> Recovery:
    remedy = recovery.remedies.get(remedy_id)
    if remedy is None:
        return recovery
    changed = remedy.but(status=status, delivered_at=delivered_at)
    return recovery.but(remedies={**recovery.remedies, remedy_id: changed})


def _first_action(recovery: Recovery, fact: Fact) -> Recovery:
    return recovery.with_done("first_action", fact).without_clocks("first_action")


def _answered(recovery: Recovery, fact: Fact, remedy_id: UUID | None) -> Recovery:
    """The recovery with what was owed settled one way or the other: by this remedy, or by a refusal."""
    return recovery.settled("remedy", remedy_id).with_done("remedy", fact).without_clocks("remedy")


def _remedy(recovery: Recovery, remedy_id: RemedyId) -> Remedy:
    try:
        return recovery.remedies[remedy_id]
    except KeyError:
        raise UnknownRef("remedy", remedy_id) from None


def _of_status(recovery: Recovery, *statuses: str, kind: str | None = None) -> list[RemedyId]:
    return [
        RemedyId(remedy_id)
        for remedy_id, remedy in recovery.remedies.items()
        if remedy.status in statuses and kind in (None, remedy.remedy_kind)
    ]


def _only(remedy_ids: Iterable[RemedyId]) -> RemedyId:
    found = list(remedy_ids)
    if not found:
        raise UnknownRef("remedy")
    if len(found) > 1:
        raise InvalidValue("remedy_id", "several remedies could be meant; name one")
    return found[0]


def _refuse_ended(remedy: Remedy) -> None:
    if remedy.status == "delivered":
        raise AlreadyDelivered("remedy")
    if remedy.status in ("failed", "turned_down"):
        raise AlreadyEnded("remedy", remedy.status)


def _refuse_settled(recovery: Recovery, compensation_id: CompensationId) -> None:
    compensation = recovery.compensations.get(compensation_id)
    if compensation is None:
        raise UnknownRef("compensation", compensation_id)
    if compensation.status == "delivered":
        raise AlreadyDelivered("compensation")
    if compensation.status != "granted":
        raise AlreadyEnded("compensation", compensation.status)
