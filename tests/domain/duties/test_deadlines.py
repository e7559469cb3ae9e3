"""D1: a promised time that passes without the step."""

from datetime import timedelta

from domain.clocks import DeadlineMissed, DeadlineSet
from domain.kinds import AMENDS
from domain.moves.apology import Apologise
from domain.moves.failure import FailureReported, Reassess, ReportFailure
from tests.support.clockwork import DAY, HOUR, Clockwork
from tests.support.given import START, named_id

PLUMS = named_id("plums")
BAD_PLUMS = ReportFailure(what="wrong_or_broken", description="The plums were bad.", recovery_id=PLUMS)


def test_a_customer_nobody_answers_misses_acknowledge_first_action_and_remedy_at_their_due_times():
    clock = Clockwork().told(BAD_PLUMS.model_copy(update={"severity": 3}), at=0)
    clock.sweep(5 * DAY)
    assert clock.log("deadline.missed") == [
        (2 * HOUR, "deadline.missed acknowledge"),
        (4 * HOUR, "deadline.missed first_action"),
        (3 * DAY, "deadline.missed remedy"),
        (5 * DAY, "deadline.missed compensation"),
    ]


def test_a_missed_deadline_says_what_was_due_when_and_is_recorded_by_the_house_itself():
    clock = Clockwork().told(BAD_PLUMS, at=0)
    (missed,) = clock.sweep(4 * HOUR)
    assert missed == DeadlineMissed(recovery_id=PLUMS, step="acknowledge", due_at=START + timedelta(hours=4))
    assert clock.story.facts[-1].actor == AMENDS
    assert clock.recovery.missed == ("acknowledge",)


def test_a_deadline_is_missed_at_its_due_time_and_not_a_moment_before():
    clock = Clockwork().told(BAD_PLUMS, at=0)
    assert clock.sweep(4 * HOUR - 1) == []
    assert [type(event) for event in clock.sweep(4 * HOUR)] == [DeadlineMissed]


def test_a_step_done_in_time_is_never_missed():
    clock = Clockwork().told(BAD_PLUMS, at=0).told(Apologise(said="admits"), at=10)
    clock.sweep(2 * DAY)
    assert (4 * HOUR, "deadline.missed acknowledge") not in clock.log()


def test_late_news_misses_only_what_was_still_to_come_when_it_was_recorded():
    clock = Clockwork()
    clock.story.when(BAD_PLUMS, at=0, recorded_at=2 * DAY)
    clock.sweep(6 * DAY)
    assert clock.log("deadline.missed") == [(5 * DAY, "deadline.missed remedy")]


def test_a_deadline_due_at_the_very_moment_it_was_recorded_does_not_fire():
    clock = Clockwork()
    clock.story.when(BAD_PLUMS, at=0, recorded_at=5 * DAY)
    clock.sweep(6 * DAY)
    assert clock.log("deadline.missed") == []


def test_a_failure_told_as_history_runs_no_clock():
    clock = Clockwork().told(BAD_PLUMS.model_copy(update={"history": True}), at=0)
    assert clock.sweep(90 * DAY) == []
    assert clock.due is None


def test_a_deadline_of_another_system_never_fires():
    clock = Clockwork().happened(_reported(), at=0)
    theirs = DeadlineSet(
        recovery_id=PLUMS, step="response", due_at=START + timedelta(hours=1), standard="cfpb", fires=False
    )
    clock.happened(theirs, at=0)
    assert clock.sweep(2 * HOUR) == []


def test_a_moved_deadline_is_missed_at_its_new_time():
    clock = Clockwork().told(BAD_PLUMS, at=0)
    clock.told(Reassess(reason="A child ate one.", severity=4), at=20)
    assert clock.due == 30


def test_a_deadline_moved_into_the_past_never_fires():
    clock = Clockwork().told(BAD_PLUMS, at=0)
    clock.told(Reassess(reason="A child ate one.", severity=4), at=60)
    clock.sweep(3 * HOUR)
    assert clock.log("deadline.missed") == [(2 * HOUR, "deadline.missed first_action")]


def test_deadlines_due_together_come_in_the_order_of_recovery_and_step():
    clock = Clockwork()
    for name in ("plums", "peaches", "figs"):
        clock.told(BAD_PLUMS.model_copy(update={"recovery_id": named_id(name)}), at=0)
    missed = clock.sweep(4 * HOUR)
    ids = [event.recovery_id for event in missed]
    assert len(ids) == 3
    assert ids == sorted(ids)


def _reported() -> FailureReported:
    return FailureReported(
        recovery_id=PLUMS,
        what="wrong_or_broken",
        failure_kind="core",
        resource="goods",
        similarity_key="wrong_or_broken:",
        description="The plums were bad.",
    )
