"""Told first: who spoke first of what we noticed ourselves."""

from domain.moves.apology import Apologise
from domain.moves.contact import ContactAgain, UpdateCustomer
from domain.moves.outcome import Close
from domain.moves.voice import StateSatisfaction
from projections import told_first
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, period, told
from tests.support.stories import reported

PROACTIVE = UpdateCustomer(kind="proactive", two_way=True, human=False)


def out_of_stock() -> Story:
    """We notice that something ordered is not there."""
    return reported(what="not_available", detection="system_detected")


def test_s1_6_the_share_told_first_is_of_all_that_we_noticed_with_its_interval(shelf: Book):
    tales = [out_of_stock().when(PROACTIVE, at=2) for _ in range(8)]
    tales += [out_of_stock().when(ContactAgain(), at=2).when(PROACTIVE, at=3), out_of_stock()]
    found = asked(told(shelf, *tales), told_first.report)
    rate = found.told_first
    assert (rate.hits, rate.n, rate.share, rate.low, rate.high) == (8, 10, 0.8, 0.4902, 0.9433)
    assert (found.n, found.asked_first, found.not_yet) == (10, 1, 1)


def test_what_the_customer_reported_is_none_of_it(shelf: Book):
    found = asked(told(shelf, reported().when(PROACTIVE, at=2)), told_first.report)
    assert (found.n, found.told_first.share, found.detections) == (0, None, [])


def test_each_way_of_noticing_has_its_own_rate(shelf: Book):
    tales = [out_of_stock().when(PROACTIVE, at=2), reported(detection="predicted")]
    found = asked(told(shelf, *tales), told_first.report)
    assert [(one.detection, one.told_first.hits, one.n) for one in found.detections] == [
        ("predicted", 0, 1),
        ("system_detected", 1, 1),
    ]


def test_a_message_that_cannot_be_answered_tells_nobody(shelf: Book):
    one_way = UpdateCustomer(kind="proactive", two_way=False)
    assert asked(told(shelf, out_of_stock().when(one_way, at=2)), told_first.report).not_yet == 1


def test_a_colleague_who_apologises_first_has_told_him(shelf: Book):
    found = asked(told(shelf, out_of_stock().when(Apologise(said="admits"), at=2)), told_first.report)
    assert (found.told_first.hits, found.not_yet) == (1, 0)


def test_a_complaint_of_his_own_accord_came_first_and_an_answer_to_our_question_did_not(shelf: Book):
    unasked, answered = (
        out_of_stock()
        .when(
            StateSatisfaction(
                instrument="CSAT", value=1, about="recovery", recovery_id=named_id("plums"), solicited=solicited
            ),
            at=2,
        )
        .when(PROACTIVE, at=3)
        for solicited in (False, True)
    )
    found = asked(told(shelf, unasked, answered), told_first.report)
    assert (found.asked_first, found.told_first.hits) == (1, 1)


def test_it_is_told_as_of_then_and_of_what_was_noticed_in_the_period(shelf: Book):
    shelf = told(shelf, out_of_stock().when(PROACTIVE, at=5))
    assert asked(shelf, told_first.report, period(as_of=4)).not_yet == 1
    assert asked(shelf, told_first.report, period(as_of=5)).not_yet == 0
    assert asked(shelf, told_first.report, period(since=1)).n == 0


def test_what_was_entered_in_error_does_not_count(shelf: Book):
    tale = out_of_stock().when(Close(outcome="entered_in_error"), at=3)
    assert asked(told(shelf, tale), told_first.report).n == 0
