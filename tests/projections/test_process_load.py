"""Process load: what a recovery cost in procedure."""

from typing import Any

import pytest

from domain.compositions.instant_remedy import InstantRemedy
from domain.granting.events import CompensationRequested
from domain.moves.contact import ContactAgain, RequestInformation
from domain.moves.escalation import Escalate
from domain.moves.handling import HandOff
from domain.moves.outcome import Close
from domain.moves.remedy import DeliverRemedy
from projections import process_load
from tests.support.given import START, Story, named_id, story
from tests.support.ledgers import Book
from tests.support.reporting import asked, period, told
from tests.support.stories import report, reported


def asked_of(tale: Story, questions: int, *, at: float = 2, **more: Any) -> Story:
    """The customer was asked so many questions."""
    return tale.when(RequestInformation(questions=questions, **more), at=at)


def handed_on(tale: Story, times: int) -> Story:
    for nth in range(times):
        tale.when(HandOff(to=f"colleague {nth}", team="depot"), at=3 + nth)
    return tale


def at_once(name: str = "cd") -> Story:
    """A faulty disc is exchanged in one go."""
    given = {
        "failure": report(name).model_dump(exclude_none=True),
        "apology": {"said": "admits"},
        "remedy": {"remedy_kind": "replacement", "resolves": "full"},
    }
    return story().when(InstantRemedy.model_validate(given), at=4)


def test_the_index_of_one_recovery_is_hand_offs_questions_and_repeat_contacts_together(shelf: Book):
    courier = handed_on(asked_of(reported(), 2), 1)
    courier.when(ContactAgain(channel="phone"), at=9)
    shelf = told(shelf, courier, at_once())
    of_courier, of_disc = (
        asked(shelf, process_load.report, None, named_id(name)).index.counts for name in ("plums", "cd")
    )
    assert (of_courier, of_disc) == ({4: 1}, {0: 1})


def test_everything_is_a_distribution_over_recoveries_those_without_any_among_them(shelf: Book):
    tales = [reported(), reported(), reported(), handed_on(reported(), 1), handed_on(reported(), 3)]
    found = asked(told(shelf, *tales), process_load.report)
    assert (found.n, found.hand_offs.counts) == (5, {0: 3, 1: 1, 3: 1})
    assert (found.hand_offs.median, found.hand_offs.p90) == (0, 2.2)
    assert found.index.counts == found.hand_offs.counts
    assert found.approvals.counts == {0: 5}


def test_an_approval_that_was_asked_for_is_part_of_the_index(shelf: Book):
    asked_for = {
        "recovery_id": named_id("plums"),
        "compensation_id": named_id("voucher"),
        "kind": "voucher",
        "approver": "manager",
        "decide_by": START,
        "authority": {"standard": "authority:shipped", "version": 1, "rule_id": "front-line"},
    }
    tale = reported().given(CompensationRequested.model_validate(asked_for), at=2)
    found = asked(told(shelf, tale), process_load.report)
    assert (found.approvals.counts, found.index.counts) == ({1: 1}, {1: 1})


def test_s2_16_questions_before_the_remedy_are_told_from_those_after_it(shelf: Book):
    tale = asked_of(reported(), 3, at=2)
    asked_of(tale.when(DeliverRemedy(remedy_kind="replacement"), at=5), 4, at=6)
    found = asked(told(shelf, tale, asked_of(reported(), 1)), process_load.report)
    assert found.questions.counts == {1: 1, 7: 1}
    assert found.questions_before_remedy.counts == {1: 1, 3: 1}


def test_s2_16_on_the_instant_lane_the_median_of_questions_before_the_remedy_is_0(shelf: Book):
    tales = [at_once(), at_once(), at_once(), asked_of(reported(), 20)]
    found = asked(told(shelf, *tales), process_load.report)
    lane = found.questions_before_remedy_at_once
    assert (lane.n, lane.median, lane.counts) == (3, 0, {0: 3})


def test_a_question_before_an_instant_remedy_shows_on_the_lane(shelf: Book):
    tale = asked_of(reported(), 2)
    given = {"apology": {"said": "admits"}, "remedy": {"remedy_kind": "replacement", "resolves": "full"}}
    tale.when(InstantRemedy.model_validate(given | {"recovery_id": named_id("plums")}), at=9)
    found = asked(told(shelf, tale), process_load.report)
    assert found.questions_before_remedy_at_once.counts == {2: 1}


def test_what_the_house_knew_before_is_a_rate_of_questions_and_repeat_contacts(shelf: Book):
    tale = asked_of(asked_of(reported(), 5, already_held=True), 1)
    tale.when(ContactAgain(repeated_information=True), at=7).when(ContactAgain(), at=8)
    found = asked(told(shelf, tale), process_load.report).known_before
    assert (found.hits, found.n, found.share) == (2, 4, 0.5)


def test_what_was_entered_in_error_does_not_count(shelf: Book):
    tale = handed_on(reported(), 2).when(Close(outcome="entered_in_error"), at=30)
    assert asked(told(shelf, tale), process_load.report).n == 0


@pytest.mark.parametrize(("as_of", "counts"), [(2.5, {0: 1}), (3, {1: 1}), (99, {2: 1})])
def test_what_came_after_the_moment_asked_for_does_not_count(shelf: Book, as_of: float, counts: dict[int, int]):
    found = asked(told(shelf, handed_on(reported(), 2)), process_load.report, period(as_of=as_of))
    assert found.index.counts == counts


def test_of_nothing_there_is_no_middle(shelf: Book):
    found = asked(told(shelf, reported()), process_load.report, None, named_id("unknown"))
    assert (found.n, found.index.median, found.index.counts) == (0, None, {})


def test_s1_25_the_share_of_recoveries_in_which_a_supervisor_was_demanded(shelf: Book):
    demanded = reported().when(Escalate(trigger="supervisor_demanded"), at=1)
    demanded.when(Escalate(trigger="supervisor_demanded"), at=2)
    called_in = reported().when(Escalate(trigger="colleague_request"), at=1)
    found = asked(told(shelf, demanded, called_in, *(reported() for _ in range(8))), process_load.report)
    rate = found.supervisor_demanded
    assert (rate.hits, rate.n, rate.share, rate.low, rate.high) == (1, 10, 0.1, 0.0179, 0.4042)
    assert found.index.counts == {0: 10}
