"""What goes wrong: failures, what we think of them later, and what fails again."""

from typing import Any

from domain.kinds import Fact
from domain.milestones import RecoveryReopened
from domain.moves.failure import FailureReassessed, FailureReported
from domain.moves.outcome import RecoveryClosed, RecoveryResolved
from domain.moves.remedy import RemedyFailed
from domain.satisfaction.rules import changing, on
from domain.satisfaction.running import Running
from domain.satisfaction.score import RecoveryScore
from domain.satisfaction.terms import FAILED_AGAIN, RECENT_WINDOW, SIMILAR_WINDOW, micros, shown


@on(FailureReported)
def _failure(running: Running, event: FailureReported, fact: Fact) -> None:
    score, at = running.score, micros(fact.occurred_at)
    similar_at = score.last_similar.get(event.similarity_key)
    # Late news lies before what we know already: its distance counts as 0.
    similar = similar_at is not None and at - similar_at <= SIMILAR_WINDOW
    recent = score.last_failure is not None and at - score.last_failure <= RECENT_WINDOW
    recovery = RecoveryScore(
        opened_at=at,
        severity=event.severity,
        severity_customer=event.severity_customer,
        failure_kind=event.failure_kind,
        resource=event.resource,
        fault=event.fault,
        percent=_percent(similar=similar, recent=recent),
        similar=similar,
        money_lost=event.customer_loss is not None and event.customer_loss.money is not None,
        first=score.last_failure is None,
        shown_before=score.shown,
    )
    running.add(-recovery.loss)
    running.keep(event.recovery_id, recovery.but(lowest=shown(running.total)))
    running.note(
        last_failure=max(at, score.last_failure or at),
        last_similar={**score.last_similar, event.similarity_key: max(at, similar_at or at)},
        failures_since_stated=score.failures_since_stated + 1,
    )


def _percent(*, similar: bool, recent: bool) -> int:
    percent = 150 if similar else 100
    return min(percent * 125 // 100 if recent else percent, 200)


@on(FailureReassessed)
def _reassessed(running: Running, event: FailureReassessed, fact: Fact) -> None:
    before = running.recovery(event.recovery_id)
    if before is None:
        return
    numeric = event.field in ("severity", "severity_customer")
    changes: dict[str, Any] = {event.field: int(event.to) if numeric else event.to}
    after = before.but(**changes)
    running.add(before.loss - after.loss)
    running.heal(event.recovery_id, after)


@changing(RecoveryResolved, RecoveryClosed)
def _ended(recovery: RecoveryScore, event: RecoveryResolved | RecoveryClosed, fact: Fact) -> RecoveryScore:
    return recovery.but(ended=True)


@on(RecoveryReopened)
def _reopened(running: Running, event: RecoveryReopened, fact: Fact) -> None:
    recovery = running.recovery(event.recovery_id)
    if recovery is None:
        return
    open_again = recovery.but(ended=False, lowest=min(recovery.lowest, shown(running.total)))
    if event.cause == "dissatisfied":
        # The statement that reopened it has spoken; the same displeasure is not counted twice.
        running.keep(event.recovery_id, open_again)
    else:
        _fail_again(running, event, open_again)


@on(RemedyFailed)
def _remedy_failed(running: Running, event: RemedyFailed, fact: Fact) -> None:
    recovery = running.recovery(event.recovery_id)
    # On an ended recovery the reopening that comes with it counts instead.
    if recovery is not None and not recovery.ended:
        _fail_again(running, event, recovery)


def _fail_again(running: Running, event: RecoveryReopened | RemedyFailed, recovery: RecoveryScore) -> None:
    label = f"DoubleDeviation:{running.label}"
    percent = FAILED_AGAIN[min(recovery.deviations, len(FAILED_AGAIN) - 1)]
    running.add(-(recovery.loss * percent // 100), label)
    failed = recovery.but(deviations=recovery.deviations + 1)
    running.heal(event.recovery_id, failed, f"{label}:attenuate")
