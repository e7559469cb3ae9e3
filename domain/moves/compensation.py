"""Compensation: what goes beyond what was owed, from the grant to the customer's hand."""

from collections.abc import Sequence
from typing import Annotated, Literal

from domain.amounts import Fx, percent_of, refuse_amounts
from domain.errors import AlreadyDelivered, AlreadyEnded, AlreadyExists, InvalidValue, UnknownRef
from domain.kinds import Context, Event, Fact
from domain.relationship import (
    Compensation,
    Recovery,
    RecoveryCommand,
    RecoveryEvent,
    Relationship,
    refuse_own_case,
)
from domain.values import CompensationId, Count, Moment, Money, OneOf, Personal, RecoveryId, Words

CompensationKind = Annotated[
    str,
    OneOf(
        ("cash", "card_refund", "credit", "voucher", "discount", "free_item", "upgrade", "points")
        + ("service_extension", "donation", "other")
    ),
]
Basis = Literal["goodwill", "contractual", "statutory", "unknown"]
Timing = Literal["now", "later"]


class CompensationGranted(RecoveryEvent, topic="compensation.granted"):
    """The customer gets something beyond what was owed. `value` is its worth to him, `cost` what it costs us."""

    compensation_id: CompensationId
    kind: CompensationKind
    basis: Basis = "goodwill"
    timing: Timing = "now"
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    pct_of_loss: Count | None = None
    expires_at: Moment | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        compensation = Compensation(kind=self.kind, basis=self.basis, expires_at=self.expires_at)
        return recovery.but(compensations={**recovery.compensations, self.compensation_id: compensation}).acting()


class GrantCompensation(RecoveryCommand, path="grant-compensation", facts=(CompensationGranted,)):
    """Grant something beyond what was owed. With `delivered` it is handed over at the same moment."""

    kind: CompensationKind
    compensation_id: CompensationId | None = None
    basis: Basis = "goodwill"
    timing: Timing = "now"
    value: Money | None = None
    cost: Money | None = None
    fx: Fx | None = None
    expires_at: Moment | None = None
    delivered: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found_open(state, at)
        self._check(state, at)
        refuse_own_case(recovery, at.actor.colleague_id, at)
        granted = self._granted(recovery, at)
        return [granted, *([_delivered(recovery, granted.compensation_id, at)] if self.delivered else [])]

    def _check(self, state: Relationship, at: Context) -> None:
        if any(self.compensation_id in one.compensations for one in state.recoveries.values()):
            raise AlreadyExists("compensation", self.compensation_id)
        if self.expires_at is not None and self.expires_at <= at.occurred_at:
            raise InvalidValue("expires_at", "what is granted must be good for a while")
        refuse_amounts(self.value, self.cost, self.fx)

    def _granted(self, recovery: Recovery, at: Context) -> CompensationGranted:
        return CompensationGranted(
            recovery_id=RecoveryId(recovery.recovery_id),
            compensation_id=self.compensation_id or CompensationId(at.new_id()),
            kind=self.kind,
            basis=self.basis,
            timing=self.timing,
            value=self.value,
            cost=self.cost,
            fx=self.fx,
            pct_of_loss=percent_of(self.value, recovery.loss),
            expires_at=self.expires_at,
        )


class CompensationDelivered(RecoveryEvent, topic="compensation.delivered"):
    """The compensation is in the customer's hand."""

    compensation_id: CompensationId
    late: bool = False

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        delivered = _with_status(recovery, self.compensation_id, "delivered")
        settled = delivered.settled("compensation", self.compensation_id)
        done = settled.acting().contacted(fact).with_done("compensation", fact).with_done("first_action", fact)
        return done.without_clocks("compensation", "first_action")


class DeliverCompensation(RecoveryCommand, path="deliver-compensation", facts=(CompensationDelivered,)):
    """Record that a compensation was handed over; without an id, the only one granted. Lateness is derived."""

    compensation_id: CompensationId | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        compensation_id = self.compensation_id or _only(recovery, "granted")
        compensation = _compensation(recovery, compensation_id)
        if compensation.status == "delivered":
            raise AlreadyDelivered("compensation")
        if compensation.status != "granted":
            raise AlreadyEnded("compensation", compensation.status)
        if compensation.expires_at is not None and compensation.expires_at < at.occurred_at:
            raise AlreadyEnded("compensation", "expired")
        return [_delivered(recovery, compensation_id, at)]


class CompensationExpired(RecoveryEvent, topic="compensation.expired"):
    """The compensation was not taken up in time. It follows from the calendar; nobody posts it."""

    compensation_id: CompensationId

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        compensation = recovery.compensations.get(self.compensation_id)
        if compensation is None or compensation.status != "granted":
            return recovery
        return _with_status(recovery, self.compensation_id, "expired")


class CompensationReversed(RecoveryEvent, topic="compensation.reversed"):
    """The compensation was taken back."""

    compensation_id: CompensationId
    reason: Personal[Words]

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        before = recovery.compensations.get(self.compensation_id)
        reversed_ = _with_status(recovery, self.compensation_id, "reversed")
        if before is None or before.status != "delivered":
            return reversed_
        return reversed_.taken_back("compensation", self.compensation_id)


class ReverseCompensation(RecoveryCommand, path="reverse-compensation", facts=(CompensationReversed,)):
    """Take a compensation back, and say why."""

    compensation_id: CompensationId
    reason: Personal[Words]

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        status = _compensation(recovery, self.compensation_id).status
        if status not in ("granted", "delivered"):
            raise AlreadyEnded("compensation", status)
        refuse_own_case(recovery, at.actor.colleague_id, at)
        return [
            CompensationReversed(
                recovery_id=RecoveryId(recovery.recovery_id),
                compensation_id=self.compensation_id,
                reason=self.reason,
            )
        ]


def _delivered(recovery: Recovery, compensation_id: CompensationId, at: Context) -> CompensationDelivered:
    return CompensationDelivered(
        recovery_id=RecoveryId(recovery.recovery_id),
        compensation_id=compensation_id,
        late=_is_late(recovery, at),
    )


def _is_late(recovery: Recovery, at: Context) -> bool:
    running = recovery.deadlines.get("compensation")
    return at.occurred_at > running.due_at if running else "compensation" in recovery.missed


def _with_status(
    recovery: Recovery, compensation_id: CompensationId, status: Literal["delivered", "expired", "reversed"]
) -> Recovery:
    compensation = recovery.compensations.get(compensation_id)
    if compensation is None:
        return recovery
    changed = compensation.but(status=status)
    return recovery.but(compensations={**recovery.compensations, compensation_id: changed})


def _compensation(recovery: Recovery, compensation_id: CompensationId) -> Compensation:
    try:
        return recovery.compensations[compensation_id]
    except KeyError:
        raise UnknownRef("compensation", compensation_id) from None


def _only(recovery: Recovery, status: str) -> CompensationId:
    found: Sequence[CompensationId] = [
        CompensationId(one)
        for one, compensation in recovery.compensations.items()
        if compensation.status == status
    ]
    if not found:
        raise UnknownRef("compensation")
    if len(found) > 1:
        raise InvalidValue("compensation_id", "several compensations could be meant; name one")
    return found[0]
