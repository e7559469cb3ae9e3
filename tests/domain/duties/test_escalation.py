"""D3: what goes to somebody with more authority, and how far up."""

from domain.clocks import DeadlineMissed, SilenceNoticed
from domain.milestones import EscalationRaised
from domain.moves.apology import Apologise
from domain.moves.escalation import Escalate, SettleEscalation
from domain.moves.failure import ReportFailure
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import ReportTreatment, TreatmentReported
from domain.moves.voice import AnnounceLeaving, LeavingAnnounced
from tests.support.clockwork import DAY, HOUR, Clockwork, minutes
from tests.support.given import named_id
from tests.support.stories import only, report, reported, resolved

CD = named_id("cd")
REFERENCES = (("crm", "C-1001"),)


def failed(severity: int, **more: object) -> Clockwork:
    """A CD skips, and the customer can be reached."""
    failure = ReportFailure(what="wrong_or_broken", description="It skips.", recovery_id=CD, severity=severity)
    return Clockwork().told(failure, at=0, references=REFERENCES, **more)


def raised(clock: Clockwork) -> list[tuple[float, int, str]]:
    """(minute, level, trigger) of every escalation."""
    return [
        (minutes(fact.occurred_at), fact.event.level, fact.event.trigger)
        for fact in clock.story.facts
        if isinstance(fact.event, EscalationRaised)
    ]


# A promise missed.


def test_the_first_promise_missed_in_a_grave_matter_calls_somebody_in_at_the_same_moment():
    clock = failed(4)
    missed, called = clock.sweep(30)
    assert isinstance(missed, DeadlineMissed)
    assert (missed.step, called.trigger) == ("acknowledge", "deadline")
    assert raised(clock) == [(30, 1, "deadline")]


def test_below_that_the_second_promise_missed_does():
    clock = failed(3)
    clock.sweep(2 * HOUR)
    assert raised(clock) == []
    clock.sweep(4 * HOUR)
    assert raised(clock) == [(4 * HOUR, 1, "deadline")]


def test_who_is_called_in_is_not_called_again_for_the_next_promise_missed():
    clock = failed(4)
    clock.sweep(2 * HOUR)
    assert len(clock.log("deadline.missed")) == 2
    assert raised(clock) == [(30, 1, "deadline")]


def test_what_nobody_settles_goes_a_level_up_every_four_hours_and_no_higher_than_three():
    clock = failed(4)
    clock.sweep(60 * DAY)
    assert raised(clock) == [
        (30, 1, "deadline"),
        (30 + 4 * HOUR, 2, "deadline"),
        (30 + 8 * HOUR, 3, "deadline"),
    ]
    assert clock.due is None


def test_what_is_settled_goes_no_further_up_and_the_next_promise_missed_calls_somebody_in_again():
    clock = failed(3)
    clock.told(SettleEscalation(how="He called him."), at=5 * HOUR)
    clock.sweep(2 * DAY)
    assert raised(clock) == [(4 * HOUR, 1, "deadline")]
    clock.sweep(3 * DAY)
    assert raised(clock)[1:] == [(3 * DAY, 1, "deadline")]


def test_who_put_it_right_is_not_chased_for_it():
    clock = failed(4).told(Apologise(said="admits"), at=HOUR)
    clock.told(DeliverRemedy(remedy_kind="replacement"), at=HOUR).told(Resolve(), at=HOUR)
    clock.sweep(DAY)
    assert raised(clock) == [(30, 1, "deadline")]


def test_what_is_closed_goes_no_further_up_even_when_it_is_opened_again():
    clock = failed(4).told(Close(outcome="withdrawn"), at=HOUR)
    clock.told(ReportTreatment(recovery_id=CD, treatment="rude"), at=2 * DAY)
    assert raised(clock) == [(30, 1, "deadline")]
    assert clock.due == 2 * DAY + 30


def test_what_is_opened_again_without_anybody_having_settled_it_goes_a_level_up_at_the_next_promise_missed():
    clock = failed(4).told(Apologise(said="admits"), at=HOUR)
    clock.told(DeliverRemedy(remedy_kind="replacement"), at=HOUR).told(Resolve(), at=HOUR)
    clock.told(Reopen(cause="recurrence"), at=DAY)
    clock.sweep(DAY + 30)
    assert raised(clock) == [(30, 1, "deadline"), (DAY + 30, 2, "deadline")]


# Silence.


def test_after_the_seventh_alarm_somebody_else_is_told():
    clock = failed(1).told(Apologise(said="regret"), at=1).told(DeliverRemedy(remedy_kind="refund"), at=1)
    before = clock.sweep(31 * DAY)
    assert not any(isinstance(one, EscalationRaised) for one in before)
    noticed, called = clock.sweep(35 * DAY + 1)
    assert isinstance(noticed, SilenceNoticed)
    assert (noticed.n, called.level, called.trigger) == (7, 1, "deadline")


# What somebody does or says.


