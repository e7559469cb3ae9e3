"""Training: where it is missing, what became of requests for help, and who was trained, front and back."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from domain.colleagues.asking import AnswerHelp, AskForHelp
from domain.colleagues.post import ChangeRole, Leave
from domain.colleagues.training import CompleteTraining
from domain.kinds import Fact
from domain.moves.handling import Assign
from domain.moves.obstacle import ReportObstacle
from projections import training
from projections.base import fold
from projections.period import Period
from projections.training_rows import Training, due_streams
from tests.support.careers import Career, day, joined, known_as
from tests.support.given import Story, colleague, named_id
from tests.support.ledgers import Book, in_order
from tests.support.reporting import asked, period
from tests.support.stories import reported

DAY = 24 * 60
"""In minutes, as stories count."""


def team_of(name: str, n: int, *, at: float = 0, **said: Any) -> list[Career]:
    """So many colleagues of one team."""
    return [joined(f"{name} {nth}", at=at, team=name, **said) for nth in range(n)]


def missing(tale: Story, topic: str | None = "returns", *, by: str | None = "desk 0", at: float = 1) -> Story:
    """Somebody could not help because nobody had trained him; `at` in days."""
    command = ReportObstacle(kind="no_training", topic=topic)
    return tale.when(command, at=at * DAY, actor=None if by is None else colleague(by))


def told(shelf: Book, *tales: Story | Career) -> Book:
    """The shelf with each of these stories told, in the order of days, read models caught up."""
    facts = [fact for nth, tale in enumerate(tales) for fact in _facts(tale, nth)]
    shelf.record(in_order(sorted(facts, key=lambda fact: fact.recorded_at)))
    shelf.projector().catch_up()
    return shelf


def _facts(tale: Story | Career, nth: int) -> Iterable[Fact]:
    if isinstance(tale, Career):
        return tale.facts
    customer = named_id(f"customer {nth}")
    return [
        replace(fact, stream_id=customer, event_id=named_id(f"event {nth} {fact.version}")) for fact in tale.facts
    ]


def by_team(found: training.TrainingReport) -> list[tuple[str, str, int, int]]:
    return [(one.team, one.topic, one.obstacles, one.needs) for one in found.by_team]


def test_three_on_one_team_and_topic_are_a_need_of_the_team_of_whoever_met_them(shelf: Book):
    tale = missing(missing(missing(reported(), by="desk 0"), by="desk 1", at=20), by="desk 2", at=50)
    found = asked(told(shelf, *team_of("desk", 5), tale), training.report)
    assert by_team(found) == [("desk", "returns", 3, 1)]
    assert (found.n, found.needs_met.hits, found.needs_met.n) == (3, 0, 1)


def test_what_lies_further_apart_is_none(shelf: Book):
    tale = missing(missing(missing(reported()), at=20), at=62)
    found = asked(told(shelf, *team_of("desk", 5), tale), training.report)
    assert by_team(found) == [("desk", "returns", 3, 0)]
    assert found.needs_met.n == 0


def test_another_kind_of_obstacle_is_no_gap_in_training(shelf: Book):
    tale = reported().when(ReportObstacle(kind="overload", topic="returns"), actor=colleague("desk 0"))
    assert asked(told(shelf, tale), training.report).n == 0


def test_a_count_that_began_before_the_period_ends_in_it(shelf: Book):
    tale = missing(missing(missing(reported(), at=1), at=2), at=30)
    found = asked(told(shelf, *team_of("desk", 5), tale), training.report, period(since=20 * DAY))
    assert by_team(found) == [("desk", "returns", 1, 1)]


def test_the_team_is_the_one_he_was_on_when_he_met_it(shelf: Book):
    mover = joined("mover", team="desk").when(ChangeRole(team="yard"), at=10)
    tale = missing(missing(reported(), by="mover", at=5), by="mover", at=15)
    found = asked(told(shelf, *team_of("desk", 5), *team_of("yard", 5), mover, tale), training.report)
    assert by_team(found) == [("desk", "returns", 1, 0), ("yard", "returns", 1, 0)]


def test_where_he_never_joined_it_is_the_team_that_had_the_case_then(shelf: Book):
    tale = reported().when(Assign(team="desk"), at=2 * DAY)
    missing(missing(tale, by="stranger", at=3), by=None, at=4)
    tale.when(Assign(team="yard"), at=5 * DAY)
    missing(tale, by="stranger", at=6)
    found = asked(told(shelf, *team_of("desk", 5), *team_of("yard", 5), tale), training.report)
    assert by_team(found) == [("desk", "returns", 2, 0), ("yard", "returns", 1, 0)]


def test_a_team_of_fewer_than_five_is_hidden_and_its_topics_are_not(shelf: Book):
    tale = missing(missing(missing(reported(), by="yard 0"), by="yard 1", at=2), by="desk 0", at=3)
    found = asked(told(shelf, *team_of("yard", 4), *team_of("desk", 9), tale), training.report)
    assert found.by_team == []
    assert found.hidden_teams == 2
    assert [(one.topic, one.obstacles) for one in found.by_topic] == [("returns", 3)]


def test_whoever_left_is_on_no_team(shelf: Book):
    team = team_of("desk", 5)
    team[0].when(Leave(), at=1)
    found = asked(told(shelf, *team, missing(reported(), by="desk 1", at=2)), training.report)
    assert (found.by_team, found.hidden_teams) == ([], 1)


def test_s4_27_needs_by_class_of_topic_as_it_was_said_last(shelf: Book):
    asking = joined("asking").when(AskForHelp.model_validate(help_for("returns", "product")), at=1)
    asking.when(AskForHelp.model_validate(help_for("returns", "process")), at=2)
    tale = missing(missing(missing(reported(), "returns"), "returns", at=2), "tills", at=3)
    found = asked(told(shelf, asking, missing(tale, None, at=4)), training.report)
    assert [(one.topic_class, one.obstacles) for one in found.by_class] == [(None, 2), ("process", 2)]
    assert [(one.topic, one.topic_class) for one in found.by_topic] == [
        ("returns", "process"),
        (None, None),
        ("tills", None),
    ]


def help_for(topic: str, topic_class: str) -> dict[str, str]:
    return {"kind": "training", "topic": topic, "class": topic_class}


def test_s4_29_days_run_from_the_need_to_the_training_of_somebody_on_the_team(shelf: Book):
    team = team_of("desk", 5)
    team[0].when(CompleteTraining(topic="returns"), at=1)
    team[1].when(CompleteTraining(topic="tills"), at=6)
    team[2].when(CompleteTraining(topic="returns", format="course"), at=13)
    outside = joined("outside", team="yard").when(CompleteTraining(topic="returns"), at=5)
    tale = missing(missing(missing(reported(), at=1), at=2), at=3)
    found = asked(told(shelf, *team, outside, tale), training.report)
    assert (found.needs_met.hits, found.needs_met.n) == (1, 1)
    assert (found.days_to_training.n, found.days_to_training.median) == (1, 10.0)


def test_s4_31_requests_for_help_are_open_planned_refused_or_passed_on(shelf: Book):
    careers = [joined(f"asking {nth}") for nth in range(5)]
    for nth, career in enumerate(careers):
        career.when(AskForHelp(kind="schedule", topic="nights", help_id=named_id(f"help {nth}")), at=nth)
    careers[0].when(AnswerHelp(help_id=named_id("help 0"), plan="Days instead."), at=2)
    careers[1].when(AnswerHelp(help_id=named_id("help 1"), refused=True, reason="Nobody else can."), at=5)
    careers[2].swept(at=30)
    careers[2].when(AnswerHelp(help_id=named_id("help 2"), plan="At last."), at=30)
    careers[3].swept(at=30)
    found = asked(told(shelf, *careers), training.report)
    assert (found.help.n, found.help.open, found.help.planned, found.help.refused) == (5, 2, 2, 1)
    assert found.help.escalated == 2
    assert (found.help.days_to_answer.n, found.help.days_to_answer.median) == (3, 4.0)
    [nights] = found.help_by_kind
    assert (nights.kind, nights.n) == ("schedule", 5)


def test_a_kind_of_help_that_fewer_than_five_asked_for_is_hidden(shelf: Book):
    career = joined("asking").when(AskForHelp(kind="tool", topic="lift"))
    for nth in range(6):
        career.when(AskForHelp(kind="rule", topic=f"rule-{nth}"), at=1)
    found = asked(told(shelf, career), training.report)
    assert (found.help_by_kind, found.hidden_kinds, found.help) == ([], 2, None)


def test_what_few_asked_for_is_told_among_what_all_did(shelf: Book):
    careers = [joined(f"asking {nth}").when(AskForHelp(kind="tool", topic="lift")) for nth in range(3)]
    careers += [joined(f"nights {nth}").when(AskForHelp(kind="schedule", topic="nights")) for nth in range(2)]
    found = asked(told(shelf, *careers), training.report)
    assert (found.help_by_kind, found.help.n) == ([], 5)


@pytest.mark.parametrize(("colleagues", "completed"), [(4, None), (5, 10)])
def test_how_many_trainings_there_were_is_told_of_five_colleagues_and_more(
    shelf: Book, colleagues: int, completed: int | None
):
    team = team_of("desk", colleagues)
    for career in team:
        career.when(CompleteTraining(topic="returns"), at=1).when(CompleteTraining(topic="tills"), at=2)
    assert asked(told(shelf, *team), training.report).completed == completed


def test_s5_21_coverage_shows_front_and_back_with_n_and_interval(shelf: Book):
    front = team_of("desk", 20, role_class="front")
    back = team_of("yard", 20, role_class="back")
    for career in (*front[:15], *back[:5]):
        career.when(CompleteTraining(topic="returns", format="course"), at=1)
    found = asked(told(shelf, *front, *back, *team_of("office", 4, role_class="manager")), training.report)
    told_of = [(one.role_class, one.trained.hits, one.trained.n, one.trained.share) for one in found.coverage]
    assert told_of == [("back", 5, 20, 0.25), ("front", 15, 20, 0.75)]
    assert (found.coverage[0].trained.low, found.coverage[0].trained.high) == (0.1119, 0.4687)
    assert (found.front_minus_back, found.hidden_classes) == (0.5, 1)
    assert [(one.format, one.n) for one in found.formats] == [("course", 20)]


def test_s5_21_front_and_back_are_compared_only_where_each_has_twenty(shelf: Book):
    found = asked(told(shelf, *team_of("desk", 20), *team_of("yard", 19, role_class="back")), training.report)
    assert [one.trained.n for one in found.coverage] == [19, 20]
    assert found.front_minus_back is None


def test_who_joined_or_was_trained_later_does_not_count_yet(shelf: Book):
    early, later = team_of("desk", 5), team_of("yard", 5, at=10, role_class="back")
    early[0].when(CompleteTraining(topic="returns"), at=5)
    found = asked(told(shelf, *early, *later), training.report, Period(None, None, day(4)))
    assert [(one.role_class, one.trained.hits, one.trained.n) for one in found.coverage] == [("front", 0, 5)]


def test_the_sweeper_hears_of_help_that_nobody_answered_in_time(shelf: Book):
    answered = joined("answered").when(AskForHelp(kind="tool", topic="lift", help_id=named_id("answered")))
    answered.when(AnswerHelp(help_id=named_id("answered"), plan="A new one."), at=1)
    passed_on = joined("passed on").when(AskForHelp(kind="tool", topic="lift"))
    passed_on.swept(at=7)
    late_news = joined("late").when(AskForHelp(kind="tool", topic="lift", due_at=day(1)), recorded_at=2)
    waiting = joined("waiting").when(AskForHelp(kind="tool", topic="lift"), at=1)
    longer = joined("longer").when(AskForHelp(kind="tool", topic="lift", due_at=day(5)))
    shelf = told(shelf, answered, passed_on, late_news, waiting, longer)
    with shelf.source() as source:
        assert due_streams(source, day(4.9), 10) == []
        assert due_streams(source, day(8), 10) == [known_as("longer"), known_as("waiting")]
        assert due_streams(source, day(8), 1) == [known_as("longer")]


def test_a_rebuild_gives_the_same_rows(shelf: Book):
    career = joined().when(AskForHelp(kind="tool", topic="lift", help_id=named_id("help")), at=1)
    career.when(AnswerHelp(help_id=named_id("help"), plan="A new one."), at=2)
    career.when(AskForHelp(kind="rule", topic="returns"), at=3).when(CompleteTraining(topic="returns"), at=4)
    tale = missing(reported().when(Assign(team="desk"), at=DAY), at=2)
    shelf = told(shelf, career, tale)
    live = shelf.rows(Training())
    assert {name for name, rows in live.items() if rows} == {table.name for table in Training.tables}
    shelf.projector().rebuild("training")
    assert shelf.rows(Training()) == live


def test_what_it_does_not_tell_of_costs_nothing():
    rows = fold(Training(), reported().facts)
    assert rows == {}


def test_no_words_stand_in_its_rows():
    career = joined().when(AskForHelp(kind="tool", topic="lift", note="It squeaks."))
    career.when(AnswerHelp(help_id=career.last[0].help_id, plan="Oil."))
    rows = fold(Training(), career.facts)
    assert rows
    assert not {"It squeaks.", "Oil."} & {str(value) for row in rows.values() for value in row.values()}
