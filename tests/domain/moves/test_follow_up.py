"""Follow-up: planned, tried, completed, and what the customer said."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from domain.clocks import DeadlineSet
from domain.milestones import EscalationRaised, RecoveryReopened, SatisfactionStated
from domain.moves.apology import Apologise
from domain.moves.follow_up import (
    AttemptFollowUp,
    CompleteFollowUp,
    FollowUpAttempted,
    FollowUpCompleted,
    ScheduleFollowUp,
    Stated,
)
from domain.moves.outcome import Close, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.planning import FollowUpScheduled
from domain.relationship import evolve
from tests.support.given import START, refused, story
from tests.support.stories import PLUMS, only, resolved

DAY = 24 * 60


def test_a_follow_up_is_planned():
    due_at = START + timedelta(days=2)
    (scheduled,) = resolved().when(ScheduleFollowUp(due_at=due_at, channel="phone"), at=20).then(FollowUpScheduled)
    assert (scheduled.due_at, scheduled.channel) == (due_at, "phone")


def test_a_follow_up_is_not_planned_for_yesterday():
    with refused("invalid_value", field="due_at"):
        resolved().when(ScheduleFollowUp(due_at=START - timedelta(days=1)), at=20)


def test_planning_a_follow_up_leaves_the_promise_of_the_house_where_it_is():
    plums = resolved(severity=3)
    before = only(plums).deadlines["follow_up"]
    plums.when(ScheduleFollowUp(due_at=START + timedelta(days=30)), at=20)
    assert only(plums).deadlines["follow_up"] == before


def test_tries_are_counted_from_the_resolution():
    plums = resolved()
    (first,) = plums.when(AttemptFollowUp(outcome="no_answer"), at=DAY).then(FollowUpAttempted)
    (second,) = plums.when(AttemptFollowUp(outcome="reached"), at=2 * DAY).then(FollowUpAttempted)
    assert (first.n, second.n) == (1, 2)
    assert len(only(plums).tries) == 2
    assert len(only(plums).unanswered) == 1


def test_a_day_of_trying_is_a_day_in_utc_whatever_the_callers_zone():
    plums = resolved(severity=3).when(AttemptFollowUp(outcome="no_answer"), at=14 * 60)
    in_athens = datetime(2026, 3, 3, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    recovery = evolve(plums.state, replace(plums.facts[-1], occurred_at=in_athens)).recovery(PLUMS)
    assert recovery.unanswered == recovery.tries == (date(2026, 3, 2), date(2026, 3, 2))


def test_trying_in_time_keeps_the_promise_to_ask_and_is_contact():
    plums = resolved(severity=3).when(AttemptFollowUp(outcome="no_answer"), at=DAY)
    assert "follow_up" not in only(plums).deadlines
    assert only(plums).contacted_at == START + timedelta(days=1)


def test_a_satisfied_answer_is_also_the_customers_word():
    _, stated = (
        resolved().when(CompleteFollowUp(outcome="satisfied"), at=DAY).then(FollowUpCompleted, SatisfactionStated)
    )
    assert (stated.instrument, stated.value, stated.about) == ("OUTCOME", 2, "recovery")
    assert (stated.recovery_id, stated.solicited) == (PLUMS, True)


def test_a_partly_satisfied_answer_is_worth_one():
    _, stated = (
        resolved().when(CompleteFollowUp(outcome="partly"), at=DAY).then(FollowUpCompleted, SatisfactionStated)
    )
    assert stated.value == 1


def test_the_answer_on_another_scale_takes_the_place_of_the_outcome():
    answer = CompleteFollowUp(outcome="satisfied", treatment=5, stated=Stated(instrument="CSAT", value=5))
    completed, stated = resolved().when(answer, at=DAY).then(FollowUpCompleted, SatisfactionStated)
    assert completed.treatment == 5
    assert (stated.instrument, stated.value) == ("CSAT", 5)


def test_an_impossible_answer_on_another_scale_is_refused():
    with refused("invalid_value", field="stated.value"):
        resolved().when(CompleteFollowUp(outcome="satisfied", stated=Stated(instrument="CSAT", value=6)), at=DAY)


@pytest.mark.parametrize("outcome", ["no_objection", "unreachable", "declined"])
def test_who_said_no_word_on_how_he_feels_stated_nothing(outcome):
    resolved().when(CompleteFollowUp(outcome=outcome), at=DAY).then(FollowUpCompleted)


def test_a_dissatisfied_answer_opens_the_recovery_again():
    plums = resolved().when(CompleteFollowUp(outcome="dissatisfied"), at=DAY)
    _, stated, again, *clocks = plums.last
    assert isinstance(stated, SatisfactionStated)
    assert isinstance(again, RecoveryReopened)
    assert again.cause == "dissatisfied"
    assert [clock.step for clock in clocks if isinstance(clock, DeadlineSet)] == [
        "acknowledge",
        "first_action",
        "remedy",
    ]
    assert only(plums).phase == "acting"


def test_a_second_dissatisfied_answer_goes_to_another_person():
    plums = resolved().when(CompleteFollowUp(outcome="dissatisfied"), at=DAY)
    plums.when(Apologise(said="admits"), at=DAY + 5)
    plums.when(DeliverRemedy(remedy_kind="refund"), at=DAY + 10).when(Resolve(), at=DAY + 20)
    plums.when(CompleteFollowUp(outcome="dissatisfied"), at=2 * DAY)
    plums.then(FollowUpCompleted, SatisfactionStated, EscalationRaised)
    assert only(plums).phase == "resolved"
    plums.when(Close(outcome="dissatisfied", referral="ombudsman"), at=3 * DAY)
    assert only(plums).outcome == "dissatisfied"


def test_a_completed_follow_up_is_a_step_done():
    plums = resolved(severity=3).when(CompleteFollowUp(outcome="no_objection"), at=DAY)
    assert only(plums).done["follow_up"].at == START + timedelta(days=1)
    assert "follow_up" not in only(plums).deadlines


def test_a_rating_outside_its_scale_is_refused():
    with pytest.raises(ValidationError):
        CompleteFollowUp(outcome="satisfied", treatment=6)


def test_there_is_no_follow_up_of_nothing():
    with refused("unknown_ref"):
        story().when(AttemptFollowUp(outcome="no_answer"))
