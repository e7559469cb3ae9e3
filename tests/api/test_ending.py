"""What the demo ends with: the real service has been told its thirty days, and is asked over HTTP."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.demo import play
from api.ending import FEW, STORIES, ending
from api.stories.house import COURIER_RULE, TEAMS
from api.stories.telling import SECOND_MECHANIC, THIRD_AGENT, colleague, named
from domain.kinds import EVENTS, Fact
from tests.support.http import Service, service

NOW = datetime(2026, 3, 31, 17, 20, tzinfo=UTC)
SEED = 7


@dataclass
class Played:
    """The service after the demo, and all that was recorded."""

    house: Service
    facts: list[Fact]

    def of(self, topic: str, number: str | None = None) -> list[Any]:
        """The events of this topic, of everybody or of one customer."""
        stream = None if number is None else UUID(self.house.customer(number))
        said = [fact.event for fact in self.facts if stream in (None, fact.stream_id)]
        return [event for event in said if isinstance(event, EVENTS[topic])]

    def queue(self) -> list[dict[str, Any]]:
        """All that is open, in order."""
        return list(self.house.get("/v1/recoveries?limit=200")["data"])


@pytest.fixture(scope="module")
def played(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The demo as it is told by default, at a fixed moment."""
    folder = tmp_path_factory.mktemp("played")
    (folder / "amends.db").write_bytes(sqlite_template.read_bytes())
    with service(f"sqlite:///{folder / 'amends.db'}", folder) as house:

        def set_clock(now: datetime) -> None:
            house.clock.now = now

        for _ in play(house.container.writer.submit, set_clock, NOW, SEED):
            pass
        house.project()
        yield Played(house, list(house.container.ledger.facts(0, 20_000)))


def test_it_ends_now_and_nothing_lies_ahead(played: Played):
    assert max(fact.recorded_at for fact in played.facts) <= NOW
    assert min(fact.occurred_at for fact in played.facts) >= NOW - timedelta(days=31)
    assert all(fact.occurred_at <= fact.recorded_at for fact in played.facts)


def test_recoveries_of_every_phase_and_outcome_are_there(played: Played):
    outcomes = {one.outcome for one in played.of("recovery.closed")}
    assert outcomes >= {"satisfied", "partly", "not_asked", "unreachable"}
    assert {one["phase"] for one in played.queue()} >= {"reported", "acting", "resolved"}
    assert {fact.event.TOPIC for fact in played.facts} >= {
        "deadline.missed",
        "silence.noticed",
        "gesture.made",
        "customer.lost",
        "customer.returned",
        "rule.reviewed",
        "help.escalated",
    }


def test_the_queue_is_long_enough_to_need_an_order_and_begins_with_whom_nobody_rings_back(played: Played):
    queue = played.queue()
    risks = [one["risk"] for one in queue]
    assert 15 <= len(queue) <= 60
    assert risks == sorted(risks, reverse=True)
    assert len(set(risks)) >= 6
    assert queue[0]["customer_id"] == played.house.customer("C-1030")
    assert {"silent", "leaving", "public"} <= set(queue[0]["flags"])


def test_each_story_left_open_is_in_the_queue_at_its_own_risk(played: Played):
    risks = {one["customer_id"]: one["risk"] for one in played.queue()}
    boiler, pram, flowers, courier, boots = (
        risks[played.house.customer(number)] for number in ("C-1030", "C-1031", "C-1026", "C-1033", "C-1032")
    )
    assert boiler > pram > max(flowers, courier) > boots


def test_the_feed_has_stories_to_tell(played: Played):
    items = played.house.get(f"/v1/feed?limit={STORIES}")["items"]
    assert len(items) == STORIES
    assert all(one["title"] for one in items)


def test_s5_20_everybody_is_told_of_the_rule_that_was_softened_and_the_workshop_is_praised(played: Played):
    items = played.house.get("/v1/feed?limit=200")["items"]
    praise, notice = (one for one in items if one["tags"][0] in ("recognition", "notice"))
    assert praise["content_text"].startswith("It was changed unasked by a colleague,")
    assert notice["_amends"]["must_ack"] is True
    assert len(played.of("lesson.acknowledged")) == 10


def test_s1_2_s1_3_the_rule_that_forces_a_failure_first_is_the_heaviest_obstacle(played: Played):
    report = played.house.get("/v1/reports/obstacles")
    first, *others = report["kind"]
    assert (first["key"], first["n"], first["minutes"], first["still_open"]) == ("policy_block", 4, 165, 1)
    assert {one["key"] for one in others} >= {"approval_wait", "no_training"}
    assert report["kind"][-1]["cumulative"] == 1.0
    rules = played.house.get("/v1/reports/policy-friction")["rules"]
    assert (rules[0]["rule_id"], rules[0]["blocks"], rules[0]["minutes"]) == (COURIER_RULE, 3, 160)
    known = played.house.get(f"/v1/standards/rule/{COURIER_RULE}")
    assert known["editions"][0]["body"]["forces_failure_first"] is True
    assert [one["decision"] for one in known["reviews"]] == ["soften"]


def test_one_budget_is_healthy_and_one_is_near_its_warning_and_holds_the_starter(played: Played):
    main, kitchen = played.house.get("/v1/budgets")["data"]
    assert (main["cost_centre"], kitchen["cost_centre"]) == ("main", "kitchen")
    assert [kitchen[name]["amount"] for name in ("limit", "reserved", "committed", "left")] == [
        "50.00",
        "2.50",
        "37.00",
        "10.50",
    ]
    assert kitchen["share"] == 0.79
    assert kitchen["warn_at_pct"] == 80
    assert main["share"] < 0.25
    assert main["warnings"] == []


