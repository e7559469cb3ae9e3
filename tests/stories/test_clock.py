"""Stories in which time acts: nobody answers, the customer never answers, he is wrong, nobody knows who he is.

The clock is moved by hand; the sweeper looks after the read models have caught up, as its thread does.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.support.customers import Customer, customer
from tests.support.http import Service

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BURNT = {"what": "badly_done", "severity": 3, "fault": "firm", "description": "The fish came burnt."}


def sweep(house: Service) -> None:
    """The sweeper looks until nothing is due any more."""
    house.project()
    while house.container.sweeper.run_once():
        house.project()


def pass_time(house: Service, time: timedelta, *, steps: int = 1) -> None:
    """Time passes in so many steps, and the sweeper looks after each."""
    for _ in range(steps):
        house.clock.now += time / steps
        sweep(house)


SAID = ("step", "n", "level")
BY_THE_CLOCK = ("amends.deadline.missed.v1", "amends.silence.noticed.v1", "amends.escalation.raised.v1")


def clock_events(house: Service, told: Customer) -> list[tuple[str, str, str]]:
    """(when, what, of which step, the how manieth or how high) for what the clock said about a customer."""
    found = house.get("/v1/events?limit=500")["data"]
    return [
        (one["time"], one["type"], str(next(one["data"][name] for name in SAID if name in one["data"])))
        for one in found
        if one["subject"] == told.customer_id and one["type"] in BY_THE_CLOCK
    ]


def put_right(told: Customer, **failure: Any) -> None:
    """The failure is reported, apologised for, put right and resolved, all within the hour."""
    house = told.service
    told.when("report-failure", **BURNT | failure)
    house.clock.now += timedelta(minutes=10)
    told.when("apologise", said="admits_and_commits", feeling_named=True)
    told.when("deliver-remedy", remedy_kind="reperform", resolves="full")
    told.when("grant-compensation", kind="free_item", delivered=True)
    told.when("resolve")


# A customer whom nobody answers.

NOBODY_CAME = [
    ("2026-03-02T14:00:00Z", "amends.deadline.missed.v1", "acknowledge"),
    ("2026-03-02T16:00:00Z", "amends.deadline.missed.v1", "first_action"),
    ("2026-03-02T16:00:00Z", "amends.escalation.raised.v1", "1"),
    ("2026-03-02T20:00:00Z", "amends.escalation.raised.v1", "2"),
    ("2026-03-03T00:00:00Z", "amends.escalation.raised.v1", "3"),
    ("2026-03-04T12:00:00Z", "amends.silence.noticed.v1", "1"),
    ("2026-03-05T12:00:00Z", "amends.deadline.missed.v1", "remedy"),
    ("2026-03-06T12:00:00Z", "amends.silence.noticed.v1", "2"),
    ("2026-03-07T12:00:00Z", "amends.deadline.missed.v1", "compensation"),
    ("2026-03-08T12:00:00Z", "amends.silence.noticed.v1", "3"),
    ("2026-03-10T12:00:00Z", "amends.silence.noticed.v1", "4"),
    ("2026-03-12T12:00:00Z", "amends.silence.noticed.v1", "5"),
    ("2026-03-14T12:00:00Z", "amends.silence.noticed.v1", "6"),
    ("2026-03-16T12:00:00Z", "amends.silence.noticed.v1", "7"),
]


@pytest.mark.parametrize("steps", [1, 7, 30 * 8])
def test_a_customer_nobody_answers_is_noticed_at_the_same_moments_however_often_we_look(
    amends: Service, steps: int
):
    told = customer(amends, "nobody answers")
    told.when("report-failure", **BURNT)
    pass_time(amends, 30 * DAY, steps=steps)

    assert clock_events(amends, told) == NOBODY_CAME
    # 70.00 - 15.00, four promises missed at 1.50 each, seven alarms at 2.00 each.
    assert told.scored() == (3500, "dissatisfied")
    assert sum(change for _, change, _ in told.terms()) == -1500 - 4 * 150 - 7 * 200
    recovery = told.recovery()
    assert recovery["missed"] == ["acknowledge", "first_action", "remedy", "compensation"]
    assert (recovery["phase"], recovery["overdue"], recovery["flags"]) == ("reported", 4, ["escalated", "silent"])
    assert recovery["silent_since"] == "2026-03-02T12:00:00Z"
    # 10 by severity 3, 15 for each of four steps, 10 for each of seven alarms.
    assert recovery["risk"] == 30 + 60 + 70
    assert told.satisfaction()["status"] == "failed"


def test_the_clock_says_when_it_was_due_and_that_nobody_posted_it(amends: Service):
    told = customer(amends, "nobody answers")
    told.when("report-failure", **BURNT)
    pass_time(amends, 3 * HOUR)
    missed = amends.get("/v1/events")["data"][-1]
    assert missed["type"] == "amends.deadline.missed.v1"
    assert (missed["time"], missed["recordedat"]) == ("2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z")
    assert (missed["actor"], missed["actorkind"], missed["source"]) == ("s:amends", "service", "amends:duties")


def test_a_late_answer_does_not_undo_a_miss_and_starts_silence_anew(amends: Service):
    told = customer(amends, "late answer")
    told.when("report-failure", **BURNT)
    pass_time(amends, 2 * DAY)
    told.when("acknowledge", channel="phone")
    pass_time(amends, DAY)
    told.when("update-customer", kind="progress", two_way=True)
    pass_time(amends, DAY)
    assert clock_events(amends, told) == NOBODY_CAME[:7]
    assert (told.recovery()["phase"], told.recovery()["silent_since"]) == ("acknowledged", None)


def test_an_automatic_answer_is_no_answer(amends: Service):
    told = customer(amends, "robot")
    told.when("report-failure", **BURNT)
    told.when("acknowledge", channel="email", human=False)
    pass_time(amends, 3 * HOUR)
    assert clock_events(amends, told) == NOBODY_CAME[:1]
    assert told.recovery()["phase"] == "reported"


def test_what_is_told_late_is_settled_up_to_when_it_happened(amends: Service):
    told = customer(amends, "late news")
    told.when("report-failure", **BURNT)
    amends.clock.now += 5 * HOUR
    # Nobody looked yet. The answer was given in time and is told now: nothing was missed before it.
    told.when("acknowledge", 60)
    assert clock_events(amends, told) == []
    sweep(amends)
    assert clock_events(amends, told) == NOBODY_CAME[1:2]


def test_the_queue_goes_by_risk_and_never_by_what_a_customer_is_worth(amends: Service):
    told: dict[str, Customer] = {}
    told["quiet"] = customer(amends, "quiet and leaving")
    told["quiet"].when("report-failure", **BURNT | {"severity": 2})
    told["quiet"].when("announce-leaving")
    pass_time(amends, 4 * DAY, steps=8)
    for name, severity in (("rich", 1), ("fresh", 3), ("unsafe", 5)):
        told[name] = customer(amends, name)
        told[name].when("report-failure", **BURNT | {"severity": severity})
    told["rich"].when("declare-value", amount={"amount": "20.00", "currency": "EUR"}, per="day")

    # 10 by severity, 15 for each of two steps, 10 for an alarm, 20 for leaving.
    assert _queue(amends, told.values()) == [
        (told["quiet"].customer_id, 20 + 30 + 10 + 20),
        (told["unsafe"].customer_id, 50),
        (told["fresh"].customer_id, 30),
        (told["rich"].customer_id, 10),
    ]


def _queue(house: Service, told: Sequence[Customer]) -> list[tuple[str, int]]:
    found = [(one["customer_id"], one["risk"]) for one in house.get("/v1/recoveries")["data"]]
    assert {who for who, _ in found} <= {one.customer_id for one in told}
    return found


# A customer who never answers.


def test_a_customer_who_never_answers_is_unreachable_after_tries_on_different_days(amends: Service):
    told = customer(amends, "never answers")
    put_right(told)
    pass_time(amends, DAY)
    assert told.when("close", status=409, outcome="unreachable")["type"].endswith("/follow_up_missing")

    told.when("attempt-follow-up", outcome="no_answer", channel="phone")
    pass_time(amends, 2 * HOUR)
    told.when("attempt-follow-up", outcome="bounced", channel="email")
    # Two tries, but on one day.
    refused = told.when("close", status=409, outcome="unreachable")
    assert refused["type"].endswith("/problems/follow_up_missing")
    assert told.when("close", status=409, outcome="satisfied")["type"].endswith("/follow_up_missing")

    pass_time(amends, DAY)
    told.when("attempt-follow-up", outcome="no_answer", channel="phone")
    before = told.scored()
    told.when("attribute-cause", cause_class="supplier")
    told.when("close", outcome="unreachable")
    assert told.recoveries() == []
    # That he could not be reached says nothing about how content he is.
    assert told.scored() == before
    pass_time(amends, 30 * DAY)
    assert told.kinds()[-1] == "recovery.closed"
    assert clock_events(amends, told) == []


def test_nobody_asks_the_customer_after_it_was_put_right_and_the_promise_to_ask_is_missed(amends: Service):
    told = customer(amends, "never asked")
    put_right(told)
    pass_time(amends, 10 * DAY, steps=10)
    assert clock_events(amends, told) == [("2026-03-05T12:10:00Z", "amends.deadline.missed.v1", "follow_up")]
    assert (told.recovery()["phase"], told.recovery()["overdue"]) == ("resolved", 1)


def test_a_small_matter_that_stays_quiet_closes_by_itself(amends: Service):
    told = customer(amends, "quiet")
    put_right(told, severity=2)
    before = told.scored()
    pass_time(amends, 7 * DAY - timedelta(seconds=1))
    assert told.recovery()["phase"] == "resolved"
    pass_time(amends, timedelta(seconds=1))
    assert told.recoveries() == []
    assert told.kinds()[-2:] == ["step.waived", "recovery.closed"]
    assert told.timeline()[-1]["occurred_at"] == "2026-03-09T12:10:00Z"
    assert told.scored() == before


# A customer who is wrong.


def test_a_customer_who_is_wrong_is_refused_with_dignity(amends: Service):
    told = customer(amends, "wrong")
    told.when("report-failure", what="billed_wrong", severity=2, description="I never ordered this.")
    told.when(
        "hear-concern",
        summary="He does not remember the order of May.",
        confirmed=True,
        compassion="named_feeling",
    )
    told.when("reassess", fault="customer", reason="The signature on the order is his.")
    told.when("apologise", said="regret", feeling_named=True)

    refused = told.when("refuse-request", status=422, reason="facts_differ")
    assert refused["type"].endswith("/problems/no_alternative")
    assert told.when("resolve", status=409)["type"].endswith("/problems/nothing_done")
    told.when(
        "refuse-request", reason="facts_differ", alternative="Send it back within two weeks; we pay the post."
    )
    told.when("resolve")

    recovery = told.recovery()
    assert (recovery["phase"], recovery["fault"]) == ("resolved", "customer")
    steps = {name: step["status"] for name, step in recovery["checklist"].items()}
    assert steps == {
        "apology": "done",
        "action": "done",
        "compassion": "done",
        "compensation": "not_due",
        "follow_up": "due",
    }
    # 8.00 lost. Nothing was given, and no action counted: only how he was met heals, 42 * 61 // 100 = 25 %.
    assert told.terms() == [("FailureReported", -800, 6200), ("ApologyMade", 200, 6400)]
    assert told.scored() == (6400, "satisfied")
    pass_time(amends, 6 * DAY)
    assert clock_events(amends, told) == []


@pytest.mark.parametrize(
    "alternative", [{"alternative": "Come by, and we look at it."}, {"alternative_kind": "repair"}]
)
def test_a_refusal_takes_words_or_a_kind_of_remedy_as_its_alternative(
    amends: Service, alternative: dict[str, str]
):
    told = customer(amends, "wrong")
    told.when("report-failure", **BURNT)
    told.when("refuse-request", reason="safety", **alternative)
    assert told.recovery()["checklist"]["action"]["status"] == "done"


# An anonymous complaint.


def test_an_anonymous_complaint_is_owed_deeds_but_nobody_is_silent_towards_a_stranger(amends: Service):
    opened = amends.http.post("/v1/customers")
    assert opened.status_code == 201
    told = Customer(amends, opened.json()["customer_id"], amends.clock.now)
    told.when("report-failure", **BURNT | {"channel": "web_form"})
    [first] = [one for one in amends.get("/v1/events?personal=true")["data"] if "opened" in one["type"]]
    assert (first["data"]["contactable"], first["data"]["references"]) == (False, [])

    pass_time(amends, 30 * DAY, steps=30)
    assert "amends.silence.noticed.v1" not in {what for _, what, _ in clock_events(amends, told)}
    assert told.recovery()["flags"] == ["escalated"]

    told.when("deliver-remedy", remedy_kind="other", resolves="full")
    told.when("apologise", said="regret")
    told.when("resolve")
    for step in ("follow_up", "compensation"):
        told.when("waive-step", step=step, reason="no_contact_given")
    told.when("attribute-cause", cause_class="slip", contributing=["capacity"], evidence_ref="rota")
    told.when("close", outcome="not_asked")
    assert told.recoveries() == []


def test_a_stranger_who_gives_his_address_later_is_found_under_it(amends: Service):
    told = Customer(amends, amends.post("/v1/customers", {})["customer_id"], amends.clock.now)
    told.when("link-reference", kind="email", value="stranger@mail.example")
    found = amends.post(
        "/v1/customers", {"customer": {"kind": "email", "value": "Stranger@mail.example"}}, status=200
    )
    assert found["customer_id"] == told.customer_id
