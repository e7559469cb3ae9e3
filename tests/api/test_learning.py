"""What the house learns by itself: what happens again and again asks for help or for a lesson (D8, D9, D10).

All tests share a service, and keep apart by team, topic, rule and sort of failure.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

import pytest

from domain.kinds import AMENDS
from tests.support.http import Service, service

CLERK = {"role": "representative", "role_class": "front"}
LEAD = {"role": "supervisor", "role_class": "manager"}


@pytest.fixture(scope="module")
def amends(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service on each database."""
    with service(module_database, tmp_path_factory.mktemp("learning")) as made:
        yield made


@pytest.fixture
def house(amends: Service, request: pytest.FixtureRequest) -> "House":
    """A house of the test's own in that service, in which everything before has been learned."""
    made = House(amends, f"h{crc32(request.node.name.encode())}")
    # What the test before left must not be told with this one's.
    made.learned()
    return made


class House:
    """One house: its team, its customer, and names that nobody else uses."""

    def __init__(self, amends: Service, name: str) -> None:
        self.amends, self.name = amends, name
        self.customer = amends.customer(name)
        self.address = f"/v1/customers/{self.customer}"
        self.begins = amends.container.ledger.head()

    def learned(self) -> int:
        """Read models catch up, and the learner looks once; how many orders were new."""
        self.amends.project()
        return self.amends.container.learner.run_once()

    def own(self, name: str) -> str:
        """This name as nobody else has it."""
        return f"{self.name}.{name}"

    def joins(self, who: str, post: dict[str, Any], team: str = "desk") -> str:
        """Somebody works here; under which id the ledger knows him."""
        body = post | {"team": self.own(team)}
        return str(self.amends.post(f"/v1/colleagues/{self.own(who)}/join", body)["colleague_id"])

    def reported(self, **said: Any) -> str:
        """A failure of this house's own sort; the id of its recovery."""
        body = {"what": "late", "description": "the parcel did not come", "similarity_key": self.own("late")}
        return str(self.amends.post(f"{self.address}/report-failure", body | said)["ids"]["recovery_id"])

    def untrained(self, *, by: str | None = "clerk", topic: str = "returns", **said: Any) -> None:
        """Nobody had trained whoever met this in its topic; a day passes."""
        who = {} if by is None else {"by": {"colleague_id": self.own(by)}}
        body = {"kind": "no_training", "topic": self.own(topic), "recovery_id": self.case} | who | said
        self.amends.post(f"{self.address}/report-obstacle", body)
        self.amends.clock.forward(days=1)

    def blocked(self, times: int, rule: str = "receipt") -> None:
        """A rule stood in the way so many times."""
        for _ in range(times):
            body = {"kind": "policy_block", "rule_id": self.own(rule)}
            self.amends.post(f"{self.address}/report-obstacle", body)

    def told(self, topic: str) -> list[Any]:
        """The facts of this kind since the test began."""
        facts = self.amends.container.ledger.facts(self.begins, 10_000)
        return [fact for fact in facts if topic == fact.event.TOPIC]

    def asked(self) -> list[tuple[str, str, str, str]]:
        """Who was asked for what help: (stream, kind, topic, from)."""
        facts = self.told("help.asked")
        return [(str(one.stream_id), one.event.kind, one.event.topic, one.event.from_) for one in facts]

    case: str | None = None


# D9: training that is missing.


def test_d9_three_gaps_of_one_topic_on_one_team_ask_its_manager_for_training(house: House):
    house.joins("clerk", CLERK)
    lead = house.joins("lead", LEAD)
    house.untrained()
    house.untrained()
    assert house.learned() == 0
    house.untrained(by=None)  # nobody said who
    house.untrained()
    assert house.learned() == 1
    assert house.asked() == [(lead, "training", house.own("returns"), "obstacles")]
    [one], trigger = house.told("help.asked"), house.told("obstacle.encountered")[-1]
    assert (one.source, one.actor) == ("amends:duties", AMENDS)
    assert (one.occurred_at, one.causation_id) == (trigger.occurred_at, trigger.event_id)
    assert one.event.due_at == trigger.occurred_at + timedelta(days=7)
    assert house.learned() == 0


