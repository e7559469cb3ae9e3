"""Obstacle: what stood in the way, and how it went."""

from domain.kinds import UNPUBLISHED
from domain.moves.obstacle import ObstacleEncountered, ObstacleRemoved, RemoveObstacle, ReportObstacle
from domain.recovery import Obstacle
from domain.standards.document import Standard
from domain.standards.house import House
from domain.standards.rule import HouseRule
from tests.support.given import START, Story, named_id, refused, story
from tests.support.stories import PLUMS, only, report, reported

RULE = named_id("rule")


def blocked():
    """The courier's system allows no other date before a first attempt has failed."""
    return reported().when(
        ReportObstacle(
            kind="policy_block",
            obstacle_id=RULE,
            mode="inaction",
            whose="management",
            rule_id="courier.reschedule-before-first-attempt",
            wanted_action="Deliver tomorrow.",
            hardness="system",
            minutes_lost=25,
        ),
        at=5,
    )


def test_only_the_kind_is_needed():
    (met,) = reported().when(ReportObstacle(kind="overload"), at=1).then(ObstacleEncountered)
    assert (met.kind, met.mode, met.whose, met.recovery_id) == ("overload", None, None, PLUMS)


def test_an_obstacle_stands_open_on_its_recovery():
    (met,) = blocked().then(ObstacleEncountered)
    assert (met.hardness, met.minutes_lost) == ("system", 25)
    assert only(blocked()).obstacles[RULE].kind == "policy_block"


def test_no_customer_ever_sees_an_obstacle():
    assert not ObstacleEncountered.FOR_CUSTOMER
    assert not ObstacleRemoved.FOR_CUSTOMER


def test_the_same_obstacle_is_not_reported_twice_while_it_stands():
    with refused("already_exists", what="obstacle"):
        blocked().when(ReportObstacle(kind="policy_block", obstacle_id=RULE), at=6)


def test_an_obstacle_is_removed_with_a_reason():
    away = RemoveObstacle(obstacle_id=RULE, how="workaround", reason="Took it there himself.")
    story_ = blocked().when(away, at=30)
    (removed,) = story_.then(ObstacleRemoved)
    assert (removed.recovery_id, removed.how) == (PLUMS, "workaround")
    assert only(story_).obstacles == {}


def test_an_obstacle_is_removed_once():
    away = RemoveObstacle(obstacle_id=RULE, how="fixed", reason="The rule is gone.")
    with refused("unknown_ref", what="open obstacle"):
        blocked().when(away, at=30).when(away, at=31)


def test_an_obstacle_may_belong_to_no_recovery():
    both = reported().when(report("pears")).when(ReportObstacle(kind="outdated_data", obstacle_id=RULE))
    assert both.state.obstacles == {RULE: Obstacle("outdated_data")}
    (removed,) = both.when(RemoveObstacle(obstacle_id=RULE, how="fixed", reason="Corrected.")).then(
        ObstacleRemoved
    )
    assert removed.recovery_id is None
    assert both.state.obstacles == {}


def test_an_obstacle_with_a_customer_nobody_knows_is_refused():
    with refused("unknown_ref"):
        story().when(ReportObstacle(kind="overload"))


COURIER = "courier.reschedule-before-first-attempt"


def ruled(hardness: str, **more: object) -> House:
    """A house that has written its rule down."""
    body = {"title": "No new date before the first attempt", "owner": "logistics", "hardness": hardness} | more
    document = Standard[HouseRule](name=COURIER, body=HouseRule.model_validate(body))
    return House.at(START, [document])


def met(house: House = UNPUBLISHED, **fields: object) -> Story:
    """Somebody met the rule."""
    tale = reported()
    tale.house = house
    given = {"kind": "policy_block", "rule_id": COURIER, "obstacle_id": RULE} | fields
    return tale.when(ReportObstacle.model_validate(given), at=5)


def override() -> RemoveObstacle:
    """The rule is set aside, with a line of reason."""
    return RemoveObstacle(obstacle_id=RULE, how="rule_overridden", reason="her daughter's birthday")


def test_s3_4_a_soft_rule_is_overridden_with_one_line_of_reason():
    met(ruled("soft")).when(override(), at=6).then(ObstacleRemoved)
    met().when(override(), at=6).then(ObstacleRemoved)


def test_s1_2_a_system_rule_names_its_owner_and_is_worked_around():
    tale = met(ruled("system", system="dispatch"))
    with refused("system_rule", owner="logistics", rule_id=COURIER):
        tale.when(override(), at=6)
    around = RemoveObstacle(obstacle_id=RULE, how="workaround", reason="a colleague drove there")
    tale.when(around, at=7).then(ObstacleRemoved)


def test_s3_4_a_hard_rule_names_the_law():
    with refused("hard_rule", legal_ref="GDPR art. 6"):
        met(ruled("hard", legal_ref="GDPR art. 6")).when(override(), at=6)


def test_a_rule_that_was_met_harder_than_it_is_written_counts_as_it_was_met():
    with refused("system_rule", owner="manager"):
        met(hardness="system").when(override(), at=6)
    with refused("system_rule", owner="logistics"):
        met(ruled("soft"), hardness="system").when(override(), at=6)
