"""The next best step: for each moment of a recovery the first thing that is missing."""

from datetime import timedelta
from typing import Any

import hypothesis
import pytest

from domain.advice.next_step import next_step
from domain.advice.situation import meant, situation
from domain.errors import AmbiguousRecovery, Erased
from domain.kinds import Fact
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.commitment import KeepCommitment, MakeCommitment
from domain.moves.compensation import DeliverCompensation, GrantCompensation
from domain.moves.contact import UpdateCustomer
from domain.moves.escalation import Escalate, SettleEscalation
from domain.moves.follow_up import CompleteFollowUp, ScheduleFollowUp
from domain.moves.handling import Acknowledge, Assign, HandOff
from domain.moves.hearing import HearConcern
from domain.moves.invitation import InviteBack
from domain.moves.obstacle import RemoveObstacle, ReportObstacle
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.relationship import PersonalDataErased
from domain.moves.remedy import DeliverRemedy, FailRemedy, PromiseRemedy
from domain.moves.treatment import ReportTreatment
from domain.moves.voice import AnnounceLeaving
from domain.moves.waiver import WaiveStep
from domain.relationship import RecoveryCommand
from domain.standards.document import Standard
from domain.standards.house import House
from domain.standards.rule import HouseRule
from tests.support.advised import WAITER, advised, kinds
from tests.support.given import START, Story, named_id, refused, story
from tests.support.histories import histories
from tests.support.soak import examples
from tests.support.stories import put_right, report, reported

EUR_20 = {"amount": "20.00", "currency": "EUR"}
ATTEMPT = "courier.reschedule-before-first-attempt"


def apologised(**more: Any) -> Story:
    return reported(**more).when(Apologise(said="admits"), at=1)


def proceeding(**more: Any) -> Story:
    """Apologised for, and his own doing: nothing can be had on the spot, so that the later steps show."""
    return apologised(**{"fault": "customer"} | more)


def delivered(**more: Any) -> Story:
    done = proceeding(**more).when(HearConcern(compassion="named_feeling"), at=2)
    return done.when(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=3)


def blocked(kind: str = "policy_block", **more: Any) -> Story:
    obstacle = {"kind": kind, "obstacle_id": named_id("rule")} | more
    return apologised(what="late").when(ReportObstacle.model_validate(obstacle), at=2)


def stands(tale: Story, at: float = 5) -> tuple[str, str]:
    found = advised(tale, at=at)
    return found.step, found.reason_code


def test_nobody_answered_yet_so_answer_and_apologise_by_the_time_promised():
    found = advised(reported(), at=10)
    assert (found.step, found.reason_code) == ("acknowledge_and_apologise", "not_acknowledged")
    assert found.due_at == START + timedelta(minutes=240)
    assert not found.overdue
    assert advised(reported(), at=240).overdue


def named_in_his_own_case() -> Story:
    """Anna's case, in which the customer names her."""
    told = ReportTreatment(treatment="rude", by_colleague="anna")
    return reported().when(Assign(owner="anna"), at=1).when(told, at=2)


def test_i_21_a_case_whose_owner_may_be_the_one_goes_to_somebody_else_first():
    found = advised(named_in_his_own_case(), at=3)
    assert (found.step, found.reason_code) == ("hand_over", "poor_treatment")
    assert [one.command for one in found.options] == ["hand-off", "settle-escalation"]
    assert found.due_at == START + timedelta(minutes=2, hours=4)


@pytest.mark.parametrize(
    "command",
    [
        HandOff(to="petros"),
        Assign(owner="petros"),
        HandOff(team="kitchen"),
        SettleEscalation(how="Nobody was rude."),
    ],
    ids=["handed over", "given to another", "to a team", "settled"],
)
def test_i_21_once_another_has_it_or_it_is_settled_the_customer_comes_first_again(command: RecoveryCommand):
    assert stands(named_in_his_own_case().when(command, at=4), at=5)[0] == "acknowledge_and_apologise"


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("named", ["anna", "petros"], ids=["whose case it is", "another"])
@pytest.mark.parametrize("level", [1, 3])
def test_i_21_it_goes_to_somebody_else_too_where_somebody_was_called_in_before(
    level: int, named: str, degree: int
):
    tale = reported().when(Assign(owner="anna"), at=1).when(Escalate(trigger="legal", level=level), at=2)
    tale.when(ReportTreatment(treatment="rude", degree=degree, by_colleague=named), at=3)
    found = advised(tale, at=4)
    assert (found.step, found.reason_code) == ("hand_over", "poor_treatment")
    assert [one.command for one in found.options] == ["hand-off", "settle-escalation"]


