"""The Pareto of obstacles: what stood in the way, heaviest first, and how customers were treated."""

from typing import Any

import pytest

from domain.moves.obstacle import RemoveObstacle, ReportObstacle
from domain.moves.treatment import ReportTreatment
from projections import obstacles
from projections.obstacles import cumulative
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, period, told
from tests.support.stories import reported


def obstacle(tale: Story, kind: str, *, at: float = 1, **more: Any) -> Story:
    return tale.when(ReportObstacle.model_validate({"kind": kind} | more), at=at)


def bars(found: list[Any]) -> list[tuple[str, int, int, float]]:
    return [(bar.key, bar.n, bar.minutes, bar.cumulative) for bar in found]


def test_s4_1_obstacles_are_a_pareto_by_kind_in_minutes_with_the_share_reached(shelf: Book):
    tale = obstacle(reported(), "tool_or_equipment", minutes_lost=60)
    obstacle(tale, "tool_or_equipment", minutes_lost=15)
    obstacle(tale, "policy_block", minutes_lost=20)
    obstacle(tale, "overload", minutes_lost=5)
    found = asked(told(shelf, tale), obstacles.report)
    assert bars(found.kind) == [
        ("tool_or_equipment", 2, 75, 0.75),
        ("policy_block", 1, 20, 0.95),
        ("overload", 1, 5, 1.0),
    ]
    assert (found.n, found.minutes, found.minutes_known) == (4, 100, 4)


def test_s4_1_it_counts_actions_and_inactions_and_whose_they_were(shelf: Book):
    tale = obstacle(reported(), "handoff_loss", mode="inaction", whose="other_team")
    obstacle(tale, "not_listening", mode="inaction", whose="management")
    obstacle(tale, "disrespect", mode="action", whose="management")
    found = asked(told(shelf, tale), obstacles.report)
    assert [(bar.key, bar.n) for bar in found.mode] == [("inaction", 2), ("action", 1)]
    assert [(bar.key, bar.n) for bar in found.whose] == [("management", 2), ("other_team", 1)]


def test_s4_1_it_tells_what_still_stands_from_what_was_removed(shelf: Book):
    tale = obstacle(reported(), "policy_block", obstacle_id=named_id("rule"))
    tale.when(RemoveObstacle(obstacle_id=named_id("rule"), how="workaround", reason="called the depot"), at=9)
    obstacle(tale, "policy_block", obstacle_id=named_id("rule"), at=20)
    shelf = told(shelf, tale)
    assert asked(shelf, obstacles.report).still_open == 1
    assert asked(shelf, obstacles.report, period(as_of=8)).still_open == 1
    assert asked(shelf, obstacles.report, period(as_of=10)).still_open == 0


def test_s4_21_each_tool_has_a_bar_in_minutes_and_in_number(shelf: Book):
    first = obstacle(reported(), "tool_or_equipment", tool_id="lift-2", minutes_lost=30)
    second = obstacle(reported(), "tool_or_equipment", tool_id="lift-2", minutes_lost=40)
    obstacle(second, "outdated_data", tool_id="stock-list", minutes_lost=5)
    obstacle(second, "overload", minutes_lost=500)
    found = asked(told(shelf, first, second), obstacles.report)
    assert bars(found.tool_id) == [("lift-2", 2, 70, 0.9333), ("stock-list", 1, 5, 1.0)]


def test_where_nobody_told_minutes_the_share_is_of_how_many(shelf: Book):
    tale = obstacle(obstacle(reported(), "overload", topic="returns"), "overload", topic="returns")
    obstacle(tale, "no_training", topic="invoices")
    found = asked(told(shelf, tale), obstacles.report)
    assert bars(found.topic) == [("returns", 2, 0, 0.6667), ("invoices", 1, 0, 1.0)]
    assert found.minutes_known == 0


def test_a_newer_kind_of_obstacle_has_a_bar_of_its_own(shelf: Book):
    found = asked(told(shelf, obstacle(reported(), "solar_storm", minutes_lost=1)), obstacles.report)
    assert bars(found.kind) == [("solar_storm", 1, 1, 1.0)]


def test_only_obstacles_met_in_the_period_count(shelf: Book):
    tale = obstacle(obstacle(reported(), "overload", at=1), "overload", at=10)
    shelf = told(shelf, tale)
    assert asked(shelf, obstacles.report, period(since=10)).n == 1
    assert asked(shelf, obstacles.report, period(until=10)).n == 1
    assert asked(shelf, obstacles.report, period(as_of=0.5)).n == 0


def test_of_nothing_the_report_is_empty(shelf: Book):
    found = asked(told(shelf, reported()), obstacles.report)
    assert (found.n, found.kind, found.treatments_n, found.treatments) == (0, [], 0, [])


def test_s2_9_every_kind_of_poor_treatment_is_in_a_pareto_with_who_saw_it(shelf: Book):
    tale = reported()
    for kind, witnessed in (("last_word", "public"), ("last_word", "none"), ("blaming", "some")):
        tale.when(ReportTreatment(treatment=kind, witnessed=witnessed), at=2)
    tale.when(ReportTreatment(treatment="effort_flaunting", degree=3), at=3)
    found = asked(told(shelf, tale), obstacles.report)
    assert [(bar.key, bar.n, bar.cumulative) for bar in found.treatments] == [
        ("last_word", 2, 0.5),
        ("blaming", 1, 0.75),
        ("effort_flaunting", 1, 1.0),
    ]
    assert found.treatments[0].witnessed == {"none": 1, "some": 0, "public": 1}
    assert [bar.grave for bar in found.treatments] == [0, 0, 1]


def test_s2_9_the_pareto_never_says_who_it_was_nor_that_somebody_was_named(shelf: Book):
    tale = reported().when(ReportTreatment(treatment="rude", by_colleague="giannis", by_role_class="front"), at=2)
    shelf = told(shelf, tale)
    said = asked(shelf, obstacles.report).model_dump_json() + str(shelf.rows(obstacles.Obstacles()))
    assert "colleague" not in said
    assert str(named_id("colleague:giannis")) not in said
    assert "front" not in said


@pytest.mark.parametrize(("weights", "shares"), [([], []), ([3], [1.0]), ([2, 1, 1], [0.5, 0.75, 1.0])])
def test_the_share_reached_ends_at_all_of_it(weights: list[int], shares: list[float]):
    assert cumulative(weights) == shares