def test_d9_where_nobody_leads_the_team_whoever_met_the_last_one_asks(house: House):
    clerk = house.joins("clerk", CLERK)
    house.joins("other", LEAD, team="yard")
    for _ in range(3):
        house.untrained()
    assert house.learned() == 1
    assert house.asked() == [(clerk, "training", house.own("returns"), "obstacles")]


def test_d9_where_nobody_is_known_nobody_is_asked(house: House):
    house.case = house.reported()
    house.amends.post(f"{house.address}/assign", {"team": house.own("desk")})
    for _ in range(3):
        house.untrained(by="stranger")
    assert house.learned() == 0


def test_d9_another_topic_and_another_team_are_counted_by_themselves_and_the_count_begins_anew(house: House):
    house.joins("clerk", CLERK)
    house.joins("other", CLERK, team="yard")
    for _ in range(2):
        house.untrained()
        house.untrained(by="other")
        house.untrained(topic="tills")
    assert house.learned() == 0
    for _ in range(3):
        house.untrained()
    assert house.learned() == 1
    house.untrained()
    assert house.learned() == 1


def test_d9_what_is_asked_for_agrees_with_the_needs_that_the_report_counts(house: House):
    for n in range(6):
        house.joins(f"c{n}", CLERK)
    for n in range(5):
        # Teams of fewer than five hide the smallest of the others beside them: it must not be ours.
        house.joins(f"y{n}", CLERK, team="yard")
    for n in range(7):
        house.untrained(by=f"c{n % 6}")
    assert house.learned() == 2
    found = house.amends.get("/v1/reports/training")["by_team"]
    [ours] = [one for one in found if one["team"] == house.own("desk")]
    assert (ours["topic"], ours["obstacles"], ours["needs"]) == (house.own("returns"), 7, 2)


def test_d9_what_we_hear_of_when_the_answer_would_have_been_due_counts_and_the_next_in_time_asks(house: House):
    house.joins("clerk", CLERK)
    house.amends.clock.forward(days=10)
    late = (house.amends.clock() - timedelta(days=8)).isoformat()
    for _ in range(3):
        house.untrained(occurred_at=late)
    assert house.learned() == 0
    house.untrained()
    assert house.learned() == 1


# D10: rules that stand in the way.


def published(house: House, owner: str) -> None:
    rule = {"kind": "rule", "name": house.own("receipt"), "body": {"title": "No receipt", "owner": owner}}
    house.amends.post("/v1/standards", rule)


def shown(house: House) -> tuple[Any, Any]:
    """By when the rule should be looked at, in the standards and in the report on friction."""
    standards = house.amends.get("/v1/standards?kind=rule")["data"]
    rules = house.amends.get("/v1/reports/policy-friction")["rules"]
    return (
        next(one["review_due_at"] for one in standards if one["name"] == house.own("receipt")),
        next(one["review_due_at"] for one in rules if one["rule_id"] == house.own("receipt")),
    )


def test_d10_five_blocks_of_one_rule_ask_its_owner_to_look_at_it_within_fourteen_days(house: House):
    published(house, house.own("policies"))
    keeper = house.joins("keeper", CLERK, team="policies")
    house.blocked(4)
    house.blocked(4, rule="another")
    assert house.learned() == 0
    assert shown(house) == (None, None)
    house.amends.clock.forward(hours=1)
    house.blocked(1)
    assert house.learned() == 1
    assert house.asked() == [(keeper, "rule", house.own("receipt"), "obstacles")]
    due_at = house.amends.clock() + timedelta(days=14)
    [one] = house.told("help.asked")
    assert [one.event.due_at, *map(datetime.fromisoformat, shown(house))] == [due_at] * 3
    first = house.amends.get("/v1/reports/policy-friction")["rules"][0]
    assert first["review_due_at"] is not None


def test_d10_once_the_owner_has_looked_no_review_is_due_any_more(house: House):
    published(house, house.own("policies"))
    house.blocked(5)
    assert None not in shown(house)
    house.amends.clock.forward(days=1)
    address = f"/v1/standards/rule/{house.own('receipt')}/review"
    house.amends.post(address, {"decision": "soften", "reason": "It stopped five recoveries."})
    assert shown(house) == (None, None)