def test_i_21_it_goes_to_somebody_else_where_nobody_is_called_in_and_nothing_is_to_be_settled():
    history = reported(history=True).when(Assign(owner="anna"), at=1)
    found = advised(history.when(ReportTreatment(treatment="rude", by_colleague="petros"), at=2), at=3)
    assert (found.step, found.due_at) == ("hand_over", None)
    assert [one.command for one in found.options] == ["hand-off"]


def test_a_report_below_the_worst_that_names_nobody_is_no_reason_to_hand_it_over():
    tale = reported().when(Assign(owner="anna"), at=1).when(ReportTreatment(treatment="rude", degree=2), at=2)
    assert stands(tale)[0] == "acknowledge_and_apologise"


def put_right_by_another(degree: int = 3, named: str | None = None) -> Story:
    """Anna's case, with a report of poor treatment, that was resolved all the same."""
    told = ReportTreatment(treatment="rude", degree=degree, by_colleague=named)
    tale = reported().when(Assign(owner="anna"), at=1).when(told, at=2)
    return (
        tale.when(Apologise(said="admits"), at=3)
        .when(DeliverRemedy(remedy_kind="refund"), at=4)
        .when(Resolve(), at=5)
    )


@pytest.mark.parametrize(("degree", "named"), [(3, None), (1, "anna"), (1, "petros")])
def test_when_it_fails_again_the_customer_comes_first_whatever_was_reported_before(degree: int, named: str | None):
    again = put_right_by_another(degree, named).when(Reopen(cause="recurrence"), at=6)
    assert stands(again, at=7) == ("apologise", "failed_again")


@pytest.mark.parametrize("level", [None, 3])
def test_i_21_what_a_report_opens_again_goes_to_somebody_else(level: int | None):
    tale = put_right_by_another(degree=1)
    if level:
        tale.when(Escalate(trigger="legal", level=level), at=6)
    tale.when(ReportTreatment(treatment="rude", by_colleague="petros"), at=7)
    assert stands(tale, at=8)[0] == "hand_over"


def test_what_a_report_that_names_nobody_opens_again_goes_on_with_whose_it_is():
    tale = put_right_by_another(degree=1, named="petros").when(ReportTreatment(treatment="last_word"), at=7)
    assert stands(tale, at=8) == ("apologise", "failed_again")


def test_poor_treatment_in_a_case_that_nobody_owns_is_handed_to_nobody():
    tale = reported().when(ReportTreatment(treatment="rude", degree=3), at=2)
    assert stands(tale)[0] == "acknowledge_and_apologise"


def test_what_we_noticed_before_the_customer_did_is_told_to_him_first():
    found = advised(reported(detection="system_detected"))
    assert (found.step, found.reason_code) == ("tell_first", "not_told")
    assert found.options[0].command == "update-customer"


def test_s1_4_a_failure_that_is_foreseen_has_its_deadlines_and_a_next_step_that_prevents_it():
    parcel = reported(what="late", detection="predicted")
    found = advised(parcel)
    assert found.step == "tell_first"
    assert found.due_at is not None
    [first, *_] = [one for one in found.options if one.command == "instant-remedy"]
    assert first.preventive
    assert kinds(advised(reported(what="late")), "instant-remedy")[0] == "expedite"


def test_s1_8_a_burnt_dish_is_done_again_at_once_without_approval():
    found = advised(apologised(what="badly_done"))
    assert (found.step, found.reason_code) == ("instant_remedy", "within_authority")
    assert (found.options[0].kind, found.options[0].approval) == ("reperform", False)
    assert found.script_ref == "playbook:reperform-now:1:steps"
    assert kinds(advised(reported(what="badly_done")), "instant-remedy")[0] == "reperform"


def test_s1_9_what_was_charged_twice_is_paid_back_now_rather_than_later():
    offered = kinds(advised(apologised(what="billed_wrong", customer_loss={"money": EUR_20})), "instant-remedy")
    assert offered == ["refund", "credit_note"]


def test_an_instant_remedy_is_for_losses_that_need_no_proof():
    dear = {"money": {"amount": "50.01", "currency": "EUR"}}
    assert stands(apologised(customer_loss=dear)) == ("offer_remedy", "no_remedy")
    limit = {"money": {"amount": "50.00", "currency": "EUR"}}
    assert stands(apologised(customer_loss=limit))[0] == "instant_remedy"


