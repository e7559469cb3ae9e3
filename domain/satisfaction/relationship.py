"""What else moves the relationship: poor treatment, silence, good deeds, ordinary visits, the customer's word."""

from domain.clocks import DeadlineMissed, SilenceNoticed
from domain.kinds import Fact
from domain.milestones import SatisfactionStated
from domain.moves.gesture import GestureMade
from domain.moves.relationship import EncounterCompleted
from domain.moves.treatment import TreatmentReported
from domain.satisfaction.rules import on
from domain.satisfaction.running import Running
from domain.satisfaction.score import RecoveryScore, Stated
from domain.satisfaction.terms import (
    GESTURE,
    GESTURE_WINDOW,
    GESTURES_AT_MOST,
    HARM,
    MISSED,
    SILENCE,
    TRUST,
    micros,
    stated_value,
)


@on(TreatmentReported)
def _treatment(running: Running, event: TreatmentReported, fact: Fact) -> None:
    running.add(-HARM[event.degree - 1])
    recovery = running.recovery(event.recovery_id)
    if recovery is not None and event.recovery_id is not None:
        running.heal(event.recovery_id, recovery.but(respected=False))


@on(SilenceNoticed)
def _silence(running: Running, event: SilenceNoticed, fact: Fact) -> None:
    running.add(-SILENCE)
    recovery = running.recovery(event.recovery_id)
    if recovery is not None:
        running.heal(event.recovery_id, recovery.but(informed=False))


@on(DeadlineMissed)
def _missed(running: Running, event: DeadlineMissed, fact: Fact) -> None:
    running.add(-MISSED)


@on(GestureMade)
def _gesture(running: Running, event: GestureMade, fact: Fact) -> None:
    at, gestures = micros(fact.occurred_at), running.score.gestures
    gained = sum(points for when, points in gestures if at - when <= GESTURE_WINDOW)
    points = max(0, min(GESTURE[event.degree - 1], GESTURES_AT_MOST - gained))
    if points:
        running.add(points)
        running.note(gestures=(*gestures, (at, points)))


@on(EncounterCompleted)
def _encounter(running: Running, event: EncounterCompleted, fact: Fact) -> None:
    below = running.score.baseline - running.total
    if event.as_expected and below > 0:
        running.add(below * 3 // 100)


@on(SatisfactionStated)
def _stated(running: Running, event: SatisfactionStated, fact: Fact) -> None:
    value = stated_value(event)
    if value is None:
        return
    score = running.score
    error = value - score.shown
    nearer = score.shown + TRUST[event.instrument] * error // 100
    running.add(nearer - score.total, f"{running.label}:{event.instrument}")
    recovery = running.recovery(event.recovery_id) if event.about == "recovery" else None
    stated = Stated(instrument=event.instrument, value=value, at_micros=micros(fact.occurred_at), error=error)
    if recovery is not None:
        stated = _about(stated, event, recovery)
    running.note(stated=stated, basis="stated", failures_since_stated=0)
    if score.last_failure is None:
        running.note(baseline=max(score.baseline, value))


def _about(stated: Stated, event: SatisfactionStated, recovery: RecoveryScore) -> Stated:
    paradox = stated.value > recovery.shown_before
    plausible = recovery.counted_severity <= 3 and recovery.first and not recovery.deviations
    return stated.but(recovery_id=event.recovery_id, paradox=paradox, plausible=paradox and plausible)
