"""What is at stake: money that may be lost with the customers who met an obstacle, beside the minutes it took."""

from typing import Any

import pytest

from domain.moves.loyalty import ReportLoss, WelcomeBack
from domain.moves.obstacle import ReportObstacle
from domain.moves.relationship import DeclareValue
from projections import obstacles, policy_friction
from projections.obstacles import ObstacleReport
from tests.support.given import Story
from tests.support.ledgers import Book
from tests.support.reporting import asked, told
from tests.support.stories import reported


def met(*kinds: str, monthly: str | None = None, currency: str = "EUR", **failure: Any) -> Story:
    """A customer for whom something failed badly, so that he stands at 55.00, and what stood in the way."""
    tale = reported(**{"severity": 3} | failure)
    if monthly is not None:
        worth = {"amount": {"amount": monthly, "currency": currency}, "per": "month"}
        tale.when(DeclareValue.model_validate(worth), at=1)
    for kind in kinds:
        tale.when(ReportObstacle(kind=kind, tool_id="old-till"), at=2)
    return tale


def money(found: list[Any]) -> list[tuple[str, str]]:
    return [(one.amount, one.currency) for one in found]


def at_stake(found: ObstacleReport) -> dict[str, list[tuple[str, str]]]:
    return {bar.key: money(bar.at_risk_estimate) for bar in found.kind}


def test_s4_1_s4_21_one_in_five_of_a_year_s_money_is_at_risk_with_those_who_met_it(shelf: Book):
    both, one = met("overload", "tool_or_equipment", monthly="100.00"), met("overload", monthly="50.00")
    found = asked(told(shelf, both, one), obstacles.report)
    # 1,200.00 and 600.00 a year; whoever met several things counts with each, and once in all.
    assert at_stake(found) == {"overload": [("360.00", "EUR")], "tool_or_equipment": [("240.00", "EUR")]}
    assert money(found.tool_id[0].at_risk_estimate) == [("360.00", "EUR")]
    assert money(found.at_risk_estimate) == [("360.00", "EUR")]


def test_the_same_thing_met_twice_risks_him_once(shelf: Book):
    found = asked(told(shelf, met("overload", "overload", monthly="50.00")), obstacles.report)
    assert at_stake(found) == {"overload": [("120.00", "EUR")]}


def test_currencies_are_never_added_up(shelf: Book):
    found = asked(
        told(shelf, met("overload", monthly="50.00"), met("overload", monthly="50", currency="JPY")),
        obstacles.report,
    )
    assert at_stake(found) == {"overload": [("120.00", "EUR"), ("120", "JPY")]}


@pytest.mark.parametrize(("came_back", "at_risk"), [(False, []), (True, [("120.00", "EUR")])])
def test_who_has_left_is_no_longer_at_risk_until_he_is_back(
    shelf: Book, came_back: bool, at_risk: list[tuple[str, str]]
):
    tale = met("overload", monthly="50.00").when(ReportLoss(basis="told_us"), at=5)
    if came_back:
        tale.when(WelcomeBack(), at=6)
    assert at_stake(asked(told(shelf, tale), obstacles.report)) == {"overload": at_risk}


def test_of_whose_worth_nobody_knows_nothing_is_said(shelf: Book):
    found = asked(told(shelf, met("overload")), obstacles.report)
    assert (at_stake(found), found.at_risk_estimate) == ({"overload": []}, [])


def test_s1_2_the_money_at_risk_stands_against_the_rule_that_blocked(shelf: Book):
    tale = met(monthly="50.00")
    for _ in range(2):
        tale.when(ReportObstacle(kind="policy_block", rule_id="no-evening-slots"), at=3)
    tale.when(ReportObstacle(kind="policy_block"), at=4)
    rules = asked(told(shelf, tale, met("policy_block")), policy_friction.report).rules
    assert [(one.rule_id, one.blocks, money(one.at_risk_estimate)) for one in rules] == [
        ("no-evening-slots", 2, [("120.00", "EUR")]),
        (None, 2, [("120.00", "EUR")]),
    ]
