"""Settling: the same facts give the same events, in whatever steps the clock is swept."""

from datetime import timedelta
from typing import Any

import hypothesis
from hypothesis import strategies as st

from domain.clocks import DeadlineMissed
from domain.duties import next_due, settle
from domain.kinds import Event
from domain.milestones import RecoveryReopened, RelationshipOpened
from domain.moves.apology import ApologyMade
from domain.moves.failure import FailureReassessed, ReportFailure
from domain.moves.outcome import RecoveryResolved
from domain.relationship import Relationship
from tests.support.clockwork import DAY, Clockwork
from tests.support.given import CUSTOMER, START, named_id

GAPS = st.integers(min_value=0, max_value=12 * DAY)
MOVES = st.sampled_from(["report", "apologise", "resolve", "reopen", "reassess"])
HISTORIES = st.lists(st.tuples(GAPS, MOVES, st.integers(0, 2), st.integers(1, 5)), max_size=12)
STEPS = st.integers(min_value=45, max_value=20 * DAY)
MOMENTS = st.integers(min_value=0, max_value=60 * DAY)


@hypothesis.given(HISTORIES, STEPS)
def test_sweeping_in_any_steps_gives_the_same_events(history: list[Any], every: int):
    assert told(played(history, every)) == told(played(history, None))


@hypothesis.given(HISTORIES, MOMENTS)
def test_settling_yields_nothing_exactly_when_nothing_is_due(history: list[Any], later: int):
    clock = played(history, None, rest=0)
    until = START + timedelta(minutes=clock.now + later)
    due = next_due(clock.story.state)
    assert (settle(clock.story.state, until) == []) == (due is None or due > until)


@hypothesis.given(HISTORIES, MOMENTS)
def test_settling_twice_yields_nothing(history: list[Any], later: int):
    clock = played(history, None, rest=later)
    assert settle(clock.story.state, START + timedelta(minutes=clock.now)) == []


@hypothesis.given(HISTORIES, MOMENTS)
def test_what_is_settled_comes_in_order_and_starts_with_what_was_due_next(history: list[Any], later: int):
    clock = played(history, None, rest=0)
    settled = settle(clock.story.state, START + timedelta(minutes=clock.now + later))
    moments = [at for at, _ in settled]
    assert moments == sorted(moments)
    assert moments[:1] == [next_due(clock.story.state)][: len(moments[:1])]


@hypothesis.given(HISTORIES)
def test_time_alone_comes_to_an_end(history: list[Any]):
    clock = played(history, None, rest=400 * DAY)
    assert clock.due is None


@hypothesis.given(HISTORIES)
def test_what_happens_makes_nothing_due_before_it_happened(history: list[Any]):
    clock = Clockwork().happened(RelationshipOpened(), at=0)
    for gap, move, which, severity in history:
        clock.sweep(clock.now + gap)
        _happen(clock, move, f"failure {which}", severity)
        assert clock.due is None or clock.due > clock.now


def test_nothing_is_due_where_nothing_is_recorded():
    assert settle(Relationship(CUSTOMER), START) == []
    assert next_due(Relationship(CUSTOMER)) is None


def test_nothing_falls_due_for_somebody_who_was_forgotten():
    clock = played([(0, "report", 0, 5)], None, rest=0)
    assert settle(clock.story.state.but(status="erased"), START + timedelta(days=40)) == []


def test_a_deadline_comes_before_the_silence_of_the_same_moment():
    clock = played([(0, "report", 0, 5)], None, rest=0)
    events = [event for _, event in settle(clock.story.state, START + timedelta(days=1))]
    topics = [event.TOPIC for event in events if not _early(event)]
    assert topics[-2:] == ["deadline.missed", "silence.noticed"]


def _early(event: Event) -> bool:
    return isinstance(event, DeadlineMissed) and event.step in ("acknowledge", "first_action")


def told(clock: Clockwork) -> list[Any]:
    """What was recorded and when it happened."""
    return [(fact.occurred_at, fact.event) for fact in clock.story.facts]


def played(history: list[Any], every: float | None, rest: float = 60 * DAY) -> Clockwork:
    """A customer with up to three failures, swept in steps of `every`, or only when something happens."""
    clock = Clockwork().happened(RelationshipOpened(), at=0)
    for gap, move, which, severity in history:
        clock.sweep(clock.now + gap, every)
        _happen(clock, move, f"failure {which}", severity)
    clock.sweep(clock.now + rest, every)
    return clock


def _happen(clock: Clockwork, move: str, name: str, severity: int) -> None:
    recovery_id = named_id(name)
    known = recovery_id in clock.story.state.recoveries
    if move == "report" and not known:
        failure = ReportFailure(what="late", description="Too late.", recovery_id=recovery_id, severity=severity)
        clock.told(failure, at=clock.now)
    if move != "report" and known:
        clock.happened(_fact(move, recovery_id, severity), at=clock.now)


def _fact(move: str, recovery_id: Any, severity: int) -> Event:
    if move == "apologise":
        return ApologyMade(recovery_id=recovery_id, stage="acknowledgement", said="regret")
    if move == "resolve":
        return RecoveryResolved(recovery_id=recovery_id, how_code="remedied", first_contact=False)
    if move == "reopen":
        return RecoveryReopened(recovery_id=recovery_id, cause="recurrence")
    return FailureReassessed(recovery_id=recovery_id, field="severity", to=str(severity), reason="Looked again.")
