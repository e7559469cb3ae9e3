"""Reason to stay: built from what is known, honest where nothing is."""

from dataclasses import replace
from datetime import timedelta

from domain.advice.situation import situation
from domain.advice.stay import ReasonToStay, reason_to_stay
from domain.moves.apology import Apologise
from domain.moves.commitment import KeepCommitment, MakeCommitment
from domain.moves.gesture import MakeGesture
from domain.moves.relationship import OpenRelationship, RecordExpectation
from domain.moves.remedy import DeliverRemedy, FailRemedy, PromiseRemedy
from domain.values import WITHHELD
from tests.support.given import START, Story, named_id, story
from tests.support.stories import report, reported

DAY = 24 * 60


def reasons(tale: Story, at: float = 100) -> ReasonToStay:
    return reason_to_stay(tale.facts, situation(tale.facts), START + timedelta(minutes=at))


def said(tale: Story, at: float = 100) -> list[str]:
    return [one.said for one in reasons(tale, at).reasons]


def known() -> Story:
    return story().when(OpenRelationship())


def wishing(tale: Story, topic: str, wish: str, importance: int, at: float = 1) -> Story:
    return tale.when(RecordExpectation(topic=topic, wish=wish, importance=importance), at=at)


def test_s5_23_where_nothing_is_known_it_says_honestly_that_none_was_earned():
    found = reasons(known())
    assert (found.earned, found.said, found.reasons) == (False, "We have not earned one yet.", ())


def test_s5_23_a_reason_names_his_wishes_our_last_kept_words_what_we_owe_and_the_years():
    tale = wishing(known(), "freshness", "Ripe plums.", 5)
    wishing(tale, "quiet", "A table by the window.", 4)
    wishing(tale, "price", "Cheap.", 2)
    tale.when(MakeGesture(kind="extra_care"), at=2)
    tale.when(report(what="late"), at=3).when(Apologise(said="admits"), at=4)
    call = MakeCommitment(what="Call on Monday.", due_at=START + timedelta(days=1), commitment_id=named_id("call"))
    tale.when(call, at=5).when(KeepCommitment(commitment_id=named_id("call")), at=6)
    tale.when(DeliverRemedy(remedy_kind="refund", resolves="full"), at=7)
    tale.when(PromiseRemedy(remedy_kind="expedite", due_at=START + timedelta(days=3)), at=8)
    assert said(tale, at=2 * 365 * DAY + 10 * DAY) == [
        'We know that freshness matters to you: "Ripe plums."',
        'We know that quiet matters to you: "A table by the window."',
        "We kept our word: we put it right.",
        "We kept our word: Call on Monday.",
        "We still owe you by 2026-03-05: remedy.",
        "You have been with us for 2 years.",
    ]


def test_of_each_wish_what_was_said_last_counts():
    tale = wishing(known(), "quiet", "By the door.", 5)
    wishing(tale, "quiet", "By the window.", 1, at=2)
    assert said(tale) == ['We know that quiet matters to you: "By the window."']


def test_a_remedy_that_failed_is_no_promise_kept():
    tale = reported().when(DeliverRemedy(remedy_kind="refund", resolves="full"), at=1)
    assert said(tale) == ["We kept our word: we put it right."]
    assert said(tale.when(FailRemedy(reason="It never came."), at=2)) == []


def test_a_gesture_is_a_reason_and_years_count_from_the_first_whole_one():
    tale = known().when(MakeGesture(kind="surprise"), at=1)
    assert said(tale, at=300 * DAY) == ["We went beyond our duty for you: surprise."]
    assert said(tale, at=370 * DAY)[1] == "You have been with us for a year."


def test_who_may_not_see_his_words_sees_what_it_is_about():
    tale = wishing(known(), "quiet", "A table by the window.", 4)
    *before, fact = tale.facts
    hidden = [*before, replace(fact, event=fact.event.model_copy(update={"wish": WITHHELD}))]
    found = reason_to_stay(hidden, situation(hidden), START)
    assert [one.said for one in found.reasons] == ["We know that quiet matters to you."]