@pytest.mark.parametrize("fault", ["firm", "unknown", "shared", "outside"])
@pytest.mark.parametrize("severity", [1, 2, 3])
def test_s2_10_who_is_not_at_fault_is_helped_before_he_is_asked_anything(fault: str, severity: int):
    tale = reported(fault=fault, severity=severity)
    assert stands(tale) == ("acknowledge_and_apologise", "not_acknowledged")
    assert kinds(advised(tale), "instant-remedy")
    assert stands(apologised(fault=fault, severity=severity))[0] == "instant_remedy"


@examples(60, many=3_000)
@hypothesis.given(facts=histories())
def test_s2_10_no_step_ever_begins_with_questions_to_the_customer(facts: list[Fact]):
    for found in every(facts):
        assert "request-information" not in {one.command for one in found.options}


@examples(60, many=3_000)
@hypothesis.given(facts=histories())
def test_s2_26_handing_over_is_always_among_the_options(facts: list[Fact]):
    for found in every(facts):
        assert [one.id for one in found.options if one.command == "hand-off"] == ["hand-over"]
        assert not any(one.approval for one in found.options if one.id == "hand-over")


@examples(60, many=3_000)
@hypothesis.given(facts=histories())
def test_s1_23_the_same_story_gives_the_same_step_whoever_folded_it(facts: list[Fact]):
    once, again = every(facts), every(list(facts))
    assert [one.model_dump_json() for one in once] == [one.model_dump_json() for one in again]
    assert all(one.step != "nothing" for one in every(facts, closed=False))


def every(facts: list[Fact], closed: bool = True) -> list[Any]:
    """The steps of all recoveries of the story at its end."""
    found = situation(facts)
    as_of = facts[-1].recorded_at
    house = House.at(as_of)
    recoveries = [one for one in found.relationship.recoveries.values() if closed or one.phase != "closed"]
    return [next_step(found, one, house, WAITER, as_of) for one in recoveries]


def test_s3_22_who_gives_before_he_apologises_is_reminded_to_apologise():
    paid = reported().when(GrantCompensation(kind="voucher", delivered=True), at=1)
    assert stands(paid) == ("acknowledge_and_apologise", "not_acknowledged")
    answered = reported().when(Acknowledge(), at=1)
    assert stands(answered) == ("apologise", "not_apologised")


def test_danger_to_life_or_law_is_escalated_before_anything_else_once():
    grave = reported(severity=5)
    assert stands(grave) == ("escalate", "safety_or_legal")
    assert stands(grave.when(Escalate(trigger="safety"), at=1))[0] == "acknowledge_and_apologise"


def test_the_customer_s_own_five_is_no_alarm_of_the_house():
    assert stands(reported(severity=2, severity_customer=5))[0] == "acknowledge_and_apologise"


@pytest.mark.parametrize(("channel", "step"), [("phone", "listen"), ("email", "offer_remedy")])
def test_who_is_on_the_line_is_listened_to(channel: str, step: str):
    tale = proceeding(channel=channel)
    assert stands(tale)[0] == step
    assert stands(tale.when(HearConcern(summary="He bakes."), at=2))[0] == "offer_remedy"


def test_a_soft_rule_is_overridden():
    assert stands(blocked()) == ("override_rule", "soft_rule")
    assert [one.id for one in advised(blocked()).options] == ["override-rule", "work-around", "hand-over"]


def test_s1_2_a_system_that_forbids_to_help_is_worked_around_and_its_owner_told():
    body = HouseRule(
        title="Reschedule only after a first attempt",
        owner="dispatch",
        hardness="system",
        system="courier-portal",
        forces_failure_first=True,
    )
    portal = [Standard[HouseRule](name=ATTEMPT, body=body)]
    found = advised(blocked(rule_id=ATTEMPT, hardness="soft"), published=portal)
    assert (found.step, found.reason_code) == ("work_around_and_tell_owner", "system_rule")
    around, tell, *_ = found.options
    assert (around.command, around.kind) == ("remove-obstacle", "workaround")
    assert (tell.id, tell.who_can) == ("tell-owner", ("dispatch",))
    assert "rule_overridden" not in kinds(found, "remove-obstacle")
    unwritten = advised(blocked(rule_id=ATTEMPT, hardness="system"))
    assert (unwritten.step, unwritten.options[1].who_can) == ("work_around_and_tell_owner", ("manager",))


