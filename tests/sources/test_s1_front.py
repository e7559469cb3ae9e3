"""S1, at the front: whoever serves knows what to do, what he may give, and asks nobody for easy matters."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.asking import looked_up
from tests.support.customers import Customer, customer
from tests.support.http import Service
from tests.support.passing import pass_time

AGENT = {"colleague_id": "agent-4", "role": "representative", "role_class": "front"}
LEAD = {"colleague_id": "lead-1", "role": "manager", "role_class": "manager"}
WAITER = {"colleague_id": "waiter-2", "role": "waiter", "role_class": "front"}
LATE = {"what": "late", "fault": "firm", "channel": "phone", "description": "The parcel is an hour late."}
BURNT = {"what": "badly_done", "fault": "firm", "channel": "in_person", "description": "The fish came burnt."}


def eur(amount: str) -> dict[str, str]:
    """So many euros."""
    return {"amount": amount, "currency": "EUR"}


def failed(house: Service, number: str, **failure: Any) -> Customer:
    """A customer for whom something failed just now."""
    found = customer(house, number)
    found.when("report-failure", **LATE | failure)
    return found


def step(of: Customer) -> dict[str, Any]:
    """What to do for him next."""
    return looked_up(of.service, f"{of.path}/next-step")


def test_s1_7_an_approver_who_is_silent_is_waited_for_fifteen_minutes(house: Service):
    waiting = failed(house, "pope")
    asked = {"kind": "voucher", "cost": eur("120.00"), "reason": "A wedding cake.", "by": AGENT}
    answer = waiting.when("grant-compensation", status=202, **asked)
    assert [one["topic"] for one in answer["receipts"]] == ["compensation.requested"]
    pass_time(house, minutes=14)
    assert waiting.kinds()[-1] == "failure.reported"
    pass_time(house, minutes=1)
    assert waiting.kinds()[-1] == "compensation.granted"
    log = house.get(f"/v1/events?after={answer['position']}")["data"]
    approved, granted = (one for one in log if one["subject"] == waiting.customer_id)
    # The time-out says that it was nobody's word, how long it waited, and what it gave.
    assert (approved["data"]["auto"], approved["data"]["waited_s"]) == (True, 900)
    assert approved["data"]["amount"] == granted["data"]["cost"] == eur("25.00")


def test_s1_7_a_chain_of_two_is_answered_in_minutes_and_the_wait_is_reported(house: Service, since: str):
    waiting = failed(house, "quick pope")
    answer = waiting.when("grant-compensation", status=202, kind="voucher", cost=eur("120.00"), by=AGENT)
    house.clock.forward(minutes=4)
    waiting.when("decide-compensation", approve=True, by=LEAD)
    log = house.get(f"/v1/events?after={answer['position']}")["data"]
    [approved] = [one["data"] for one in log if one["type"] == "amends.compensation.approved.v1"]
    assert (approved["auto"], approved["in_time"], approved["waited_s"]) == (False, True, 240)
    failed(house, "no pope").when("grant-compensation", kind="voucher", cost=eur("20.00"), by=AGENT)
    report = house.get(f"/v1/reports/authority-latency{since}")
    assert (report["alone"], report["asked"], report["voices"]) == (1, 1, {"1": 1, "2": 1})
    assert report["decided_at_front_line"]["share"] == 0.5
    assert report["waited_s"] == {"n": 1, "median": 240, "p90": 240}


def test_s1_8_burnt_food_is_cooked_again_first_and_nobody_is_asked(house: Service):
    guest = failed(house, "burnt", **BURNT)
    assert step(guest)["script_ref"] == "playbook:reperform-now:1:steps"
    guest.when("apologise", said="admits", by=WAITER)
    advised = step(guest)
    assert (advised["step"], advised["reason_code"]) == ("instant_remedy", "within_authority")
    first = advised["options"][0]
    assert (first["command"], first["kind"], first["approval"]) == ("instant-remedy", "reperform", False)
    done = {"apology": {"said": "admits"}, "remedy": {"remedy_kind": "reperform", "resolves": "full"}}
    guest.when(first["command"], **done, by=WAITER)
    assert guest.recovery()["phase"] == "resolved"


def charged_twice(house: Service, number: str) -> Customer:
    """A card was charged twice twenty days ago, and somebody apologised at once."""
    told = customer(house, number, began=house.clock.now - timedelta(days=20))
    told.when(
        "report-failure",
        0,
        what="billed_wrong",
        severity=3,
        fault="firm",
        description="The card was charged twice.",
    )
    told.when("apologise", 5, said="admits_and_commits", feeling_named=True, explanation="brief")
    return told


@pytest.mark.parametrize(
    ("number", "minute", "kind", "score", "distributive"),
    [("refund", 10, "refund", 6820, 90), ("voucher", 9 * 24 * 60, "credit_note", 6535, 62)],
)
def test_s1_9_money_now_heals_more_than_a_voucher_nine_days_later(
    house: Service, number: str, minute: int, kind: str, score: int, distributive: int
):
    told = charged_twice(house, number)
    told.when("deliver-remedy", minute, remedy_kind=kind, resolves="full")
    told.when("resolve", minute)
    assert told.scored() == (score, "satisfied")
    [recovery] = house.get(f"/v1/reports/justice?customer_id={told.customer_id}")["recoveries"]
    assert recovery["distributive"] == distributive


def test_s1_10_one_request_tells_history_promises_limits_and_the_next_step(house: Service):
    told = customer(house, "one page")
    first = failed(house, "one page", what="not_told").recovery()["recovery_id"]
    told.when("close", outcome="withdrawn", recovery_id=first)
    told.when("report-failure", **LATE)
    told.when("grant-compensation", kind="voucher", cost=eur("20.00"), by=AGENT)
    told.when("promise-remedy", remedy_kind="expedite")
    page = looked_up(house, f"{told.path}/brief")
    assert [(one["what"], one["phase"]) for one in page["recoveries"]] == [
        ("late", "acting"),
        ("not_told", "closed"),
    ]
    assert page["last_outcome"]["outcome"] == "withdrawn"
    assert [one["of"] for one in page["open_promises"]] == ["voucher", "expedite"]
    assert page["next_step"]["step"] == "acknowledge_and_apologise"
    left = page["authority_left"]
    assert (left["given"], left["per_grant"], left["per_colleague_day"]) == (
        eur("20.00"),
        eur("50.00"),
        eur("150.00"),
    )


def test_s1_12_an_easy_matter_is_one_post_one_transaction_and_no_approval(house: Service):
    told = customer(house, "easy")
    answer = told.when(
        "instant-remedy",
        failure=BURNT,
        apology={"said": "admits_and_commits"},
        remedy={"remedy_kind": "reperform", "resolves": "full"},
        compensation={"kind": "free_item", "cost": eur("4.00")},
        by=WAITER,
    )
    positions = [one["position"] for one in answer["receipts"]]
    assert positions == [*range(positions[0], positions[0] + len(positions))]
    assert told.kinds("relationship.opened", "follow_up.scheduled") == [
        "failure.reported",
        "recovery.acknowledged",
        "apology.made",
        "remedy.promised",
        "remedy.delivered",
        "compensation.granted",
        "compensation.delivered",
        "recovery.resolved",
    ]
    log = house.get(f"/v1/events?after={positions[0] - 1}")["data"]
    assert {one["recordedat"] for one in log} == {log[0]["recordedat"]}
    approvals = ("requested", "approved", "refused")
    assert not {one["type"] for one in log} & {f"amends.compensation.{one}.v1" for one in approvals}
    refused = told.when(
        "instant-remedy",
        status=403,
        failure=BURNT,
        apology={"said": "admits"},
        remedy={"remedy_kind": "reperform"},
        compensation={"kind": "voucher", "cost": eur("51.00")},
        by=WAITER,
    )
    # It never waits for anybody, and then nothing of it is recorded.
    assert (refused["type"].rpartition("/")[2], refused["who_can"]) == ("over_limit", ["manager"])
    assert told.kinds().count("failure.reported") == 1


def test_s1_14_what_he_wants_comes_before_any_field_of_ours(house: Service):
    told = failed(house, "wish", desired_outcome="It on Thursday.", customer_words="I told you on Monday!")
    house.project()
    text = house.http.get(f"{told.path}/brief").text
    assert text.startswith('{"desired_outcome":"It on Thursday.","customer_words":"I told you on Monday!"')


def test_s1_16_after_a_hand_over_the_new_owner_has_every_fact(house: Service):
    told = failed(house, "handed", desired_outcome="It on Thursday.")
    told.when("hear-concern", summary="He works nights.", confirmed=True)
    told.when("record-expectation", topic="punctuality", wish="Ring twice.", importance=5)
    told.when("promise-remedy", remedy_kind="expedite")
    before = looked_up(house, f"{told.path}/brief")
    told.when("hand-off", to="agent-9", team="depot", context_shared=True, by=AGENT)
    after = looked_up(house, f"{told.path}/brief")
    changes = {name for name in before if before[name] != after[name]}
    assert changes == {"version"}
    assert told.recovery()["team"] == "depot"

    told.when("contact-again", channel="phone", repeated_information=True)
    load = house.get(f"/v1/reports/process-load?recovery_id={told.recovery()['recovery_id']}")
    assert (load["hand_offs"]["counts"], load["repeat_contacts"]["counts"]) == ({"1": 1}, {"1": 1})
    assert (load["known_before"]["hits"], load["known_before"]["n"]) == (1, 1)


@pytest.mark.parametrize(
    ("amount", "role_class", "verdict", "status"),
    [
        ("50.00", "front", "granted", 201),
        ("50.01", "front", "needs_approval", 202),
        ("500.01", "front", "refused", 403),
        ("500.00", "manager", "granted", 201),
        ("50.00", "back", "granted", 201),
        ("0.01", "partner", "refused", 403),
    ],
)
def test_s1_18_what_one_may_give_is_seen_before_it_is_given(
    house: Service, amount: str, role_class: str, verdict: str, status: int
):
    told = failed(house, f"check {amount} {role_class}")
    asked = f"customer_id={told.customer_id}&colleague=c-{role_class}&role_class={role_class}&kind=voucher"
    check = looked_up(house, f"/v1/authority/check?{asked}&amount={amount}")
    assert check["verdict"] == verdict
    by = {"colleague_id": f"c-{role_class}", "role": "other", "role_class": role_class}
    house.clock.forward(days=1)
    answer = told.when("grant-compensation", status=status, kind="voucher", cost=eur(amount), by=by)
    assert answer.get("type") == (check["problem"] and check["problem"]["type"])


def test_s1_23_the_same_story_gives_the_same_step_with_its_reason_and_its_words(house: Service, since: str):
    advised = [step(failed(house, number)) for number in ("one", "other")]
    for one in advised:
        assert (one["step"], one["reason_code"]) == ("acknowledge_and_apologise", "not_acknowledged")
        assert one["script"]
        del one["recovery_id"]
    assert advised[0] == advised[1]
    failed(house, "unheard of", what="other")
    ready = house.get(f"/v1/reports/playbooks{since}")["readiness"]
    assert (ready["hits"], ready["n"]) == (2, 3)


def restaurant(house: Service, number: str) -> Customer:
    """Twenty days ago a dish came burnt, was cooked again, and a starter came with it."""
    told = customer(house, number, began=house.clock.now - timedelta(days=20))
    committed = {"said": "admits_and_commits", "feeling_named": True}
    loss = {"money": eur("15.00")}
    told.when("report-failure", 0, **BURNT, severity=3, similarity_key="dish", customer_loss=loss)
    told.when("apologise", 2, **committed, explanation="brief", accepted="accepted")
    told.when("deliver-remedy", 20, remedy_kind="reperform", resolves="full")
    told.when("apologise", 22, **committed)
    starter = {"kind": "free_item", "value": eur("9.00"), "cost": eur("2.50"), "delivered": True}
    told.when("grant-compensation", 25, **starter, by=WAITER)
    told.when("resolve", 26)
    told.when("apologise", 3 * 24 * 60, **committed)
    return told


def test_s1_24_only_his_own_word_makes_a_paradox(house: Service):
    silent, asked = restaurant(house, "never asked"), restaurant(house, "asked")
    said = {"instrument": "CSAT", "value": 5}
    asked.when("complete-follow-up", 3 * 24 * 60, outcome="satisfied", stated=said)
    assert (silent.scored(), silent.satisfaction()["paradox"]) == ((6850, "satisfied"), False)
    assert (asked.scored(), asked.satisfaction()["paradox"]) == ((8970, "delighted"), True)
    assert asked.satisfaction()["plausible"] is True


def test_s1_25_a_call_for_the_supervisor_is_an_escalation_of_its_own_kind(house: Service, since: str):
    told = failed(house, "supervisor")
    answer = told.when("escalate", trigger="supervisor_demanded")
    assert "escalated" in told.recovery()["flags"]
    [raised] = house.get(f"/v1/events?after={answer['position'] - 1}")["data"]
    assert (raised["data"]["trigger"], raised["data"]["level"]) == ("supervisor_demanded", 1)
    told.when("settle-escalation", how="The lead called him back.")
    assert told.recovery()["flags"] == []
    for nth in range(3):
        failed(house, f"no supervisor {nth}")
    demanded = house.get(f"/v1/reports/process-load{since}")["supervisor_demanded"]
    # Twenty-five per hundred, of four.
    assert (demanded["hits"], demanded["n"], demanded["share"]) == (1, 4, 0.25)


def test_s1_25_what_fails_again_is_counted_before_and_after_a_change(house: Service, since: str):
    changed_at = (house.clock.now + timedelta(days=15)).isoformat().replace("+00:00", "Z")
    for days_until_next in (5, 15, 15):
        failed(house, "again", touchpoint="evening-slot")
        house.clock.forward(days=days_until_next)
    path = f"/v1/reports/repeat-failures{since}&changed_at={changed_at}&within_days=10"
    found = house.get(f"{path}&similarity_key=late:evening-slot")
    assert (found["n"], found["overall"]["again"]["hits"], found["overall"]["again"]["n"]) == (3, 1, 3)
    before, after = found["change"]["before"], found["change"]["after"]
    assert (before["failures"], after["failures"]) == (2, 1)
    assert "fewer than 20" in found["change"]["why_not"]
