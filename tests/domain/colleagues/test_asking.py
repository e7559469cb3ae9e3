"""Help: asked for, answered with a plan or with a no and its reason, and passed on when nobody answers."""

from typing import Any

import pytest

from domain.colleagues.asking import AnswerHelp, AskForHelp, HelpAnswered, HelpAsked, HelpEscalated
from domain.colleagues.post import Leave
from tests.support.careers import Career, day, joined, known_as
from tests.support.given import named_id, refused


def asking(**said: Any) -> AskForHelp:
    return AskForHelp.model_validate({"kind": "training", "topic": "returns", "help_id": named_id("help")} | said)


def test_s4_28_a_colleague_asks_for_training_and_an_answer_is_due_in_seven_days():
    [event] = joined().when(asking(**{"class": "process"}), at=1).then(HelpAsked)
    assert (event.kind, event.topic, event.class_, event.from_) == ("training", "returns", "process", "self")
    assert event.due_at == day(8)


@pytest.mark.parametrize("topic_class", ["organisation", "product", "process", "interpersonal"])
def test_s4_27_training_is_of_one_of_four_classes(topic_class: str):
    [event] = joined().when(asking(**{"class": topic_class})).then(HelpAsked)
    assert event.class_ == topic_class


@pytest.mark.parametrize("kind", ["schedule", "sharing", "tool", "rule"])
def test_s4_31_he_may_ask_for_other_hours_shared_work_another_tool_or_rule(kind: str):
    [event] = joined().when(asking(kind=kind)).then(HelpAsked)
    assert event.kind == kind


def test_s4_28_unanswered_help_escalates_to_whoever_leads_him_when_it_was_due():
    asked = joined(manager="lead").when(asking(due_at=day(3)))
    assert asked.swept(at=2.9) == []
    [(due_at, event)] = asked.swept(at=10)
    assert isinstance(event, HelpEscalated)
    assert (due_at, event.help_id, event.to) == (day(3), named_id("help"), known_as("lead"))
    assert asked.swept(at=100) == []


def test_where_nobody_is_known_to_lead_him_it_escalates_all_the_same():
    [(_, event)] = Career().when(asking()).swept(at=7)
    assert isinstance(event, HelpEscalated)
    assert event.to is None


def test_what_is_due_escalates_in_order_whatever_the_steps_of_the_sweep():
    def asked() -> Career:
        tale = joined().when(asking(help_id=named_id("later"), due_at=day(5)))
        return tale.when(asking(help_id=named_id("sooner"), due_at=day(2)))

    at_once = asked().swept(at=9)
    by_step = asked()
    in_steps = [one for at in (1, 2, 3, 4, 5, 6) for one in by_step.swept(at=at)]
    assert list(at_once) == in_steps
    assert [event.help_id for _, event in at_once] == [named_id("sooner"), named_id("later")]


def test_an_answer_with_a_plan_stops_the_clock():
    answered = joined().when(asking()).when(AnswerHelp(help_id=named_id("help"), plan="A course in May."))
    [event] = answered.then(HelpAnswered)
    assert (event.refused, event.plan) == (False, "A course in May.")
    assert answered.swept(at=100) == []


def test_what_was_escalated_may_still_be_answered():
    late = joined().when(asking())
    late.swept(at=8)
    late.when(AnswerHelp(help_id=named_id("help"), plan="Tomorrow."), at=9).then(HelpAnswered)
    assert late.state.help == {}


def test_a_no_needs_its_reason():
    asked = joined().when(asking())
    for said in ({"refused": True}, {"refused": True, "plan": "Never."}):
        with refused("invalid_value", field="reason"):
            asked.when(AnswerHelp.model_validate({"help_id": named_id("help")} | said))
    [event] = asked.when(AnswerHelp(help_id=named_id("help"), refused=True, reason="No money.")).then(HelpAnswered)
    assert event.refused


def test_an_answer_without_a_plan_is_none():
    with refused("invalid_value", field="plan"):
        joined().when(asking()).when(AnswerHelp(help_id=named_id("help")))


def test_only_what_was_asked_can_be_answered_and_only_once():
    with refused("unknown_ref", what="open request for help"):
        joined().when(AnswerHelp(help_id=named_id("help"), plan="Yes."))
    answered = joined().when(asking()).when(AnswerHelp(help_id=named_id("help"), plan="Yes."))
    with refused("unknown_ref"):
        answered.when(AnswerHelp(help_id=named_id("help"), plan="Yes."))


def test_an_id_stands_for_one_request_for_ever():
    asked = joined().when(asking())
    with refused("already_exists"):
        asked.when(asking())
    asked.when(AnswerHelp(help_id=named_id("help"), plan="Yes."))
    with refused("already_exists"):
        asked.when(asking())


def test_an_answer_is_due_after_the_question():
    with refused("invalid_value", field="due_at"):
        joined().when(asking(due_at=day(1)), at=1)


def test_late_news_raises_no_storm():
    told_late = joined().when(asking(due_at=day(2)), at=1, recorded_at=3)
    assert told_late.swept(at=100) == []


def test_what_another_system_told_runs_no_clock():
    imported = joined().when(asking(due_at=day(30)), importing=True)
    assert imported.last[0].due_at is None
    assert imported.swept(at=100) == []


def test_whoever_left_asks_for_nothing_more():
    with refused("unknown_ref"):
        joined().when(Leave()).when(asking())