def test_a_hard_rule_is_never_overridden_and_something_else_is_offered():
    found = advised(blocked(hardness="hard"))
    assert (found.step, found.reason_code) == ("find_lawful_way", "hard_rule")
    assert "rule_overridden" not in kinds(found, "remove-obstacle")
    assert "refuse-request" in {one.command for one in found.options}


def test_what_else_stands_in_the_way_is_removed_and_then_forgotten():
    slow = blocked("tool_or_equipment")
    assert stands(slow) == ("remove_obstacle", "tool_or_equipment")
    gone = RemoveObstacle(obstacle_id=named_id("rule"), how="fixed", reason="It runs again.")
    assert stands(slow.when(gone, at=3))[0] == "instant_remedy"


def test_a_promise_that_was_not_kept_is_kept_or_made_anew():
    due = START + timedelta(minutes=60)
    promised = proceeding().when(PromiseRemedy(remedy_kind="replacement", due_at=due), at=2)
    assert stands(promised, at=59) == ("show_compassion", "no_compassion")
    found = advised(promised, at=60)
    assert (found.step, found.reason_code) == ("deliver_or_promise_anew", "promise_overdue")
    assert (found.due_at, found.overdue) == (due, True)


def test_a_word_that_was_given_counts_as_much_as_a_remedy():
    call = MakeCommitment(what="Call him.", due_at=START + timedelta(minutes=30), commitment_id=named_id("call"))
    given = delivered().when(call, at=4)
    assert stands(given, at=31) == ("deliver_or_promise_anew", "promise_overdue")
    kept = given.when(KeepCommitment(commitment_id=named_id("call")), at=32)
    assert stands(kept, at=33)[0] == "apologise_in_closing"


def test_s4_18_compassion_is_proposed_until_somebody_has_shown_it():
    done = proceeding().when(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=2)
    assert stands(done) == ("show_compassion", "no_compassion")
    heard = done.when(HearConcern(summary="He bakes tonight."), at=3)
    assert stands(heard) == ("show_compassion", "no_compassion")
    assert stands(heard.when(HearConcern(compassion="practical_care"), at=4))[0] != "show_compassion"


def test_s3_7_who_is_at_fault_himself_gets_words_compassion_and_his_dignity():
    found = advised(reported(fault="customer"))
    assert found.step == "acknowledge_and_apologise"
    assert found.dignity
    done = proceeding().when(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=2)
    assert stands(done)[0] == "show_compassion"
    assert not advised(reported(fault="firm")).dignity


def test_what_is_expected_on_top_is_given_or_waived_then_delivered():
    grave = delivered(fault="firm", severity=3)
    found = advised(grave, at=5)
    assert (found.step, found.reason_code) == ("compensate_or_waive", "compensation_expected")
    assert found.due_at == START + timedelta(days=5)
    granted = grave.when(GrantCompensation(kind="voucher"), at=6)
    assert stands(granted, at=7) == ("deliver_compensation", "granted_not_delivered")
    assert stands(granted.when(DeliverCompensation(), at=8), at=9)[0] == "apologise_in_closing"


def test_what_is_waived_is_not_asked_for():
    waived = delivered(fault="firm", severity=3).when(
        WaiveStep(step="compensation", reason="customer_request"), at=4
    )
    assert stands(waived)[0] == "apologise_in_closing"


def test_news_are_due_when_they_were_promised_and_after_a_whole_interval_of_silence():
    told = proceeding(severity=4).when(HearConcern(compassion="named_feeling"), at=2)
    promised = told.when(PromiseRemedy(remedy_kind="replacement"), at=3)
    assert stands(promised, at=10) == ("deliver_remedy", "promised")
    soon = UpdateCustomer(kind="progress", next_update_due=START + timedelta(minutes=60))
    assert stands(promised.when(soon, at=4), at=60) == ("update_customer", "update_due")
    linked = reported_with_address().when(Apologise(said="admits"), at=1)
    linked = linked.when(HearConcern(compassion="named_feeling"), at=2)
    linked = linked.when(PromiseRemedy(remedy_kind="replacement"), at=3)
    assert stands(linked, at=3 + 3 * 24 * 60 - 1) == ("deliver_remedy", "promised")
    assert stands(linked, at=3 + 3 * 24 * 60) == ("update_customer", "update_due")


def reported_with_address() -> Story:
    return story().when(report(fault="customer"), references=(("crm", "C-1042"),))


