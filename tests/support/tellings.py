"""How random histories are told: one small telling for each thing that can happen to a customer.

A telling appends plausible events to the history: what a rule would append with them comes with them.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.alarms import SilenceTimed
from domain.clocks import DeadlineMissed, DeadlineMoved, DeadlineSet, SilenceNoticed
from domain.granting.decision import DecidedBy
from domain.granting.events import (
    CompensationApproved,
    CompensationDelivered,
    CompensationExpired,
    CompensationGranted,
    CompensationRefused,
    CompensationRequested,
)
from domain.kinds import AMENDS
from domain.milestones import (
    EscalationRaised,
    RecoveryReopened,
    Reference,
    RelationshipOpened,
    SatisfactionStated,
)
from domain.moves.apology import ApologyMade
from domain.moves.cause import RootCauseAttributed
from domain.moves.commitment import CommitmentKept, CommitmentMade
from domain.moves.compensation import CompensationReversed
from domain.moves.contact import CustomerContactedAgain, CustomerUpdated, InformationRequested
from domain.moves.escalation import EscalationSettled
from domain.moves.failure import CustomerLoss, FailureReassessed, FailureReported
from domain.moves.follow_up import FollowUpAttempted, FollowUpCompleted
from domain.moves.gesture import GestureMade
from domain.moves.handling import RecoveryAcknowledged, RecoveryAssigned, RecoveryHandedOff
from domain.moves.hearing import ConcernHeard
from domain.moves.invitation import ReturnInvitationExpired, ReturnInvitationIssued
from domain.moves.loyalty import CustomerLost, CustomerReturned
from domain.moves.obstacle import ObstacleEncountered, ObstacleRemoved
from domain.moves.outcome import RecoveryClosed, RecoveryResolved
from domain.moves.relationship import (
    ContactPreferencesSet,
    EncounterCompleted,
    ExpectationRecorded,
    ReferenceLinked,
    ValueDeclared,
)
from domain.moves.remedy import (
    OfferTurnedDown,
    RemedyDelivered,
    RemedyFailed,
    RemedyPromised,
    RemedyStarted,
    RequestRefused,
)
from domain.moves.treatment import TreatmentAnswered, TreatmentReported
from domain.moves.voice import LeavingAnnounced
from domain.moves.waiver import StepWaived
from domain.planning import FollowUpScheduled
from domain.recovery import Recovery
from domain.values import Money
from tests.support.teller import BACK, FRONT, Choice, Teller, of_recovery, telling


def open_relationship(teller: Teller) -> None:
    """The first fact of every stream."""
    reference = Reference(kind="crm", value=f"customer {teller.stream}")
    teller.say(RelationshipOpened(references=(reference,)))


# What goes wrong


@telling(3)
def failure(teller: Teller, choice: Choice) -> None:
    recovery_id = teller.new_id()
    severity = choice.of(2, 1, 3, 4, 5)
    teller.say(
        FailureReported(
            recovery_id=recovery_id,
            what=choice.of("other", "late", "billed_wrong"),
            failure_kind=choice.of("core", "procedural", "interactional", "unknown"),
            resource=choice.of("goods", "service", "monetary", "time", "information", "attention", "unknown"),
            severity=severity,
            severity_customer=choice.of(None, None, 1, 2, 3, 4, 5),
            fault=choice.of("firm", "unknown", "shared", "customer", "outside"),
            similarity_key=choice.of("milk", "billing", "delivery"),
            customer_loss=choice.of(None, CustomerLoss(money=Money(minor=1250, currency="EUR"))),
            description="it went wrong",
            history=(history := choice.of(False, False, False, True)),
        )
    )
    if not history:
        _set_clocks(teller, recovery_id, 480 // severity)


def _set_clocks(teller: Teller, recovery_id: UUID, minutes: int) -> None:
    for n, step in enumerate(("acknowledge", "first_action", "remedy"), start=1):
        due_at = teller.after(n * minutes)
        clock = DeadlineSet(recovery_id=recovery_id, step=step, due_at=due_at, standard="targets:random")
        teller.say(clock, by=AMENDS)


@of_recovery(2)
def reassessed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    field_, to = choice.of(
        ("severity", "1"),
        ("severity", "4"),
        ("severity_customer", "3"),
        ("fault", "customer"),
        ("fault", "firm"),
        ("resource", "monetary"),
        ("failure_kind", "interactional"),
    )
    teller.say(FailureReassessed(recovery_id=recovery.recovery_id, field=field_, to=to, reason="looked again"))


@of_recovery(2)
def treated_poorly(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    teller.say(
        TreatmentReported(
            recovery_id=choice.of(recovery.recovery_id, recovery.recovery_id, None),
            treatment=choice.of("last_word", "blaming", "rude"),
            degree=choice.of(1, 2, 3),
            after_resolution=recovery.ended,
            by_role_class=choice.of("front", "back", None),
        )
    )
    if recovery.ended and teller.facts[-1].event.recovery_id is not None:
        _reopen(teller, recovery, "treatment")


def _reopen(teller: Teller, recovery: Recovery, cause: str) -> None:
    teller.say(RecoveryReopened(recovery_id=recovery.recovery_id, cause=cause))


@of_recovery()
def treatment_answered(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    teller.say(TreatmentAnswered(recovery_id=recovery.recovery_id, note="my side of it"))


# How it is handled


@of_recovery()
def acknowledged(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    teller.say(RecoveryAcknowledged(recovery_id=recovery.recovery_id, human=choice.of(True, False)))


@of_recovery()
def assigned(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    owner = choice.of(FRONT.id, BACK.id, None)
    teller.say(RecoveryAssigned(recovery_id=recovery.recovery_id, owner=owner, team="kitchen"))


@of_recovery()
def handed_off(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    teller.say(RecoveryHandedOff(recovery_id=recovery.recovery_id, from_=FRONT.id, to=BACK.id))


@of_recovery()
def updated(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    kind = choice.of("progress", "proactive", "delay", "result")
    two_way = choice.of(True, False)
    note = "The parcel is on the van again." if kind == "progress" else None
    teller.say(CustomerUpdated(recovery_id=recovery.recovery_id, kind=kind, two_way=two_way, note=note))


@of_recovery()
def contacted_again(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    teller.say(CustomerContactedAgain(recovery_id=recovery.recovery_id))


@of_recovery()
def asked(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    held = choice.of(True, False)
    teller.say(
        InformationRequested(recovery_id=recovery.recovery_id, questions=choice.of(1, 1, 2, 20), already_held=held)
    )


@of_recovery()
def concern_heard(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    compassion = choice.of(None, "named_feeling", "practical_care")
    teller.say(ConcernHeard(recovery_id=recovery.recovery_id, compassion=compassion, summary="what he said"))


@of_recovery(5)
def apologised(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    said = choice.of("admits", "regret", "admits_and_commits", "none")
    teller.say(
        ApologyMade(
            recovery_id=recovery.recovery_id,
            stage=choice.of("acknowledgement", "resolution", "follow_up"),
            said=said,
            feeling_named=said != "none" and choice.of(True, False),
            explanation=choice.of("none", "brief", "full"),
            explanation_wanted=choice.of(None, True, False),
            accepted=choice.of(None, "accepted", "neutral", "rejected"),
        )
    )


@of_recovery()
def obstacle(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    kind, rule_id = choice.of(("policy_block", "no-cash-refunds"), ("tool_or_equipment", None), ("overload", None))
    teller.say(
        ObstacleEncountered(
            recovery_id=choice.of(recovery.recovery_id, None),
            obstacle_id=teller.new_id(),
            kind=kind,
            rule_id=rule_id,
        )
    )


@of_recovery()
def obstacle_removed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    obstacle_id = choice.of(*recovery.obstacles) if recovery.obstacles else None
    if obstacle_id is None:
        obstacle(teller, choice)
    else:
        teller.say(
            ObstacleRemoved(
                recovery_id=recovery.recovery_id, obstacle_id=obstacle_id, how="workaround", reason="another way"
            )
        )


@of_recovery()
def escalated(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    if recovery.escalation:
        teller.say(EscalationSettled(recovery_id=recovery.recovery_id, how="the manager called him"))
    else:
        trigger = choice.of("supervisor_demanded", "leaving", "legal")
        teller.say(EscalationRaised(recovery_id=recovery.recovery_id, level=choice.of(1, 2), trigger=trigger))


@of_recovery()
def committed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    if recovery.commitments:
        kept = choice.of(*recovery.commitments)
        teller.say(CommitmentKept(recovery_id=recovery.recovery_id, commitment_id=kept))
    else:
        teller.say(
            CommitmentMade(
                recovery_id=recovery.recovery_id,
                commitment_id=teller.new_id(),
                what="call before noon",
                due_at=teller.after(180),
            )
        )


@of_recovery()
def waived(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    step = choice.of("compensation", "apology", "follow_up", "root_cause", "compassion")
    teller.say(StepWaived(recovery_id=recovery.recovery_id, step=step, reason="trivial"))


@of_recovery()
def root_cause(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    cause = choice.of("tool_system", "training", "supplier")
    teller.say(RootCauseAttributed(recovery_id=recovery.recovery_id, cause_class=cause), by=BACK)


# What he gets


@of_recovery()
def promised(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    _promise(teller, choice, recovery)


def _promise(teller: Teller, choice: Choice, recovery: Recovery) -> UUID:
    remedy_id = teller.new_id()
    repaid_by = choice.of(
        *("exchange", "money_now", "money_later", "reperformance", "expedite"),
        *("information", "psychological", "unknown"),
    )
    teller.say(
        RemedyPromised(
            recovery_id=recovery.recovery_id, remedy_id=remedy_id, remedy_kind="other", repaid_by=repaid_by
        )
    )
    return remedy_id


def _remedies(recovery: Recovery, *statuses: str) -> Sequence[UUID]:
    return [one for one, remedy in recovery.remedies.items() if remedy.status in statuses]


@of_recovery()
def started(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    waiting = _remedies(recovery, "promised")
    remedy_id = waiting[0] if waiting else _promise(teller, choice, recovery)
    teller.say(RemedyStarted(recovery_id=recovery.recovery_id, remedy_id=remedy_id))


@of_recovery(4)
def delivered(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    waiting = _remedies(recovery, "promised", "started")
    remedy_id = waiting[0] if waiting else _promise(teller, choice, recovery)
    resolves = choice.of("full", "partial", "unknown", "none")
    teller.say(RemedyDelivered(recovery_id=recovery.recovery_id, remedy_id=remedy_id, resolves=resolves))


@of_recovery(2)
def remedy_failed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    given = _remedies(recovery, "delivered", "promised", "started")
    if not given:
        delivered(teller, choice)
        return
    teller.say(RemedyFailed(recovery_id=recovery.recovery_id, remedy_id=given[0], reason="broke again"))
    if recovery.ended:
        _reopen(teller, recovery, "remedy_failed")


@of_recovery()
def refused(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    reason = choice.of("outside_policy", "legal", "facts_differ")
    teller.say(RequestRefused(recovery_id=recovery.recovery_id, reason=reason, alternative_kind="repair"))


@of_recovery()
def turned_down(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    waiting = _remedies(recovery, "promised", "started")
    remedy_id = waiting[0] if waiting else _promise(teller, choice, recovery)
    teller.say(OfferTurnedDown(recovery_id=recovery.recovery_id, remedy_id=remedy_id))


@of_recovery(3)
def compensated(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    waiting = _compensations(recovery, "granted")
    compensation_id = waiting[0] if waiting else _grant(teller, choice, recovery)
    if choice.of(True, True, True, False):
        late = choice.of(False, True)
        teller.say(
            CompensationDelivered(recovery_id=recovery.recovery_id, compensation_id=compensation_id, late=late)
        )


def _grant(teller: Teller, choice: Choice, recovery: Recovery) -> UUID:
    compensation_id = teller.new_id()
    teller.say(
        CompensationGranted(
            recovery_id=recovery.recovery_id,
            compensation_id=compensation_id,
            kind=choice.of("voucher", "cash", "free_item"),
            timing=choice.of("now", "later"),
            value=Money(minor=900, currency="EUR"),
            cost=Money(minor=250, currency="EUR"),
            pct_of_loss=choice.of(None, 25, 60, 100, 130, 400),
        )
    )
    return compensation_id


def _compensations(recovery: Recovery, status: str) -> Sequence[UUID]:
    return [one for one, compensation in recovery.compensations.items() if compensation.status == status]


def _ask(teller: Teller, choice: Choice, recovery: Recovery) -> UUID:
    compensation_id = teller.new_id()
    teller.say(
        CompensationRequested(
            recovery_id=recovery.recovery_id,
            compensation_id=compensation_id,
            kind=choice.of("voucher", "cash"),
            cost=Money(minor=12_000, currency="EUR"),
            reason="a wedding cake",
            approver=choice.of("peer", "manager"),
            decide_by=teller.after(choice.of(15, 60)),
            fallback=choice.of(None, Money(minor=2500, currency="EUR")),
            authority=DecidedBy(standard="authority:shipped", version=1, rule_id="front-line-approved"),
        )
    )
    return compensation_id


@of_recovery()
def compensation_requested(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    _ask(teller, choice, recovery)


@of_recovery()
def compensation_decided(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    waiting = list(recovery.requests)
    compensation_id = waiting[0] if waiting else _ask(teller, choice, recovery)
    decided = {"recovery_id": recovery.recovery_id, "compensation_id": compensation_id, "waited_s": 600}
    if choice.of(True, False):
        auto = choice.of(True, False)
        amount = Money(minor=2500, currency="EUR")
        given = {"amount": amount, "in_time": choice.of(True, False), "auto": auto}
        teller.say(CompensationApproved.model_validate(decided | given))
    else:
        teller.say(CompensationRefused.model_validate(decided | {"reason": "he had it yesterday"}))


@of_recovery()
def compensation_expired(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    waiting = _compensations(recovery, "granted")
    compensation_id = waiting[0] if waiting else _grant(teller, choice, recovery)
    expired = CompensationExpired(recovery_id=recovery.recovery_id, compensation_id=compensation_id)
    teller.say(expired, by=AMENDS)


@of_recovery()
def compensation_reversed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    given = _compensations(recovery, "delivered")
    if not given:
        compensated(teller, choice)
        return
    teller.say(
        CompensationReversed(recovery_id=recovery.recovery_id, compensation_id=given[0], reason="by mistake")
    )


@of_recovery()
def invited(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    waiting = [one for one, invitation in recovery.invitations.items() if invitation.status == "open"]
    if waiting:
        expired = ReturnInvitationExpired(recovery_id=recovery.recovery_id, invitation_id=waiting[0])
        teller.say(expired, by=AMENDS)
        return
    teller.say(
        ReturnInvitationIssued(
            recovery_id=recovery.recovery_id,
            invitation_id=teller.new_id(),
            what="dinner",
            value=Money(minor=2000, currency="EUR"),
            cost=Money(minor=800, currency="EUR"),
            valid_until=teller.after(60 * 24 * 60),
        )
    )


# How it ends


@of_recovery(4)
def resolved(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    if not recovery.ended:
        teller.say(RecoveryResolved(recovery_id=recovery.recovery_id, how_code="done"))


@of_recovery(2)
def closed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    if recovery.phase != "closed":
        outcome = choice.of("satisfied", "not_asked", "dissatisfied", "lost", "unreachable")
        teller.say(RecoveryClosed(recovery_id=recovery.recovery_id, outcome=outcome))


@of_recovery(2)
def reopened(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    if recovery.ended:
        _reopen(teller, recovery, choice.of("recurrence", "promise_broken"))


@of_recovery()
def followed_up(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    recovery_id = recovery.recovery_id
    what = choice.of("completed", "scheduled", "attempted")
    if what == "scheduled":
        teller.say(FollowUpScheduled(recovery_id=recovery_id, due_at=teller.after(1440), channel="phone"))
    elif what == "attempted":
        attempt = FollowUpAttempted(recovery_id=recovery_id, outcome="no_answer", n=len(recovery.tries) + 1)
        teller.say(attempt)
    else:
        outcome = choice.of("satisfied", "partly", "dissatisfied")
        teller.say(FollowUpCompleted(recovery_id=recovery_id, outcome=outcome))
        value = {"dissatisfied": 0, "partly": 1, "satisfied": 2}[outcome]
        _state(teller, recovery, instrument="OUTCOME", value=value)


def _state(teller: Teller, recovery: Recovery, **said: Any) -> None:
    stated = SatisfactionStated(about="recovery", recovery_id=recovery.recovery_id, **said)
    first = recovery.low_statements == 0
    teller.say(stated)
    if stated.low and recovery.ended and first:
        _reopen(teller, recovery, "dissatisfied")


ANSWERS = (
    *(("CSAT", value) for value in (4, 5, 3, 2, 1)),
    *(("NPS", value) for value in (7, 10, 5, 0)),
    *(("CES", value) for value in (4, 7, 1)),
    *(("OUTCOME", value) for value in (2, 1, 0)),
    ("VERBATIM", None),
    ("REVIEW", None),
)


@of_recovery(2)
def stated_about_recovery(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    instrument, value = choice.of(*ANSWERS)
    _state(teller, recovery, instrument=instrument, value=value, verbatim="in his own words")


# What passes without a recovery


@telling(2)
def stated(teller: Teller, choice: Choice) -> None:
    instrument, value = choice.of(*ANSWERS)
    teller.say(SatisfactionStated(instrument=instrument, value=value))


@telling(2)
def gesture(teller: Teller, choice: Choice) -> None:
    degree = choice.of(1, 2, 3)
    teller.say(GestureMade(gesture_id=teller.new_id(), kind="prevention", degree=degree))


@telling(2)
def encounter(teller: Teller, choice: Choice) -> None:
    teller.say(EncounterCompleted(touchpoint="counter", as_expected=choice.of(True, True, False)))


@telling()
def loyalty(teller: Teller, choice: Choice) -> None:
    if teller.state.lost:
        teller.say(CustomerReturned())
    else:
        teller.say(choice.of(LeavingAnnounced(), CustomerLost(basis="told_us")))


@telling()
def known_better(teller: Teller, choice: Choice) -> None:
    teller.say(
        choice.of(
            ReferenceLinked(kind="email", value=f"{teller.new_id()}@example.org"),
            ContactPreferencesSet(channels=("phone",)),
            ExpectationRecorded(topic="delivery", wish="ring before you come", importance=4),
            ValueDeclared(amount=Money(minor=1500, currency="EUR"), per="day"),
        )
    )


# What time does


@of_recovery(2)
def silence(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    since = recovery.contacted_at or recovery.opened_at
    noticed = SilenceNoticed(recovery_id=recovery.recovery_id, silent_since=since, n=recovery.silences + 1)
    teller.say(noticed, by=AMENDS)


@of_recovery()
def silence_timed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    times = tuple(teller.after(n * choice.of(600, 2880)) for n in range(1, 8))
    standard = {"standard": "targets:shipped", "version": 2, "calendar": "shop"}
    teller.say(SilenceTimed.model_validate({"recovery_id": recovery.recovery_id, "times": times} | standard))


@of_recovery(2)
def missed(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    step = choice.of(*recovery.deadlines, "follow_up")
    teller.say(DeadlineMissed(recovery_id=recovery.recovery_id, step=step), by=AMENDS)


@of_recovery()
def moved(teller: Teller, choice: Choice, recovery: Recovery) -> None:
    step = choice.of(*recovery.deadlines, "remedy")
    later = DeadlineMoved(
        recovery_id=recovery.recovery_id, step=step, due_at=teller.after(1440), reason="reassessed"
    )
    teller.say(later, by=AMENDS)
