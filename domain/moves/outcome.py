"""Outcome: when a recovery is resolved, opened again, and closed."""

from typing import Final, Literal

from domain.errors import FollowUpMissing, NothingDone, StepMissing, WrongPhase
from domain.granting.approving import withdrawn
from domain.kinds import Context, Elsewhere, Event, Fact
from domain.milestones import RecoveryReopened, ReopenCause, reopened
from domain.planning import follow_up_planned
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship, refuse_own_case
from domain.values import Code, RecoveryId

Outcome = Literal[
    "satisfied",
    "partly",
    "dissatisfied",
    "unreachable",
    "declined",
    "not_asked",
    "withdrawn",
    "lost",
    "duplicate",
    "entered_in_error",
]
FROM_ANY_PHASE: Final = ("withdrawn", "lost", "duplicate", "entered_in_error")
GRAVE: Final = 3
"""From this severity on closing needs what was given on top, and the cause. Source: domain.md I-13."""
TRIES: Final = (1, 1, 2, 3, 3)
"""How many tries on different days make a customer unreachable, by severity 1-5 (I-14)."""


class RecoveryResolved(RecoveryEvent, topic="recovery.resolved"):
    """What went wrong is put right, as far as we know."""

    how_code: Code
    first_contact: bool = False
    """The customer had to come only once: nobody handed him over, and nothing was opened again."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.without_clocks("acknowledge", "first_action", "remedy", "update").but(
            phase="resolved",
            resolved_at=fact.occurred_at,
            resolved_recorded_at=fact.recorded_at,
            first_contact=self.first_contact,
            stated=False,
            tries=(),
            unanswered=(),
            declined=False,
            # It may stay escalated, but whoever put it right need not be chased for it.
            settle_by=None,
        )


class Resolve(RecoveryCommand, path="resolve", facts=(RecoveryResolved,)):
    """Call it put right. Something must have been done, and somebody must have apologised (I-4)."""

    how_code: Code | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if recovery.ended:
            raise WrongPhase(recovery.phase, "one that is not resolved")
        refuse_own_case(recovery, at.actor.colleague_id, at)
        if missing := _missing(recovery):
            raise NothingDone(missing)
        resolved = RecoveryResolved(
            recovery_id=RecoveryId(recovery.recovery_id),
            how_code=self.how_code or _how(recovery),
            first_contact=_first_contact(recovery),
        )
        return [resolved, *follow_up_planned(state, recovery, at)]


class Reopen(RecoveryCommand, path="reopen", facts=(RecoveryReopened,)):
    """Open a resolved or closed recovery again: it was not put right after all."""

    cause: ReopenCause

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        if not recovery.ended:
            raise WrongPhase(recovery.phase, "one that is resolved or closed")
        return reopened(recovery, self.cause, at)


class RecoveryClosed(RecoveryEvent, topic="recovery.closed"):
    """Nothing more will be done, and this is how it ended."""

    outcome: Outcome
    referral: Code | None = None
    """Where the customer was sent who stays dissatisfied: an ombudsman, say."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(
            phase="closed",
            closed_at=fact.occurred_at,
            outcome=self.outcome,
            deadlines={},
            settle_by=None,
            follow_up_at=None,
            requests={},
            lost=recovery.lost or self.outcome == "lost",
        )


class Close(RecoveryCommand, path="close", facts=(RecoveryClosed,)):
    """Close a recovery with its outcome, which nobody may make up (I-14). What was asked for is withdrawn."""

    outcome: Outcome
    referral: Code | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event | Elsewhere]:
        recovery = self.found(state, at)
        refuse_own_case(recovery, at.actor.colleague_id, at)
        _refuse_untimely(recovery, self.outcome)
        needs = _needs(recovery, self.outcome)
        if needs is not None:
            raise FollowUpMissing(self.outcome, needs)
        step = _unfinished(recovery, self.outcome)
        if step is not None and not at.importing:
            raise StepMissing(step)
        recovery_id = RecoveryId(recovery.recovery_id)
        closed = RecoveryClosed(recovery_id=recovery_id, outcome=self.outcome, referral=self.referral)
        return [closed, *withdrawn(state.customer_id, recovery, at)]


def _missing(recovery: Recovery) -> list[str]:
    # Who was treated badly after all was delivered is owed an apology, not a second remedy.
    acted = recovery.acted or "remedy" in recovery.waived or recovery.reopened_for == "treatment"
    apologised = recovery.apologised or "apology" in recovery.waived
    return [step for step, done in (("remedy", acted), ("apology", apologised)) if not done]


def _how(recovery: Recovery) -> str:
    """The last remedy delivered, else `compensation`, else `other`."""
    delivered = [(one.delivered_at, one.remedy_kind) for one in recovery.remedies.values() if one.delivered_at]
    if delivered:
        return max(delivered)[1]
    compensated = any(one.status == "delivered" for one in recovery.compensations.values())
    return "compensation" if compensated else "other"


def _first_contact(recovery: Recovery) -> bool:
    came_back = "contacted_again" in recovery.done or "handed_off" in recovery.done
    return not came_back and recovery.reopenings == 0


def _refuse_untimely(recovery: Recovery, outcome: Outcome) -> None:
    if recovery.phase == "closed":
        raise WrongPhase("closed", "one that is open")
    if recovery.phase != "resolved" and outcome not in FROM_ANY_PHASE:
        raise WrongPhase(recovery.phase, "one that is resolved")


def _unfinished(recovery: Recovery, outcome: Outcome) -> str | None:
    """The step without which a grave matter is not closed (I-13), or None."""
    if recovery.urgency < GRAVE or outcome in FROM_ANY_PHASE:
        return None
    turned_down = any(step == "compensation" for step, _ in recovery.settled_by)
    done = {*recovery.done, *recovery.waived, *(["compensation"] if turned_down else [])}
    return next((step for step in ("compensation", "root_cause") if step not in done), None)


def _needs(recovery: Recovery, outcome: Outcome) -> str | None:
    """What is still needed before it may be closed so, or None."""
    tries = TRIES[recovery.urgency - 1]
    unmet = {
        "unreachable": (len(set(recovery.unanswered)) < tries, f"{tries} unanswered tries, each on its own day"),
        "not_asked": ("follow_up" not in recovery.waived, "the follow-up waived"),
        "declined": (not recovery.declined, "a follow-up that the customer declined"),
        **dict.fromkeys(
            ("satisfied", "partly", "dissatisfied"),
            (not recovery.stated, "the customer's own word since it was resolved"),
        ),
    }
    missing, needs = unmet.get(outcome, (False, ""))
    return needs if missing else None
