"""Outcome: resolved, opened again, closed, and what each of them needs."""

from datetime import timedelta

import pytest

from domain.clocks import DeadlineSet
from domain.milestones import RecoveryReopened
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import GrantCompensation, ReverseCompensation
from domain.moves.contact import ContactAgain
from domain.moves.failure import ReportFailure
from domain.moves.follow_up import AttemptFollowUp, CompleteFollowUp
from domain.moves.handling import Assign, HandOff
from domain.moves.outcome import Close, RecoveryClosed, RecoveryResolved, Reopen, Resolve
from domain.moves.remedy import DeliverRemedy, FailRemedy, PromiseRemedy, RefuseRequest, TurnDownOffer
from domain.moves.treatment import ReportTreatment
from domain.moves.voice import StateSatisfaction
from domain.moves.waiver import WaiveStep
from tests.support.given import START, colleague, named_id, refused, story
from tests.support.stories import PLUMS, only, put_right, reported, resolved

DAY = 24 * 60


# Resolving (I-4)


def test_nothing_done_is_not_resolved():
    with refused("nothing_done", missing=["remedy", "apology"]):
        reported().when(Resolve(), at=1)


def test_an_apology_alone_does_not_resolve():
    with refused("nothing_done", missing=["remedy"]):
        reported().when(Apologise(said="admits"), at=1).when(Resolve(), at=2)


def test_a_remedy_without_an_apology_does_not_resolve():
    with refused("nothing_done", missing=["apology"]):
        reported().when(DeliverRemedy(remedy_kind="replacement"), at=1).when(Resolve(), at=2)


def test_an_apology_that_says_nothing_is_none():
    with refused("nothing_done", missing=["remedy", "apology"]):
        reported().when(Apologise(said="none"), at=1).when(Resolve(), at=2)


def test_an_apology_and_a_remedy_resolve():
    (done,) = put_right().when(Resolve(), at=10).then(RecoveryResolved)
    assert (done.recovery_id, done.how_code, done.first_contact) == (PLUMS, "replacement", True)


def test_a_waived_apology_will_do():
    plums = reported().when(DeliverRemedy(remedy_kind="replacement"), at=1)
    plums.when(WaiveStep(step="apology", reason="customer_request"), at=2).when(Resolve(), at=3)
    plums.then(RecoveryResolved)


def test_an_import_may_waive_both():
    plums = reported()
    for step in ("apology", "remedy"):
        plums.when(WaiveStep(step=step, reason="not_recorded"), at=1, importing=True)
    (done,) = plums.when(Resolve(how_code="closed"), at=2, importing=True).then(RecoveryResolved)
    assert done.how_code == "closed"


def test_what_is_resolved_is_not_resolved_again():
    with refused("wrong_phase", phase="resolved"):
        resolved().when(Resolve(), at=20)


def test_what_is_closed_is_not_resolved():
    with refused("wrong_phase", phase="closed"):
        resolved().when(Close(outcome="withdrawn"), at=11).when(Resolve(recovery_id=PLUMS), at=20)


def test_a_customer_who_had_to_come_again_was_not_helped_at_first_contact():
    (done,) = put_right().when(ContactAgain(), at=6).when(Resolve(), at=10).then(RecoveryResolved)
    assert done.first_contact is False


def test_a_customer_who_was_handed_on_was_not_helped_at_first_contact():
    (done,) = put_right().when(HandOff(to="j.okafor"), at=6).when(Resolve(), at=10).then(RecoveryResolved)
    assert done.first_contact is False


def test_what_was_opened_again_was_not_helped_at_first_contact():
    plums = resolved().when(ReportTreatment(treatment="last_word"), at=20).when(Apologise(said="admits"), at=21)
    (done,) = plums.when(Resolve(), at=22).then(RecoveryResolved)
    assert done.first_contact is False


def test_resolving_stops_the_clocks_of_the_work():
    plums = reported(severity=2, customer_loss={"money": {"amount": "5.00", "currency": "EUR"}})
    assert set(only(plums).deadlines) == {"acknowledge", "first_action", "remedy", "compensation"}
    plums.when(Apologise(said="admits"), at=2)
    plums.when(DeliverRemedy(remedy_kind="replacement"), at=3).when(Resolve(), at=10, recorded_at=12)
    assert set(only(plums).deadlines) == {"compensation"}
    assert only(plums).resolved_at == START + timedelta(minutes=10)
    assert only(plums).resolved_recorded_at == START + timedelta(minutes=12)


