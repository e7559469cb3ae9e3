"""D6: when the customer is asked how it went, and at most once in 14 days."""

from typing import Any

import pytest

from domain.clocks import DeadlineSet
from domain.moves.apology import Apologise
from domain.moves.failure import Reassess
from domain.moves.follow_up import AttemptFollowUp, CompleteFollowUp
from domain.moves.outcome import RecoveryResolved, Resolve
from domain.moves.relationship import LinkReference, QuietHours, SetContactPreferences
from domain.moves.remedy import DeliverRemedy
from domain.moves.voice import StateSatisfaction
from domain.moves.waiver import WaiveStep
from domain.planning import FollowUpScheduled
from tests.support.clockwork import minutes
from tests.support.given import Story, named_id, story
from tests.support.houses import open_on_weekdays
from tests.support.stories import report

HOUR = 60
DAY = 24 * HOUR
KNOWN = (("crm", "C-1001"),)


def put_right(name: str, severity: int, at: float, tale: Story | None = None, **more: Any) -> Story:
    """It failed, and was apologised for and put right; what is left is to call it resolved."""
    about = {"recovery_id": named_id(name)}
    tale = tale or story()
    tale.when(report(name, severity=severity), at=at, references=KNOWN, **more)
    tale.when(Apologise(said="admits", **about), at=at, **more)
    return tale.when(DeliverRemedy(remedy_kind="replacement", **about), at=at, **more)


def resolve(tale: Story, name: str, at: float, **more: Any) -> list[tuple[str, float]]:
    """(what was planned or set for which recovery, at which minute) when this one is resolved then."""
    tale.when(Resolve(recovery_id=named_id(name)), at=at, **more)
    return [
        (f"{event.TOPIC} {NAMES[event.recovery_id]}", minutes(event.due_at))
        for event in tale.last
        if isinstance(event, FollowUpScheduled | DeadlineSet)
    ]


NAMES = {named_id(name): name for name in ("plums", "pears", "figs")}


@pytest.mark.parametrize(("severity", "days"), [(1, 7), (2, 5)])
def test_d6_a_small_matter_is_only_planned(severity: int, days: int):
    plums = put_right("plums", severity, 0)
    assert resolve(plums, "plums", 10) == [("follow_up.scheduled plums", days * DAY + 10)]


@pytest.mark.parametrize(("severity", "days"), [(3, 3), (4, 2), (5, 1)])
def test_d6_a_grave_matter_is_planned_and_has_a_deadline(severity: int, days: int):
    plums = put_right("plums", severity, 0)
    due = days * DAY + 10
    assert resolve(plums, "plums", 10) == [("deadline.set plums", due), ("follow_up.scheduled plums", due)]


def test_d6_it_is_planned_by_the_targets_of_the_house():
    plums = put_right("plums", 2, 0)
    plums.house = open_on_weekdays(follow_up=("9 d", "2 bd", "2 bd", "2 d", "1 d"))
    # Resolved on Monday; two business days on, at closing time.
    assert resolve(plums, "plums", 10) == [("follow_up.scheduled plums", 2 * DAY + 6 * HOUR)]


def test_d6_a_customer_who_left_no_address_is_not_to_be_asked():
    plums = story().when(report(severity=2)).when(Apologise(said="admits"))
    plums.when(DeliverRemedy(remedy_kind="replacement")).when(Resolve(), at=10).then(RecoveryResolved)


def test_d6_where_the_follow_up_is_waived_nothing_is_planned():
    plums = put_right("plums", 3, 0).when(WaiveStep(step="follow_up", reason="customer_request"), at=1)
    plums.when(Resolve(), at=10).then(RecoveryResolved)


def test_d6_for_history_and_imports_nothing_is_planned():
    history = story().when(report(history=True), references=KNOWN).when(Apologise(said="admits"))
    history.when(DeliverRemedy(remedy_kind="replacement")).when(Resolve(), at=10).then(RecoveryResolved)
    imported = put_right("plums", 3, 0, importing=True)
    imported.when(Resolve(), at=10, importing=True).then(RecoveryResolved)


def test_d6_what_was_to_be_asked_before_it_is_told_is_not_planned():
    plums = put_right("plums", 2, 0)
    assert resolve(plums, "plums", 10, recorded_at=6 * DAY) == []