def test_the_worst_treatment_calls_somebody_in():
    plums = reported().when(ReportTreatment(treatment="rude", degree=3), at=5)
    _, called = plums.then(TreatmentReported, EscalationRaised)
    assert (called.level, called.trigger) == (1, "treatment")


def test_lesser_treatment_does_not():
    reported().when(ReportTreatment(treatment="rude", degree=2), at=5).then(TreatmentReported)


def test_the_worst_treatment_after_the_end_opens_it_again_and_calls_somebody_in():
    plums = resolved().when(ReportTreatment(treatment="last_word", degree=3, recovery_id=named_id("plums")), at=20)
    assert [event.TOPIC for event in plums.last][:2] == ["treatment.reported", "recovery.reopened"]
    assert plums.last[-1].trigger == "treatment"


def test_the_worst_treatment_that_belongs_to_no_recovery_calls_nobody():
    plums = resolved().when(Close(outcome="withdrawn"), at=11)
    plums.when(ReportTreatment(treatment="rude", degree=3), at=20).then(TreatmentReported)


def test_a_customer_who_says_that_he_is_going_has_somebody_called_in_for_the_gravest_of_what_is_open():
    plums = reported(severity=2).when(report("pears", severity=3), at=1)
    _, called = plums.when(AnnounceLeaving(), at=2).then(LeavingAnnounced, EscalationRaised)
    assert (called.recovery_id, called.trigger) == (named_id("pears"), "leaving")


def test_somebody_who_is_at_one_of_his_matters_need_not_be_called_in_when_he_is_going():
    plums = reported(severity=2).when(report("pears", severity=3), at=1)
    plums.when(Escalate(recovery_id=named_id("plums"), trigger="supervisor_demanded"), at=2)
    plums.when(AnnounceLeaving(), at=3).then(LeavingAnnounced)


def test_who_goes_while_nothing_is_open_has_nobody_called_in():
    plums = resolved().when(Close(outcome="withdrawn"), at=11)
    plums.when(AnnounceLeaving(), at=20).then(LeavingAnnounced)


def test_a_supervisor_whom_the_customer_demands_has_four_hours_like_anybody_called_in():
    clock = failed(3).told(Escalate(trigger="supervisor_demanded"), at=HOUR)
    clock.sweep(6 * HOUR)
    assert raised(clock) == [(HOUR, 1, "supervisor_demanded"), (5 * HOUR, 2, "deadline")]


def test_an_escalation_told_so_late_that_it_should_be_settled_by_now_goes_no_further_up():
    clock = failed(1).told(Escalate(trigger="media"), at=HOUR, recorded_at=5 * HOUR)
    clock.sweep(7 * HOUR)
    assert raised(clock) == [(HOUR, 1, "media")]


def test_i19_above_the_highest_level_there_is_nobody_to_pass_a_second_bad_word_to():
    plums = resolved().when(CompleteFollowUp(outcome="dissatisfied"), at=DAY)
    plums.when(Apologise(said="admits"), at=DAY + 5).when(DeliverRemedy(remedy_kind="refund"), at=DAY + 10)
    plums.when(Escalate(trigger="legal", level=3), at=DAY + 11).when(Resolve(), at=DAY + 20)
    plums.when(CompleteFollowUp(outcome="dissatisfied"), at=2 * DAY)
    assert [event.TOPIC for event in plums.last] == ["follow_up.completed", "satisfaction.stated"]


# What was long ago.


def test_history_calls_nobody_in():
    history = reported(history=True)
    history.when(ReportTreatment(treatment="rude", degree=3), at=5).then(TreatmentReported)
    history.when(AnnounceLeaving(), at=6).then(LeavingAnnounced)
    history.when(Escalate(trigger="media"), at=7)
    assert only(history).settle_by is None


def test_imports_call_nobody_in():
    plums = reported()
    plums.when(AnnounceLeaving(), at=6, importing=True).then(LeavingAnnounced)


def test_escalations_and_misses_of_an_older_program_have_no_late_consequences():
    clock = failed(3).told(Apologise(said="regret"), at=1).told(DeliverRemedy(remedy_kind="refund"), at=1)
    for step in ("acknowledge", "first_action"):
        clock.happened(DeadlineMissed(recovery_id=CD, step=step), at=HOUR)
    clock.happened(EscalationRaised(recovery_id=CD, level=1, trigger="deadline"), at=HOUR)
    clock.sweep(2 * DAY)
    assert raised(clock) == [(HOUR, 1, "deadline")]


def test_two_promises_missed_before_are_not_made_good_for_without_a_new_one():
    clock = failed(3).told(Apologise(said="regret"), at=1).told(DeliverRemedy(remedy_kind="refund"), at=1)
    for step in ("acknowledge", "first_action"):
        clock.happened(DeadlineMissed(recovery_id=CD, step=step), at=HOUR)
    assert clock.due == 2 * DAY + 1
    assert raised(clock) == []
