"""I-17: the hours in which nobody asks the customer anything, and nobody invites him."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.kinds import UNPUBLISHED, Actor
from domain.milestones import RelationshipOpened
from domain.moves.apology import Apologise
from domain.moves.contact import UpdateCustomer
from domain.moves.follow_up import AttemptFollowUp, CompleteFollowUp, ScheduleFollowUp
from domain.moves.invitation import InviteBack
from domain.moves.outcome import Resolve
from domain.moves.relationship import QuietHours, SetContactPreferences
from domain.moves.remedy import DeliverRemedy
from domain.moves.voice import StateSatisfaction
from domain.quiet import quiet_until
from domain.relationship import Relationship
from tests.support.given import CUSTOMER, START, Story, refused, story
from tests.support.houses import open_on_weekdays
from tests.support.stories import report

HOUR = 60
NIGHT = 13 * HOUR
"""Ten in the evening in UTC."""
CUSTOMER_HIMSELF = Actor(kind="customer", ref="k:app")
PROGRAM = Actor(kind="service", ref="s:survey")
SURVEYED = StateSatisfaction(instrument="CSAT", value=4, solicited=True)
ASKED = CompleteFollowUp(outcome="satisfied")
TRIED = AttemptFollowUp(outcome="no_answer")
INVITED = InviteBack(what="breakfast", valid_until=START + timedelta(days=30))


def sleeper(zone: str | None = "UTC", start: str = "21:30", end: str = "07:15") -> Story:
    """A customer who wants quiet at night, and whose plums were exchanged at nine in the morning."""
    told = story().given(RelationshipOpened(timezone=zone))
    told.when(SetContactPreferences(quiet_hours=QuietHours(start=start, end=end)))
    told.when(report(severity=3)).when(Apologise(said="admits"))
    return told.when(DeliverRemedy(remedy_kind="replacement")).when(Resolve())


@pytest.mark.parametrize("disturbing", [TRIED, INVITED, SURVEYED, ASKED])
def test_i17_quiet_hours_bind_surveys_and_invitations(disturbing: Any):
    with refused("quiet_hours", until="2026-03-03T07:15:00+00:00"):
        sleeper().when(disturbing, at=NIGHT)
    assert sleeper().when(disturbing, at=22 * HOUR + 15).last


@pytest.mark.parametrize(
    "owed",
    [
        Apologise(said="regret", stage="follow_up"),
        UpdateCustomer(kind="result"),
        DeliverRemedy(remedy_kind="refund"),
        StateSatisfaction(instrument="CSAT", value=1),
    ],
)
def test_i17_they_bind_no_apology_no_news_no_remedy_and_nothing_that_he_says_unasked(owed: Any):
    assert sleeper().when(owed, at=NIGHT).last


@pytest.mark.parametrize("actor", [CUSTOMER_HIMSELF, PROGRAM])
@pytest.mark.parametrize("answer", [SURVEYED, ASKED])
def test_i17_who_answers_by_himself_or_through_a_program_answers_when_he_likes(answer: Any, actor: Actor):
    assert sleeper().when(answer, at=NIGHT, actor=actor).last


def test_i17_a_program_that_calls_him_is_bound_like_anybody():
    with refused("quiet_hours"):
        sleeper().when(TRIED, at=NIGHT, actor=PROGRAM)


def test_i17_nobody_plans_to_ask_him_then():
    with refused("quiet_hours", until="2026-03-05T07:15:00+00:00"):
        sleeper().when(ScheduleFollowUp(due_at=START + timedelta(days=2, minutes=NIGHT)), at=1)


def test_i17_what_is_imported_is_taken():
    assert sleeper().when(TRIED, at=NIGHT, importing=True).last


def test_i17_who_said_nothing_of_quiet_hours_has_none_and_they_can_be_taken_back():
    assert sleeper().when(SetContactPreferences(), at=1).when(TRIED, at=NIGHT).last


# What the clock shows.


def until(moment: datetime, start: str, end: str, zone: str | None = "UTC", house: Any = UNPUBLISHED) -> Any:
    state = Relationship(CUSTOMER).but(quiet_hours=(start, end), timezone=zone)
    return quiet_until(state, moment, house)


def at(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-03-02T21:59:59", None),
        ("2026-03-02T22:00:00", "2026-03-03T08:00:00"),
        ("2026-03-03T00:30:00", "2026-03-03T08:00:00"),
        ("2026-03-03T07:59:59", "2026-03-03T08:00:00"),
        ("2026-03-03T08:00:00", None),
    ],
)
def test_a_night_runs_past_midnight(moment: str, ends: str | None):
    assert until(at(moment), "22:00", "08:00") == (at(ends) if ends else None)


@pytest.mark.parametrize(
    ("moment", "quiet"), [("12:59", False), ("13:00", True), ("14:59", True), ("15:00", False)]
)
def test_a_rest_at_noon_begins_and_ends_on_the_same_day(moment: str, quiet: bool):
    assert (until(at(f"2026-03-02T{moment}"), "13:00", "15:00") is not None) is quiet


def test_from_an_hour_to_the_same_hour_is_no_time_at_all():
    assert until(at("2026-03-02T08:00:00"), "08:00", "08:00") is None


def test_the_hours_are_those_where_he_lives():
    assert until(at("2026-03-02T20:30:00"), "22:00", "08:00", zone="Europe/Athens") == at("2026-03-03T06:00:00")
    assert until(at("2026-03-02T20:30:00"), "22:00", "08:00", zone="America/New_York") is None


@pytest.mark.parametrize("zone", [None, "Middle/Earth"])
def test_without_a_zone_that_is_known_they_are_those_of_the_house(zone: str | None):
    moment = at("2026-03-02T20:30:00")
    assert until(moment, "22:00", "08:00", zone, open_on_weekdays()) == at("2026-03-03T06:00:00")
    assert until(moment, "22:00", "08:00", zone) is None


def test_in_the_hour_told_twice_in_autumn_they_end_at_the_next_end():
    # In Athens four o'clock becomes three on 25 October 2026, at 01:00 UTC.
    ends = [
        until(at(f"2026-10-25T{told}"), "22:00", "03:30", "Europe/Athens") for told in ("00:15:00", "01:15:00")
    ]
    assert ends == [at("2026-10-25T00:30:00"), at("2026-10-25T01:30:00")]


def test_an_end_in_the_hour_left_out_in_spring_comes_when_that_hour_would_be_over():
    # In Athens three o'clock becomes four on 29 March 2026, at 01:00 UTC.
    ends = until(at("2026-03-29T00:15:00"), "22:00", "03:30", "Europe/Athens")
    assert at("2026-03-29T01:00:00") <= ends <= at("2026-03-29T01:30:00")