def test_d10_a_rule_of_a_role_is_kept_by_who_leads_first_and_nobody_s_answer_goes_further_up(house: House):
    published(house, house.own("buyer"))
    role = {"role": house.own("buyer")}
    house.joins("first", CLERK | role)
    chief = house.joins("chief", LEAD)
    lead = house.joins("lead", LEAD | role | {"manager": house.own("chief")})
    house.blocked(30)
    assert house.learned() == 1  # while he is asked, no block is counted
    assert house.asked() == [(lead, "rule", house.own("receipt"), "obstacles")]
    house.amends.clock.forward(days=14)
    house.amends.project()
    house.amends.container.sweeper.run_once()
    [one] = [one for one in house.told("help.escalated") if str(one.stream_id) == lead]
    assert str(one.event.to) == chief
    house.blocked(4)
    assert house.learned() == 0
    house.blocked(1)
    assert house.learned() == 1


# D8: cases and lessons.


def drafts(house: House) -> list[tuple[str, str | None, UUID | None]]:
    """What was written down since: (kind, topic, trigger)."""
    return [(one.event.kind, one.event.topic, one.event.trigger) for one in house.told("lesson.drafted")]


def test_d8_three_similar_failures_within_thirty_days_are_a_lesson_and_one_a_month_is_enough(house: House):
    house.reported()
    house.reported(similarity_key=house.own("other"))
    house.reported()
    assert house.learned() == 0
    house.reported()
    third = house.told("failure.reported")[-1].event_id
    assert house.learned() == 1
    assert drafts(house) == [("lesson", house.own("late"), third)]
    for _ in range(4):
        house.reported()
    assert house.learned() == 0
    house.amends.clock.forward(days=30)
    house.reported()
    house.reported()
    assert house.learned() == 0
    house.reported()
    assert house.learned() == 1


def test_s1_21_a_grave_case_is_written_up_once_it_is_closed(house: House):
    recovery = house.reported(severity=4)
    assert house.learned() == 0
    house.amends.clock.forward(days=2)
    house.amends.post(f"{house.address}/close", {"recovery_id": recovery, "outcome": "lost"})
    closed = house.told("recovery.closed")[-1]
    assert house.learned() == 1
    assert drafts(house) == [("case_study", None, closed.event_id)]
    [draft] = house.told("lesson.drafted")
    assert (draft.occurred_at, draft.source) == (closed.occurred_at, "amends:duties")
    assert "severity 4 of 5" in draft.event.text
    assert "parcel" not in draft.event.text
    assert house.learned() == 0


def test_s1_21_a_small_case_and_one_that_was_none_are_not(house: House):
    for severity, outcome in ((3, "lost"), (5, "duplicate")):
        recovery = house.reported(severity=severity, similarity_key=house.own(outcome))
        house.amends.post(f"{house.address}/close", {"recovery_id": recovery, "outcome": outcome})
    assert house.learned() == 0


def test_d8_a_customer_more_content_than_before_is_a_case_by_the_score_he_had_then(house: House):
    recovery = house.reported(severity=1)
    house.amends.post(f"{house.address}/apologise", {"said": "regret"})
    delivered = {"remedy_kind": "explanation", "resolves": "full"}
    house.amends.post(f"{house.address}/deliver-remedy", delivered)
    house.amends.post(f"{house.address}/resolve")
    said = {"instrument": "CSAT", "value": 5, "about": "recovery", "recovery_id": recovery}
    house.amends.post(f"{house.address}/state-satisfaction", said)
    house.amends.post(f"{house.address}/close", {"outcome": "satisfied"})
    assert house.learned() == 1
    again = house.reported(severity=1, similarity_key=house.own("again"))
    house.amends.post(f"{house.address}/apologise", {"said": "regret"})
    house.amends.post(f"{house.address}/deliver-remedy", delivered)
    house.amends.post(f"{house.address}/resolve")
    said = {"instrument": "CSAT", "value": 4, "about": "recovery", "recovery_id": again}
    house.amends.post(f"{house.address}/state-satisfaction", said)
    house.amends.post(f"{house.address}/close", {"outcome": "satisfied"})
    assert house.learned() == 0


def test_d8_history_is_no_lesson(house: House):
    for _ in range(3):
        recovery = house.reported(severity=5, history=True)
        house.amends.post(f"{house.address}/close", {"recovery_id": recovery, "outcome": "lost"})
    assert house.learned() == 0