def test_s3_18_s3_19_of_three_invitations_one_is_held_one_redeemed_and_one_expired(played: Played):
    issued = {one.invitation_id for one in played.of("return_invitation.issued")}
    redeemed = {one.invitation_id for one in played.of("customer.returned", "C-1008")}
    expired = {one.invitation_id for one in played.of("return_invitation.expired", "C-1027")}
    [held] = played.of("return_invitation.issued", "C-1028")
    assert len(issued) == 3
    assert issued == redeemed | expired | {held.invitation_id}


def test_s5_1_loyalty_is_made_in_the_back_office_too(played: Played):
    report = played.house.get("/v1/reports/loyalty-makers")
    lifts = {
        one["role_class"]: (one["lift_inferred"] + one["lift_stated"]) / one["acts"] for one in report["classes"]
    }
    assert lifts["back"] > lifts["front"] > 0
    mechanics = next(one for one in report["roles"] if one["role"] == "mechanic")
    assert mechanics["colleagues"] == 5
    assert mechanics["gestures"] >= 7
    assert report["back_office"]["hits"] >= 20


def test_s1_7_one_request_waits_one_was_granted_in_time_and_one_timed_out_to_the_fallback(played: Played):
    [granted] = played.of("compensation.approved", "C-1025")
    assert (granted.in_time, granted.auto, granted.waited_s) == (True, False, 40 * 60)
    [timed_out] = played.of("compensation.approved", "C-1024")
    assert (timed_out.in_time, timed_out.auto, timed_out.waited_s) == (False, True, 2 * 24 * 3600)
    assert (timed_out.amount.minor, timed_out.amount.currency) == (20_00, "EUR")
    [waiting] = played.of("compensation.requested", "C-1026")
    assert waiting.decide_by > NOW
    assert played.of("compensation.approved", "C-1026") == []


def test_s3_9_training_raises_what_the_third_representative_gives_alone(played: Played):
    before, after = played.of("compensation.granted", "C-1025")
    assert before.value == after.value
    assert (before.authority.rule_id, after.authority.rule_id) == ("ask-a-manager", "trained")
    known = played.house.get(f"/v1/colleagues/{THIRD_AGENT.colleague_id}")
    assert known["training"] == ["goodwill"]


def test_s1_22_s4_28_help_was_answered_once_and_went_further_up_once(played: Played):
    mechanic = played.house.get(f"/v1/colleagues/{SECOND_MECHANIC.colleague_id}")
    assert [one["status"] for one in mechanic["help"]] == ["planned"]
    assert mechanic["training"] == ["electric-brakes"]
    courier = played.house.get(f"/v1/colleagues/{colleague('courier', 'partner', 3).colleague_id}")
    assert [(one["status"], one["escalated"]) for one in courier["help"]] == [("open", True)]
    report = played.house.get("/v1/reports/training")
    assert [(one["team"], one["topic"], one["needs"]) for one in report["by_team"]] == [
        ("workshop", "electric-brakes", 1)
    ]


def test_s1_6_five_customers_of_one_incident_were_told_first(played: Played):
    told = [one for one in played.of("failure.reported") if one.incident_id == named("grey wool sold out")]
    assert len(told) == 5
    report = played.house.get("/v1/reports/told-first")
    assert report["n"] >= 5


def test_s2_21_fifteen_euros_a_day_went_with_the_last_word(played: Played):
    assert Counter(one.treatment for one in played.of("treatment.reported", "C-1012"))["last_word"] == 1
    [euros] = played.house.get("/v1/reports/revenue")["currencies"]
    assert euros["lost"]["annual"] == {"amount": "5475.00", "currency": "EUR"}


def test_s1_24_the_guests_of_the_spoilt_birthday_say_that_they_are_more_content_than_before(played: Played):
    seen = played.house.get(f"/v1/customers/{played.house.customer('C-1008')}")["satisfaction"]
    assert seen["paradox"] is True
    assert seen["instrument"] == "CSAT"


def test_everybody_works_in_a_team_that_reports_may_speak_of(played: Played):
    joined = Counter(one.team for one in played.of("colleague.joined"))
    assert joined.keys() == TEAMS.keys()
    assert min(joined.values()) >= 5
    assert {one.role_class for one in played.of("colleague.joined")} == {"front", "back", "manager", "partner"}


def test_the_first_pages_shown_are_those_that_the_service_answers_with(played: Played):
    with played.house.container.unmoving_source() as source:
        shown = {one.name: one for one in ending(source, NOW)}
    assert [*shown] == ["queue", "feed", "obstacles", "budgets", "loyalty_makers"]
    queue = played.queue()
    assert shown["queue"].title.startswith(f"{len(queue)} open recoveries")
    assert [row[0] for row in shown["queue"].rows] == [str(one["risk"]) for one in queue[:FEW]]
    assert shown["obstacles"].rows[0][:3] == ("policy_block", "4", "165")
    assert shown["budgets"].rows[1][:6] == ("kitchen 2026 EUR", "50.00", "2.50", "37.00", "79%", "80%")
    assert ("back", "mechanic") in {row[:2] for row in shown["loyalty_makers"].rows}
    assert all(len(row) == len(one.columns) for one in shown.values() for row in one.rows)
    for one in shown.values():
        played.house.get(one.path)