@pytest.mark.parametrize(("severity", "days"), [(3, 3), (4, 2), (5, 1)])
def test_a_grave_matter_is_followed_up_by_a_deadline(severity, days):
    _, clock = put_right(severity=severity).when(Resolve(), at=10).then(RecoveryResolved, DeadlineSet)
    assert (clock.step, clock.due_at) == ("follow_up", START + timedelta(days=days, minutes=10))


@pytest.mark.parametrize("severity", [1, 2])
def test_a_small_matter_sets_no_deadline_for_the_follow_up(severity):
    put_right(severity=severity).when(Resolve(), at=10).then(RecoveryResolved)


def test_what_the_customer_felt_counts_for_the_follow_up():
    put_right(severity=1, severity_customer=3).when(Resolve(), at=10).then(RecoveryResolved, DeadlineSet)


def test_a_waived_follow_up_sets_no_deadline():
    plums = put_right(severity=3).when(WaiveStep(step="follow_up", reason="customer_request"), at=6)
    plums.when(Resolve(), at=10).then(RecoveryResolved)


def test_history_sets_no_deadline():
    put_right(severity=4, history=True).when(Resolve(), at=10).then(RecoveryResolved)


# What was done and does not stand (I-4)


def delivers(name: str, kind: str = "replacement", resolves: str = "full") -> DeliverRemedy:
    return DeliverRemedy(remedy_id=named_id(name), remedy_kind=kind, resolves=resolves)


def test_a_remedy_before_the_reopening_does_not_stand_for_one_that_failed_since():
    plums = reported().when(Apologise(said="admits"), at=2).when(delivers("first"), at=5).when(Resolve(), at=10)
    plums.when(Reopen(cause="recurrence"), at=20).when(delivers("second"), at=30)
    plums.when(FailRemedy(remedy_id=named_id("second"), reason="Hard again."), at=40)
    plums.when(Apologise(said="admits"), at=41)
    assert not only(plums).acted
    assert "remedy" not in only(plums).done
    with refused("nothing_done", missing=["remedy"]):
        plums.when(Resolve(), at=50)


def test_a_remedy_that_resolves_nothing_does_not_stand_for_a_compensation_taken_back():
    plums = reported().when(Apologise(said="admits"), at=2).when(delivers("first", resolves="none"), at=5)
    plums.when(GrantCompensation(kind="voucher", compensation_id=named_id("voucher"), delivered=True), at=6)
    assert only(plums).acted
    plums.when(ReverseCompensation(compensation_id=named_id("voucher"), reason="Not his."), at=7)
    with refused("nothing_done", missing=["remedy"]):
        plums.when(Resolve(), at=10)


def test_a_refusal_with_an_alternative_stands_when_an_earlier_promise_fails():
    plums = reported().when(Apologise(said="admits"), at=2)
    plums.when(PromiseRemedy(remedy_kind="refund", remedy_id=named_id("refund")), at=5)
    plums.when(RefuseRequest(reason="outside_policy", alternative="A basket of pears."), at=6)
    plums.when(FailRemedy(remedy_id=named_id("refund"), reason="It was never sent."), at=7)
    assert only(plums).done["remedy"].at == START + timedelta(minutes=6)
    plums.when(Resolve(), at=10).then(RecoveryResolved)


def test_a_promise_that_fails_takes_nothing_back_that_was_done_before_the_reopening():
    plums = reported().when(Apologise(said="admits"), at=2).when(delivers("first"), at=5).when(Resolve(), at=10)
    plums.when(Reopen(cause="dissatisfied"), at=20)
    plums.when(PromiseRemedy(remedy_kind="refund", remedy_id=named_id("refund")), at=30)
    plums.when(FailRemedy(remedy_id=named_id("refund"), reason="It was never sent."), at=40)
    assert only(plums).done["remedy"].at == START + timedelta(minutes=5)
    assert not only(plums).acted


def test_what_failed_after_the_reopening_though_delivered_before_is_not_done():
    plums = reported().when(Apologise(said="admits"), at=2).when(delivers("first"), at=5).when(Resolve(), at=10)
    plums.when(Reopen(cause="recurrence"), at=20)
    plums.when(FailRemedy(remedy_id=named_id("first"), reason="Hard again."), at=30)
    assert "remedy" not in only(plums).done


def test_how_it_was_put_right_is_the_remedy_delivered_last_not_the_one_promised_last():
    plums = reported().when(Apologise(said="admits"), at=2)
    for name, kind in (("refund", "refund"), ("swap", "replacement")):
        plums.when(PromiseRemedy(remedy_kind=kind, remedy_id=named_id(name)), at=3)
    plums.when(DeliverRemedy(remedy_id=named_id("swap")), at=4)
    plums.when(DeliverRemedy(remedy_id=named_id("refund")), at=5)
    (done,) = plums.when(Resolve(), at=10).then(RecoveryResolved)
    assert done.how_code == "refund"


