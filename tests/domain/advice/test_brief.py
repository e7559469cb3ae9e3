"""Brief: one page about a customer, his own words before anything of ours."""

from dataclasses import replace
from datetime import timedelta

from domain.advice.brief import Brief, brief
from domain.advice.situation import situation
from domain.kinds import Fact
from domain.moves.commitment import MakeCommitment
from domain.moves.compensation import GrantCompensation
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.handling import Acknowledge
from domain.moves.invitation import InviteBack
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.relationship import RecordExpectation
from domain.moves.remedy import PromiseRemedy
from domain.standards.house import House
from domain.values import ERASED
from tests.support.advised import WAITER
from tests.support.given import START, Story, named_id
from tests.support.stories import put_right, report, reported

DAY = 24 * 60


def page(facts: list[Fact], at: float = 100) -> Brief:
    moment = START + timedelta(minutes=at)
    found = situation(facts)
    return brief(facts, found, found.pressing(), House.at(moment), WAITER, moment, words_shown=True)


def spoken(**more: object) -> Story:
    return reported(desired_outcome="Three good plums.", customer_words="I paid for six.", **more)


def test_s1_14_what_he_wants_stands_before_any_field_of_ours():
    told = page(spoken().facts).model_dump()
    assert list(told)[:2] == ["desired_outcome", "customer_words"]
    assert (told["desired_outcome"], told["customer_words"]) == ("Three good plums.", "I paid for six.")


def test_s1_10_one_page_has_history_promises_limits_and_the_next_step():
    tale = put_right().when(Resolve(), at=6).when(CompleteFollowUp(outcome="satisfied"), at=7)
    tale.when(Close(outcome="satisfied"), at=8).when(report("pears", what="late"), at=DAY)
    tale.when(PromiseRemedy(remedy_kind="expedite", recovery_id=named_id("pears")), at=DAY + 1)
    found = page(tale.facts, at=DAY + 2)
    assert [(one.what, one.phase) for one in found.recoveries] == [
        ("late", "acting"),
        ("wrong_or_broken", "closed"),
    ]
    assert [one.of for one in found.open_promises] == ["expedite"]
    assert found.authority_left.up_to is not None
    assert found.next_step is not None
    assert found.next_step.recovery_id == named_id("pears")
    assert found.last_outcome is not None
    assert (found.last_outcome.recovery_id, found.last_outcome.outcome) == (named_id("plums"), "satisfied")


def test_the_outcome_of_the_last_recovery_that_ended_heads_it_also_when_it_failed_again():
    tale = put_right().when(Resolve(), at=6)
    ended = page(tale.facts).last_outcome
    assert ended is not None
    assert (ended.phase, ended.ended_at, ended.failed_again) == ("resolved", START + timedelta(minutes=6), False)
    assert page(tale.when(Reopen(cause="recurrence"), at=7).facts).last_outcome is None


def test_s2_6_what_failures_cost_him_is_added_up_in_each_currency_by_itself():
    euros = {"money": {"amount": "15.00", "currency": "EUR"}, "minutes": 25, "visits": 1}
    tale = reported(customer_loss=euros).when(report("pears", customer_loss=euros | {"contacts": 2}), at=1)
    zlotys = {"money": {"amount": "4.50", "currency": "PLN"}, "minutes": 5}
    tale.when(report("figs", customer_loss=zlotys), at=2).when(report("dates"), at=3)
    tale.when(report("twice", customer_loss=euros), at=4)
    tale.when(Close(outcome="duplicate", recovery_id=named_id("twice")), at=5)
    cost = page(tale.facts).customer_loss
    assert [str(one) for one in cost.money] == ["30.00 EUR", "4.50 PLN"]
    assert (cost.minutes, cost.visits, cost.contacts) == (55, 2, 2)


def test_what_failures_cost_him_is_told_however_much_it_is():
    most = {"money": {"amount": "90071992547409.91", "currency": "EUR"}}
    tale = reported(customer_loss=most).when(report("pears", customer_loss=most), at=1)
    [money] = page(tale.facts).customer_loss.money
    assert str(money) == "90071992547409.91 EUR"


def test_s3_2_his_wish_stands_beside_what_the_house_does_about_it():
    tale = reported().when(RecordExpectation(topic="freshness", wish="Ripe plums.", importance=5), at=1)
    tale.when(RecordExpectation(topic="music", wish="None.", importance=1), at=2)
    fresh, music = page(tale.facts).expectations
    assert (fresh.topic, fresh.wish, fresh.importance) == ("freshness", "Ripe plums.", 5)
    assert fresh.standard == "What is not fresh is replaced at once, without proof."
    assert (music.topic, music.standard) == ("music", None)


def test_open_promises_of_every_kind_are_told_by_due_time():
    tale = reported().when(GrantCompensation(kind="voucher"), at=1)
    tale.when(MakeCommitment(what="Call him.", due_at=START + timedelta(minutes=90)), at=2)
    tale.when(Acknowledge(expected_by=START + timedelta(minutes=60)), at=3)
    tale.when(PromiseRemedy(remedy_kind="refund", due_at=START + timedelta(minutes=120)), at=4)
    tale.when(InviteBack(what="dinner", valid_until=START + timedelta(days=9)), at=5)
    found = page(tale.facts, at=100).open_promises
    assert [(one.kind, one.of, one.what, one.overdue) for one in found] == [
        ("update", None, None, True),
        ("commitment", None, "Call him.", True),
        ("remedy", "refund", None, False),
        ("invitation", None, None, False),
        ("compensation", "voucher", None, False),
    ]
    assert [one.kind for one in page(tale.facts, at=10 * DAY).open_promises].count("invitation") == 0


def test_of_several_open_recoveries_the_gravest_is_advised_on():
    tale = reported().when(report("pears", severity=4), at=5)
    found = page(tale.facts)
    assert found.next_step is not None
    assert found.next_step.recovery_id == named_id("pears")


def test_words_that_are_gone_are_not_there():
    *before, fact = spoken().facts[:2]
    gone = fact.event.model_copy(update={"desired_outcome": ERASED, "customer_words": ERASED})
    found = page([*before, replace(fact, event=gone)])
    assert (found.desired_outcome, found.customer_words) == (None, None)


def test_where_nothing_is_open_there_is_no_step_and_still_a_page():
    tale = put_right().when(Close(outcome="withdrawn"), at=6)
    found = page(tale.facts)
    assert (found.next_step, found.desired_outcome) == (None, None)
    assert found.authority_left.rule_id == "front-line"
