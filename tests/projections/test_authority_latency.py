"""Authority latency: what is decided at the front line, and how long the rest waits for a second voice."""

from typing import Any

import pytest

from domain.kinds import Actor
from domain.moves.approval import DecideCompensation
from domain.moves.compensation import GrantCompensation
from domain.moves.outcome import Close
from domain.values import Money
from projections import authority_latency
from projections.authority_latency import LatencyReport
from projections.recovery_rows import Recoveries
from projections.voices import Voices
from tests.support import reporting
from tests.support.clockwork import Clockwork
from tests.support.given import Story, colleague, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, period
from tests.support.stories import PLUMS, reported

WAITER = colleague("anna", "waiter")
MECHANIC = colleague("nikos", "mechanic", "back")
MANAGER = colleague("petros", "manager", "manager")


def told(shelf: Book, *tales: Story) -> Book:
    """The shelf with each of these stories told, and the read models that this report asks caught up."""
    return reporting.told(shelf, *tales, only=(Voices(), Recoveries()))


def giving(tale: Story, amount: str = "20.00", *, at: float = 1, by: Actor = WAITER, **more: Any) -> Story:
    """Somebody gives a voucher; of more than 50.00 he asks a manager, who has a quarter of an hour."""
    cost = Money.model_validate({"amount": amount, "currency": "EUR"})
    return tale.when(GrantCompensation(kind="voucher", cost=cost, **more), at=at, actor=by)


def answered(tale: Story, *, at: float, approve: bool = True) -> Story:
    """A manager says yes, or no."""
    return tale.when(DecideCompensation(approve=approve, reason="so it is"), at=at, actor=MANAGER)


def waiting(at: float = 1) -> Story:
    """A request for 90.00 that waits for a manager."""
    return giving(reported(), "90.00", at=at)


def silent(until: float) -> Story:
    """A request that nobody answers in time."""
    clock = Clockwork(waiting())
    clock.sweep(until)
    return clock.story


def by_answer(found: LatencyReport) -> dict[str, int]:
    """How many were answered in which way, the ways that came."""
    return {one.answer: one.n for one in found.answers if one.n}


def test_s1_7_the_share_decided_at_the_front_line_stands_on_top_with_n_and_interval(shelf: Book):
    tales = [giving(reported(), by=who) for who in (WAITER, WAITER, WAITER, MECHANIC)]
    tales += [giving(reported(), by=MANAGER), waiting()]
    found = asked(told(shelf, *tales), authority_latency.report)
    front = found.decided_at_front_line
    assert list(LatencyReport.model_fields)[:5] == ["since", "until", "as_of", "n", "decided_at_front_line"]
    assert (front.hits, front.n, front.share, front.low, front.high) == (4, 6, 0.6667, 0.3, 0.9032)
    assert (found.alone, found.asked) == (5, 1)


def test_s1_7_waiting_is_told_with_median_and_tail_from_the_request_to_the_first_answer(shelf: Book):
    tales = [answered(waiting(), at=at) for at in (3, 5, 7)] + [answered(waiting(), at=11, approve=False)]
    found = asked(told(shelf, *tales), authority_latency.report)
    assert (found.waited_s.n, found.waited_s.median, found.waited_s.p90) == (4, 300, 528)
    assert by_answer(found) == {"in_time": 3, "refused": 1}
    [refused] = [one.waited_s for one in found.answers if one.answer == "refused"]
    assert (refused.n, refused.median) == (1, 600)


def test_s1_7_a_silent_approver_is_counted_as_nobodys_word_after_the_longest_wait(shelf: Book):
    found = asked(told(shelf, silent(60), answered(waiting(), at=3)), authority_latency.report)
    assert by_answer(found) == {"in_time": 1, "auto": 1}
    [auto] = [one.waited_s for one in found.answers if one.answer == "auto"]
    assert auto.median == 15 * 60
    assert (found.answered_in_time.hits, found.answered_in_time.n) == (1, 2)


def test_s1_7_voices_tell_how_many_it_took(shelf: Book):
    late = answered(silent(60), at=90)
    found = asked(
        told(shelf, giving(reported()), answered(waiting(), at=3), silent(60), late), authority_latency.report
    )
    assert found.voices == {1: 1, 2: 2, 3: 1}


def test_what_still_waits_beyond_its_time_is_not_in_time_and_what_has_time_left_is_neither(shelf: Book):
    shelf = told(shelf, waiting())
    early, later = (asked(shelf, authority_latency.report, period(as_of=at)) for at in (10, 17))
    assert (early.answered_in_time.n, by_answer(early)) == (0, {"waiting": 1})
    assert (later.answered_in_time.hits, later.answered_in_time.n, later.waited_s.n) == (0, 1, 0)


def test_what_was_closed_before_anybody_answered_was_withdrawn(shelf: Book):
    found = asked(told(shelf, waiting().when(Close(outcome="lost"), at=9)), authority_latency.report)
    assert by_answer(found) == {"withdrawn": 1}
    assert found.answered_in_time.n == 0


@pytest.mark.parametrize("basis", ["statutory", "contractual"])
def test_what_is_owed_needs_nobodys_leave_and_counts_nowhere(shelf: Book, basis: str):
    found = asked(told(shelf, giving(reported(), "900.00", basis=basis)), authority_latency.report)
    assert (found.n, found.decided_at_front_line.share, found.voices) == (0, None, {})


def test_a_yes_does_not_count_as_given_alone(shelf: Book):
    found = asked(told(shelf, answered(waiting(), at=3)), authority_latency.report)
    assert (found.n, found.alone, found.decided_at_front_line.hits) == (1, 0, 0)


def test_it_goes_by_when_it_was_asked_for(shelf: Book):
    shelf = told(shelf, answered(waiting(at=5), at=9))
    assert by_answer(asked(shelf, authority_latency.report, period(since=5, until=6))) == {"in_time": 1}
    assert by_answer(asked(shelf, authority_latency.report, period(as_of=8))) == {"waiting": 1}
    assert asked(shelf, authority_latency.report, period(since=6)).n == 0


def test_what_was_entered_in_error_does_not_count(shelf: Book):
    tale = giving(reported(), compensation_id=named_id("voucher")).when(
        Close(outcome="entered_in_error", recovery_id=PLUMS), at=9
    )
    assert asked(told(shelf, tale), authority_latency.report).n == 0
