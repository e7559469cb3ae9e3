"""The stories of the practices told over HTTP, days after they happened: each ends with the score it must have."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.customers import Customer, customer
from tests.support.http import Service

DAY = 24 * 60
NEVER = datetime(9990, 1, 1, tzinfo=UTC)
WAITER = {"colleague_id": "till-4", "role": "waiter", "role_class": "front"}
MECHANIC = {"colleague_id": "pit-2", "role": "mechanic", "role_class": "back"}


def long_ago(house: Service, number: str, days: int) -> Customer:
    return customer(house, number, began=house.clock.now - timedelta(days=days))


def no_clock_runs(house: Service) -> bool:
    """Whether nothing will ever fall due: what is told late raises no storm."""
    house.project()
    return not house.container.due(NEVER, 1000)


# Plums: put right at the door, then the last word.


def plums(house: Service, number: str) -> Customer:
    told = long_ago(house, number, days=20)
    told.when(
        "report-failure",
        0,
        what="wrong_or_broken",
        fault="firm",
        similarity_key="produce",
        description="Three of the six plums were hard.",
    )
    told.when("apologise", 2, said="admits", feeling_named=True)
    told.when("promise-remedy", 3, remedy_kind="replacement", mode="self_service")
    told.when("deliver-remedy", 6, resolves="full", confirmed_by="customer")
    told.when("resolve", 7)
    return told


PUT_RIGHT = [("FailureReported", -800, 6200), ("ApologyMade", 216, 6416), ("RemedyDelivered", 464, 6880)]


def test_plums_exchanged_at_the_door_leave_a_satisfied_customer(house: Service):
    told = plums(house, "plums")
    assert told.scored() == (6880, "satisfied")
    assert told.terms() == PUT_RIGHT
    assert told.recovery()["phase"] == "resolved"
    assert told.satisfaction()["status"] == "recovered"
    assert told.kinds() == [
        "relationship.opened",
        "failure.reported",
        "apology.made",
        "remedy.promised",
        "remedy.delivered",
        "recovery.resolved",
    ]
    assert no_clock_runs(house)


def test_the_last_word_undoes_what_was_put_right(house: Service):
    told = plums(house, "last word")
    answer = told.when(
        "report-treatment", 8, treatment="favour_flaunting", degree=2, witnessed="some", by_role_class="front"
    )
    assert [one["topic"] for one in answer["receipts"]][:2] == ["treatment.reported", "recovery.reopened"]
    told.when("announce-leaving", 8, competitor="the grocer across the street")
    told.when("report-loss", 8, basis="told_us", cause_recovery_id=told.recovery()["recovery_id"])

    assert told.scored() == (5464, "at_risk")
    assert told.terms() == [
        *PUT_RIGHT,
        ("TreatmentReported", -800, 6080),
        ("TreatmentReported", -96, 5984),
        ("DoubleDeviation:RecoveryReopened", -400, 5584),
        ("DoubleDeviation:RecoveryReopened:attenuate", -120, 5464),
    ]
    recovery = told.recovery()
    assert (recovery["phase"], recovery["reopenings"]) == ("acting", 1)
    assert set(recovery["flags"]) == {"escalated", "failed_again", "leaving", "lost"}
    assert told.satisfaction()["status"] == "lost"
    assert told.kinds()[-5:] == [
        "treatment.reported",
        "recovery.reopened",
        "leaving.announced",
        "escalation.raised",
        "customer.lost",
    ]
    assert no_clock_runs(house)


# A faulty CD: another one is in the post before the day is over.


def test_a_cd_sent_the_same_day_without_twenty_questions(house: Service):
    told = long_ago(house, "cd", days=20)
    told.when(
        "report-failure",
        0,
        what="wrong_or_broken",
        fault="firm",
        channel="phone",
        similarity_key="cd",
        description="The third song jumps.",
    )
    told.when("acknowledge", 9, channel="phone")
    told.when("apologise", 10, said="admits_and_commits", feeling_named=True)
    told.when("deliver-remedy", 50, remedy_kind="replacement", resolves="full", how="sent")
    told.when("resolve", 51)

    assert told.scored() == (6896, "satisfied")
    assert told.terms() == [
        ("FailureReported", -800, 6200),
        ("ApologyMade", 232, 6432),
        ("RemedyDelivered", 464, 6896),
    ]
    assert told.recovery()["phase"] == "resolved"
    assert "information.requested" not in told.kinds()
    assert no_clock_runs(house)


# A double charge, told by the billing system as CloudEvents that know only its own numbers.


def billed(house: Service, number: str, kind: str, minute: int, **data: Any) -> dict[str, Any]:
    at = house.clock.now - timedelta(days=20) + timedelta(minutes=minute)
    event = {
        "specversion": "1.0",
        "id": f"{number}:{kind}:{minute}",
        "source": "urn:test",
        "type": f"amends.{kind}.v1",
        "time": at.isoformat(),
        "data": {"customer": {"kind": "billing", "value": number}, **data},
    }
    return house.post("/v1/events", event, status=201, Content_Type="application/cloudevents+json")


def charged_twice(house: Service, number: str) -> Customer:
    found = billed(
        house,
        number,
        "failure.reported",
        0,
        what="billed_wrong",
        severity=3,
        fault="firm",
        similarity_key="billing",
        order=f"invoice {number}",
        description="The card was charged twice.",
    )
    billed(
        house,
        number,
        "apology.made",
        5,
        about={"order": f"invoice {number}"},
        said="admits_and_commits",
        feeling_named=True,
        explanation="brief",
    )
    return Customer(house, found["customer_id"], house.clock.now - timedelta(days=20))


def test_a_double_charge_refunded_at_once_is_nearly_healed(house: Service):
    told = charged_twice(house, "refunded")
    about = {"order": "invoice refunded"}
    billed(house, "refunded", "remedy.delivered", 10, about=about, remedy_kind="refund", resolves="full")
    billed(house, "refunded", "recovery.resolved", 11, about=about)

    assert told.scored() == (6820, "satisfied")
    assert told.terms() == [
        ("FailureReported", -1500, 5500),
        ("ApologyMade", 510, 6010),
        ("RemedyDelivered", 810, 6820),
    ]
    assert told.recovery()["phase"] == "resolved"
    assert no_clock_runs(house)


def test_a_voucher_nine_days_later_heals_less_than_money_now(house: Service):
    told = charged_twice(house, "voucher")
    about = {"order": "invoice voucher"}
    billed(house, "voucher", "remedy.delivered", 9 * DAY, about=about, remedy_kind="credit_note", resolves="full")
    billed(house, "voucher", "recovery.resolved", 9 * DAY, about=about)

    assert told.scored() == (6535, "satisfied")
    assert told.terms() == [
        ("FailureReported", -1500, 5500),
        ("ApologyMade", 510, 6010),
        ("RemedyDelivered", 525, 6535),
    ]
    assert told.timeline()[-1]["occurred_at"] == "2026-02-19T12:00:00Z"
    assert no_clock_runs(house)


# A restaurant: cooked again, a starter handed over, and an apology at the door three days later.


def restaurant(house: Service, number: str) -> Customer:
    told = long_ago(house, number, days=20)
    told.when(
        "report-failure",
        0,
        what="badly_done",
        severity=3,
        fault="firm",
        channel="in_person",
        similarity_key="dish",
        customer_loss={"money": {"amount": "15.00", "currency": "EUR"}},
        description="The fish came burnt.",
        by=WAITER,
    )
    committed = {"said": "admits_and_commits", "feeling_named": True}
    told.when("apologise", 2, **committed, explanation="brief", accepted="accepted", by=WAITER)
    told.when("deliver-remedy", 20, remedy_kind="reperform", resolves="full", by=WAITER)
    told.when("apologise", 22, **committed, by=WAITER)
    told.when(
        "grant-compensation",
        25,
        kind="free_item",
        value={"amount": "9.00", "currency": "EUR"},
        cost={"amount": "2.50", "currency": "EUR"},
        delivered=True,
        by=WAITER,
    )
    told.when("resolve", 26, by=WAITER)
    told.when("apologise", 3 * DAY, **committed)
    return told


COOKED_AGAIN = [
    ("FailureReported", -1500, 5500),
    ("ApologyMade", 555, 6055),
    ("RemedyDelivered", 645, 6700),
    ("ApologyMade", 30, 6730),
    ("CompensationDelivered", 105, 6835),
    ("ApologyMade", 15, 6850),
]


def test_a_dish_cooked_again_with_a_starter_never_claims_more_than_was_lost(house: Service):
    told = restaurant(house, "never asked")
    assert told.scored() == (6850, "satisfied")
    assert told.terms() == COOKED_AGAIN
    found = told.satisfaction()
    assert (found["basis"], found["stated"], found["paradox"]) == ("inferred", None, False)
    assert told.recovery()["phase"] == "resolved"
    stages = told.recovery()["checklist"]["apology"]["stages"]
    assert {name: stage["status"] for name, stage in stages.items()} == {
        "acknowledgement": "done",
        "resolution": "done",
        "follow_up": "done",
    }
    assert no_clock_runs(house)


def test_a_guest_who_says_five_of_five_is_a_paradox_that_is_plausible(house: Service):
    told = restaurant(house, "five")
    told.when("complete-follow-up", 3 * DAY, outcome="satisfied", stated={"instrument": "CSAT", "value": 5})
    told.when("attribute-cause", 3 * DAY, cause_class="capacity")
    told.when("close", 3 * DAY, outcome="satisfied")

    assert told.scored() == (8970, "delighted")
    assert told.terms() == [*COOKED_AGAIN, ("SatisfactionStated:CSAT", 2120, 8970)]
    found = told.satisfaction()
    assert (found["paradox"], found["plausible"]) == (True, True)
    assert (found["basis"], found["stated"], found["instrument"]) == ("stated", 9500, "CSAT")
    assert (found["confidence"], found["status"]) == ("high", "recovered")
    assert told.recoveries() == []
    turning = [one["kind"] for one in told.timeline() if one["turning_point"]]
    assert turning == ["failure.reported", "satisfaction.stated"]
    assert no_clock_runs(house)


def test_a_guest_who_says_two_of_five_opens_it_again_by_that_word(house: Service):
    told = restaurant(house, "two")
    answer = told.when("state-satisfaction", 3 * DAY, instrument="CSAT", value=2)
    assert [one["topic"] for one in answer["receipts"]][:2] == ["satisfaction.stated", "recovery.reopened"]

    assert told.scored() == (3770, "dissatisfied")
    assert told.terms() == [*COOKED_AGAIN, ("SatisfactionStated:CSAT", -3080, 3770)]
    found = told.satisfaction()
    assert (found["paradox"], found["status"], found["failed_again"]) == (False, "recovering", 0)
    assert (told.recovery()["phase"], told.recovery()["reopenings"]) == ("acting", 1)
    assert no_clock_runs(house)


# A barista who knows better, six times.


def test_six_small_contested_coffees_cost_more_than_one_big_failure(house: Service):
    told = long_ago(house, "barista", days=60)
    for week in range(6):
        minute = week * 7 * DAY
        coffee = told.when(
            "report-failure",
            minute,
            what="wrong_or_broken",
            severity=1,
            fault="firm",
            channel="in_person",
            similarity_key="milk",
            description="It was more milk than foam.",
        )["ids"]["recovery_id"]
        told.when("report-treatment", minute + 1, recovery_id=coffee, treatment="perception_contested")

    assert told.scored() == (2095, "dissatisfied")
    assert told.terms() == [
        ("FailureReported", -300, 6700),
        ("TreatmentReported", -300, 6400),
        ("FailureReported", -561, 5839),
        ("TreatmentReported", -300, 5539),
        ("FailureReported", -561, 4978),
        ("TreatmentReported", -300, 4678),
        ("FailureReported", -561, 4117),
        ("TreatmentReported", -300, 3817),
        ("FailureReported", -561, 3256),
        ("TreatmentReported", -300, 2956),
        ("FailureReported", -561, 2395),
        ("TreatmentReported", -300, 2095),
    ]
    assert [one["phase"] for one in told.recoveries()] == ["reported"] * 6
    assert no_clock_runs(house)


# A mechanic: two years of small frictions, then a wiper and brake pads nobody had asked for.


def test_a_mechanic_wins_a_customer_whom_five_small_frictions_had_nearly_lost(house: Service):
    told = long_ago(house, "mechanic", days=735)
    importer = house.key("append", "import", "act_for")
    for n in range(5):
        at = (told.began + timedelta(days=120 * n)).isoformat()
        friction = {
            "what": "treated_badly",
            "severity": 1,
            "fault": "firm",
            "similarity_key": "comm",
            "description": "Nobody called back.",
            "occurred_at": at,
            "imported": True,
        }
        answer = house.http.post(f"{told.path}/report-failure", json=friction, headers=importer)
        assert answer.status_code == 201, answer.text
    second_service = 1_051_200
    told.when("make-gesture", second_service, kind="extra_care", degree=2, by=MECHANIC)
    told.when("make-gesture", second_service + 1, kind="prevention", degree=3, avoided_contacts=1, by=MECHANIC)
    told.when("state-satisfaction", second_service + 2, instrument="NPS", value=10, about="relationship")

    assert told.scored() == (8140, "delighted")
    assert told.terms() == [
        ("FailureReported", -300, 6700),
        ("FailureReported", -450, 6250),
        ("FailureReported", -450, 5800),
        ("FailureReported", -450, 5350),
        ("FailureReported", -450, 4900),
        ("GestureMade", 400, 5300),
        ("GestureMade", 800, 6100),
        ("SatisfactionStated:NPS", 2040, 8140),
    ]
    back_office = [one["kind"] for one in told.timeline() if one["role_class"] == "back"]
    assert back_office == ["gesture.made", "gesture.made"]
    assert [one["kind"] for one in told.timeline() if one["turning_point"]] == ["satisfaction.stated"]
    assert no_clock_runs(house)


def test_what_is_older_than_the_house_remembers_is_told_by_an_importer_only(house: Service):
    told = long_ago(house, "too old", days=735)
    found = told.when("make-gesture", 0, status=422, kind="extra_care")
    assert found["type"].endswith("/problems/too_old")


@pytest.mark.parametrize("hours", [1, 24, 24 * 30])
def test_time_that_passes_afterwards_changes_no_score_that_was_told_late(amends: Service, hours: int):
    told = plums(amends, "plums")
    amends.clock.forward(hours=hours)
    assert no_clock_runs(amends)
    assert amends.container.sweeper.run_once() == 0
    assert told.scored() == (6880, "satisfied")