def test_after_the_delivery_a_closing_word_then_it_is_resolved():
    assert stands(delivered()) == ("apologise_in_closing", "no_closing_apology")
    closed = delivered().when(Apologise(said="regret"), at=4)
    assert stands(closed) == ("resolve", "all_done")


def test_s2_19_at_the_end_closing_words_are_given():
    resolved = delivered().when(Apologise(said="regret"), at=4).when(Resolve(), at=5)
    for tale in (delivered(), resolved):
        words = advised(tale, at=6).closing_words
        assert words is not None
        assert words.do
        assert any("favour" in line for line in words.dont)
    assert advised(reported()).closing_words is None


def test_d6_he_is_asked_when_it_is_planned_and_not_before():
    tale = story().when(report(severity=2), references=(("crm", "C-1001"),)).when(Apologise(said="regret"), at=1)
    tale.when(DeliverRemedy(remedy_kind="replacement"), at=2).when(Resolve(), at=5)
    tale.when(ScheduleFollowUp(due_at=START + timedelta(days=9)), at=6)
    asking = advised(tale, at=7)
    assert (asking.step, asking.due_at) == ("ask_how_it_went", START + timedelta(days=9))


def test_after_it_is_resolved_ask_invite_look_for_the_cause_and_close():
    tale = delivered(severity=3).when(Apologise(said="regret"), at=4).when(Resolve(), at=5)
    asking = advised(tale, at=6)
    assert (asking.step, asking.due_at) == ("ask_how_it_went", START + timedelta(days=3, minutes=5))
    tale.when(CompleteFollowUp(outcome="satisfied"), at=7)
    assert stands(tale, at=8) == ("invite_back", "grave")
    tale.when(InviteBack(what="dinner", valid_until=START + timedelta(days=90)), at=8)
    assert stands(tale, at=9) == ("find_cause", "no_root_cause")
    tale.when(AttributeCause(cause_class="supplier"), at=9)
    assert stands(tale, at=10) == ("compensate_or_waive", "needed_to_close")
    tale.when(WaiveStep(step="compensation", reason="customer_request"), at=9)
    assert stands(tale, at=10) == ("close", "all_done")
    assert stands(tale.when(Close(outcome="satisfied"), at=10), at=11) == ("nothing", "closed")


def test_a_small_matter_is_asked_about_by_plan_and_closed_without_more():
    tale = delivered(severity=2).when(Apologise(said="regret"), at=4).when(Resolve(), at=5)
    assert advised(tale, at=6).due_at == START + timedelta(days=5, minutes=5)
    waived = tale.when(WaiveStep(step="follow_up", reason="trivial"), at=6)
    assert stands(waived, at=7) == ("close", "all_done")


def test_who_means_to_go_is_invited_back_though_it_was_small():
    tale = delivered(severity=1).when(AnnounceLeaving(), at=4)
    tale.when(Apologise(said="regret"), at=5).when(Resolve(), at=6).when(CompleteFollowUp(outcome="partly"), at=7)
    assert stands(tale, at=8) == ("invite_back", "leaving_announced")


def test_what_failed_again_begins_with_an_apology_and_needs_another_remedy():
    again = put_right(what="badly_done").when(Resolve(), at=6).when(FailRemedy(reason="Burnt again."), at=9)
    assert stands(again, at=10) == ("apologise", "failed_again")
    sorry = again.when(Apologise(said="admits_and_commits"), at=11)
    assert stands(sorry, at=12) == ("instant_remedy", "within_authority")


def test_who_was_treated_badly_after_all_was_done_is_owed_words_not_another_remedy():
    hurt = put_right().when(HearConcern(compassion="time_given"), at=5).when(Resolve(), at=6)
    hurt.when(ReportTreatment(treatment="last_word"), at=7)
    assert stands(hurt, at=8) == ("apologise", "failed_again")
    assert stands(hurt.when(Apologise(said="admits"), at=9), at=10) == ("resolve", "all_done")


def test_without_an_id_the_only_open_recovery_is_meant_and_two_are_not_guessed():
    one = put_right().when(report("pears"), at=20)
    with pytest.raises(AmbiguousRecovery):
        meant(situation(one.facts), None)
    assert meant(situation(one.facts), named_id("pears")).recovery_id == named_id("pears")
    with refused("unknown_ref"):
        meant(situation(one.facts), named_id("apples"))


def test_about_somebody_who_was_forgotten_nothing_is_advised():
    gone = reported().given(PersonalDataErased(request="r-1"), at=5)
    with pytest.raises(Erased):
        meant(situation(gone.facts), None)