# Opening again


def test_a_resolved_recovery_is_opened_again_with_its_clocks():
    again, *clocks = resolved().when(Reopen(cause="recurrence"), at=20).last
    assert isinstance(again, RecoveryReopened)
    assert again.cause == "recurrence"
    assert [clock.step for clock in clocks] == ["acknowledge", "first_action", "remedy"]


def test_a_closed_recovery_is_opened_again_by_its_id():
    plums = resolved().when(Close(outcome="withdrawn"), at=11)
    plums.when(Reopen(cause="promise_broken", recovery_id=PLUMS), at=20)
    assert (only(plums).phase, only(plums).outcome) == ("acting", None)


def test_what_is_open_is_not_opened():
    with refused("wrong_phase", phase="reported"):
        reported().when(Reopen(cause="recurrence"), at=1)


def test_after_a_recurrence_something_must_be_done_again():
    with refused("nothing_done", missing=["remedy", "apology"]):
        resolved().when(Reopen(cause="recurrence"), at=20).when(Resolve(), at=21)


# Closing (I-14)


@pytest.mark.parametrize("outcome", ["satisfied", "partly", "dissatisfied"])
def test_how_the_customer_feels_is_not_made_up(outcome):
    with refused("follow_up_missing", outcome=outcome):
        resolved().when(Close(outcome=outcome), at=20)


def test_the_customers_word_closes_it():
    plums = resolved().when(StateSatisfaction(instrument="CSAT", value=5), at=11)
    (closed,) = plums.when(Close(outcome="satisfied"), at=20).then(RecoveryClosed)
    assert closed.outcome == "satisfied"
    assert (only(plums).phase, only(plums).outcome) == ("closed", "satisfied")


def test_a_completed_follow_up_closes_it():
    plums = resolved().when(CompleteFollowUp(outcome="no_objection"), at=11)
    plums.when(Close(outcome="satisfied"), at=20).then(RecoveryClosed)


def test_a_word_before_the_resolution_does_not_count():
    plums = put_right().when(StateSatisfaction(instrument="CSAT", value=5), at=6).when(Resolve(), at=10)
    with refused("follow_up_missing"):
        plums.when(Close(outcome="satisfied"), at=20)


def test_words_without_a_value_do_not_count():
    plums = resolved().when(StateSatisfaction(instrument="VERBATIM", verbatim="Well."), at=11)
    with refused("follow_up_missing"):
        plums.when(Close(outcome="satisfied"), at=20)


@pytest.mark.parametrize(("severity", "tries"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3)])
def test_nobody_is_unreachable_before_enough_tries_on_different_days(severity, tries):
    plums = resolved(severity=severity)
    for day in range(1, tries):
        plums.when(AttemptFollowUp(outcome="no_answer"), at=day * DAY)
    with refused("follow_up_missing", outcome="unreachable"):
        plums.when(Close(outcome="unreachable"), at=tries * DAY)
    plums.when(AttemptFollowUp(outcome="bounced"), at=tries * DAY)
    for step in ("compensation", "root_cause"):
        plums.when(WaiveStep(step=step, reason="other"), at=tries * DAY)
    plums.when(Close(outcome="unreachable"), at=tries * DAY + 1).then(RecoveryClosed)


@pytest.mark.parametrize("severity", [3, 4, 5])
def test_s4_19_a_grave_matter_is_not_closed_before_something_was_given_and_its_cause_is_known(severity):
    plums = resolved(severity=severity).when(StateSatisfaction(instrument="CSAT", value=5), at=2 * DAY)
    with refused("step_missing", step="compensation"):
        plums.when(Close(outcome="satisfied"), at=3 * DAY)
    plums.when(GrantCompensation(kind="voucher", delivered=True), at=3 * DAY)
    with refused("step_missing", step="root_cause"):
        plums.when(Close(outcome="satisfied"), at=3 * DAY)
    plums.when(AttributeCause(cause_class="supplier"), at=3 * DAY)
    plums.when(Close(outcome="satisfied"), at=3 * DAY).then(RecoveryClosed)