# At most one survey in 14 days.


def test_d6_a_second_grave_matter_is_asked_about_when_14_days_are_over():
    fruit = put_right("pears", 3, 5, put_right("plums", 3, 0))
    resolve(fruit, "plums", 10)
    # The promise to ask moves with the plan: nobody misses it by keeping the 14 days.
    due = 3 * DAY + 10 + 14 * DAY
    assert resolve(fruit, "pears", 20) == [("deadline.set pears", due), ("follow_up.scheduled pears", due)]


def test_d6_a_small_matter_that_would_have_to_wait_is_not_asked_about_at_all():
    fruit = put_right("pears", 2, 5, put_right("plums", 3, 0))
    resolve(fruit, "plums", 10)
    assert resolve(fruit, "pears", 20) == []


def test_d6_a_small_matter_makes_way_for_a_grave_one():
    fruit = put_right("pears", 3, 5, put_right("plums", 2, 0))
    assert resolve(fruit, "plums", 10) == [("follow_up.scheduled plums", 5 * DAY + 10)]
    assert resolve(fruit, "pears", 20) == [
        ("deadline.set pears", 3 * DAY + 20),
        ("follow_up.scheduled pears", 3 * DAY + 20),
        ("follow_up.scheduled plums", 17 * DAY + 20),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        CompleteFollowUp(recovery_id=named_id("plums"), outcome="satisfied"),
        AttemptFollowUp(recovery_id=named_id("plums"), outcome="declined"),
        StateSatisfaction(instrument="NPS", value=9, solicited=True, about="relationship"),
    ],
)
def test_d6_who_was_asked_is_left_alone_for_14_days(answer: Any):
    fruit = put_right("pears", 3, 5, put_right("plums", 3, 0))
    resolve(fruit, "plums", 10)
    fruit.when(answer, at=DAY)
    if isinstance(answer, StateSatisfaction):
        fruit.when(CompleteFollowUp(recovery_id=named_id("plums"), outcome="unreachable"), at=DAY)
    assert resolve(fruit, "pears", 2 * DAY)[-1] == ("follow_up.scheduled pears", 15 * DAY)


@pytest.mark.parametrize(
    "answer",
    [
        AttemptFollowUp(recovery_id=named_id("plums"), outcome="no_answer"),
        StateSatisfaction(instrument="NPS", value=9, solicited=False, about="relationship"),
    ],
)
def test_d6_who_was_not_reached_or_spoke_unasked_has_not_been_asked(answer: Any):
    fruit = put_right("pears", 3, 5, put_right("plums", 1, 0)).when(answer, at=DAY)
    assert resolve(fruit, "pears", 2 * DAY)[-1] == ("follow_up.scheduled pears", 5 * DAY)


def test_d6_a_matter_that_proves_grave_gets_its_deadline_and_a_new_plan():
    plums = put_right("plums", 2, 0)
    resolve(plums, "plums", 10)
    plums.when(Reassess(severity=4, reason="He cannot work."), at=DAY)
    _, clock, plan = plums.last
    assert isinstance(clock, DeadlineSet)
    assert isinstance(plan, FollowUpScheduled)
    assert minutes(clock.due_at) == minutes(plan.due_at) == 3 * DAY


# Never in his quiet hours (I-17).


def test_i17_a_plan_in_quiet_hours_moves_to_their_end_and_its_deadline_with_it():
    plums = put_right("plums", 3, 0)
    plums.when(SetContactPreferences(quiet_hours=QuietHours(start="08:30", end="13:00")), at=1)
    # Three days after nine in the morning.
    moved = 3 * DAY + 4 * HOUR
    assert resolve(plums, "plums", 10) == [("deadline.set plums", moved), ("follow_up.scheduled plums", moved)]


def test_a_customer_who_gives_his_address_before_the_end_is_to_be_asked():
    plums = story().when(report(severity=2)).when(Apologise(said="admits"))
    plums.when(DeliverRemedy(remedy_kind="replacement")).when(LinkReference(kind="crm", value="C-1001"), at=5)
    assert resolve(plums, "plums", 10) == [("follow_up.scheduled plums", 5 * DAY + 10)]
