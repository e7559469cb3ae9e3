"""Policy friction: our own rules, and what they cost."""

from datetime import date
from typing import Any

from domain.moves.obstacle import RemoveObstacle, ReportObstacle
from projections import policy_friction
from tests.support.given import Story, named_id
from tests.support.ledgers import Book
from tests.support.reporting import asked, told
from tests.support.stories import reported

WEEK = 7 * 24 * 60
COURIER = "courier.reschedule-before-first-attempt"


def blocked(tale: Story, name: str, *, at: float = 1, removed: str | None = None, **more: Any) -> Story:
    """A rule stood in the way, and was got around in this way."""
    tale.when(ReportObstacle.model_validate({"kind": "policy_block", "obstacle_id": named_id(name)} | more), at=at)
    if removed is not None:
        removal = {"obstacle_id": named_id(name), "how": removed, "reason": "so"}
        tale.when(RemoveObstacle.model_validate(removal), at=at)
    return tale


def test_s1_2_a_courier_who_may_not_change_the_date_is_one_block_against_that_rule(shelf: Book):
    parcel = reported(what="late", detection="predicted")
    blocked(parcel, "date", rule_id=COURIER, hardness="system", minutes_lost=25, removed="workaround")
    found = asked(told(shelf, parcel), policy_friction.report)
    [rule] = found.rules
    assert (rule.rule_id, rule.blocks, rule.minutes, rule.hardness) == (COURIER, 1, 25, "system")
    assert (rule.workarounds, rule.overrides, rule.fixes, rule.still_open) == (1, 0, 0, 0)
    assert found.n == 1


def test_each_rule_counts_its_overrides_workarounds_fixes_and_what_still_stands(shelf: Book):
    tale = reported()
    for nth, removed in enumerate(["rule_overridden", "rule_overridden", "workaround", "fixed", None]):
        blocked(tale, f"block {nth}", rule_id="returns.receipt", removed=removed)
    [rule] = asked(told(shelf, tale), policy_friction.report).rules
    assert (rule.blocks, rule.overrides, rule.workarounds, rule.fixes, rule.still_open) == (5, 2, 1, 1, 1)


def test_rules_are_ordered_by_what_they_cost_and_blocks_without_a_rule_come_last(shelf: Book):
    tale = blocked(reported(), "a", minutes_lost=900)
    blocked(tale, "b", rule_id="small", minutes_lost=5)
    other = blocked(reported(), "a", rule_id="large", minutes_lost=50)
    found = asked(told(shelf, tale, other), policy_friction.report)
    assert [(rule.rule_id, rule.minutes) for rule in found.rules] == [("large", 50), ("small", 5), (None, 900)]


def test_blocks_are_counted_by_the_week_in_which_they_were_met(shelf: Book):
    tale = reported()  # on Monday 2 March 2026
    for nth, at in enumerate((0, 6 * 24 * 60, WEEK, 3 * WEEK)):
        blocked(tale, f"block {nth}", at=at, rule_id="returns.receipt")
    [rule] = asked(told(shelf, tale), policy_friction.report).rules
    assert [(week.week, week.blocks) for week in rule.per_week] == [
        (date(2026, 3, 2), 2),
        (date(2026, 3, 9), 1),
        (date(2026, 3, 23), 1),
    ]


def test_the_hardness_is_what_the_reporters_last_called_it(shelf: Book):
    tale = blocked(reported(), "a", at=1, rule_id="returns.receipt", hardness="system")
    blocked(tale, "b", at=2, rule_id="returns.receipt", hardness="soft")
    blocked(tale, "c", at=3, rule_id="returns.receipt")
    assert [rule.hardness for rule in asked(told(shelf, tale), policy_friction.report).rules] == ["soft"]


def test_an_approval_that_a_rule_asks_for_is_friction_and_a_broken_lift_is_not(shelf: Book):
    tale = blocked(reported(), "a", kind="approval_wait", rule_id="approval.manager")
    blocked(tale, "b", kind="tool_or_equipment", tool_id="lift-2")
    [rule] = asked(told(shelf, tale), policy_friction.report).rules
    assert rule.rule_id == "approval.manager"