def test_a_step_that_was_waived_or_turned_down_is_not_missing():
    plums = resolved(severity=3)
    gift = named_id("gift")
    plums.when(GrantCompensation(kind="voucher", compensation_id=gift), at=DAY)
    plums.when(TurnDownOffer(compensation_id=gift), at=DAY)
    plums.when(StateSatisfaction(instrument="CSAT", value=5), at=2 * DAY)
    plums.when(WaiveStep(step="root_cause", reason="trivial"), at=2 * DAY)
    plums.when(Close(outcome="satisfied"), at=3 * DAY).then(RecoveryClosed)


@pytest.mark.parametrize("severity", [1, 2])
def test_a_small_matter_closes_without_either(severity):
    plums = resolved(severity=severity).when(StateSatisfaction(instrument="CSAT", value=5), at=2 * DAY)
    plums.when(Close(outcome="satisfied"), at=3 * DAY).then(RecoveryClosed)


def test_two_tries_on_one_day_are_one():
    plums = resolved(severity=3)
    for minute in (1, 2):
        plums.when(AttemptFollowUp(outcome="no_answer"), at=DAY + minute)
    with refused("follow_up_missing"):
        plums.when(Close(outcome="unreachable"), at=DAY + 3)


def test_who_was_reached_is_not_unreachable():
    plums = resolved().when(AttemptFollowUp(outcome="reached"), at=DAY)
    with refused("follow_up_missing"):
        plums.when(Close(outcome="unreachable"), at=DAY + 1)


def test_not_asked_needs_the_follow_up_waived():
    with refused("follow_up_missing", outcome="not_asked"):
        resolved().when(Close(outcome="not_asked"), at=20)
    plums = resolved().when(WaiveStep(step="follow_up", reason="trivial"), at=11)
    plums.when(Close(outcome="not_asked"), at=20).then(RecoveryClosed)


def test_declined_needs_a_customer_who_declined():
    with refused("follow_up_missing", outcome="declined"):
        resolved().when(Close(outcome="declined"), at=20)
    resolved().when(AttemptFollowUp(outcome="declined"), at=11).when(Close(outcome="declined"), at=20)
    resolved().when(CompleteFollowUp(outcome="declined"), at=11).when(Close(outcome="declined"), at=20)


@pytest.mark.parametrize("outcome", ["satisfied", "unreachable", "declined", "not_asked"])
def test_what_is_not_resolved_does_not_close_so(outcome):
    with refused("wrong_phase", phase="reported"):
        reported().when(Close(outcome=outcome), at=1)


@pytest.mark.parametrize("outcome", ["withdrawn", "lost", "duplicate", "entered_in_error"])
def test_these_outcomes_need_nothing(outcome):
    plums = reported().when(Close(outcome=outcome), at=1)
    plums.then(RecoveryClosed)
    assert only(plums).lost == (outcome == "lost")


def test_what_is_closed_is_not_closed_again():
    with refused("wrong_phase", phase="closed"):
        closing = Close(outcome="withdrawn", recovery_id=PLUMS)
        reported().when(closing, at=1).when(closing, at=2)


def test_closing_ends_every_clock():
    plums = reported(severity=4)
    assert only(plums).deadlines
    plums.when(Close(outcome="withdrawn"), at=1)
    assert only(plums).deadlines == {}


def test_a_colleague_named_in_the_case_does_not_resolve_it():
    plums = put_right().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=6)
    with refused("own_case"):
        plums.when(Resolve(), at=10, actor=colleague("m.vance"))
    plums.when(Resolve(), at=10, actor=colleague("j.okafor")).then(RecoveryResolved)


def test_an_owner_named_later_still_owns_the_case_but_decides_nothing_in_it():
    plums = put_right().when(Assign(owner="m.vance"), at=3)
    plums.when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=6)
    assert only(plums).owner == named_id("colleague:m.vance")
    with refused("own_case"):
        plums.when(Resolve(), at=10, actor=colleague("m.vance"))
    plums.when(HandOff(to="j.okafor"), at=11, actor=colleague("m.vance"))


def test_a_colleague_named_in_the_case_does_not_close_it():
    plums = reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)
    with refused("own_case"):
        plums.when(Close(outcome="withdrawn"), at=2, actor=colleague("m.vance"))
    plums.when(Close(outcome="withdrawn"), at=3, actor=colleague("j.okafor")).then(RecoveryClosed)


def test_a_recovery_nobody_knows_has_no_outcome():
    for command in (Resolve(recovery_id=PLUMS), Reopen(cause="recurrence"), Close(outcome="withdrawn")):
        with refused("unknown_ref"):
            story().when(ReportFailure(what="late", description="An hour.")).when(
                command.model_copy(update={"recovery_id": PLUMS})
            )
