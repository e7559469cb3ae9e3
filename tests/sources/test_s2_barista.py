"""S2, a barista and a CD: what a customer perceives, what contesting it costs, and no twenty questions."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.asking import looked_up
from tests.support.customers import Customer, customer
from tests.support.http import Service
from tests.support.passing import pass_time

BARISTA = {"colleague_id": "bar-1", "role": "barista", "role_class": "front"}
LEAD = {"colleague_id": "lead-1", "role": "manager", "role_class": "manager"}
CAPPUCCINO = {
    "what": "wrong_or_broken",
    "severity": 1,
    "fault": "firm",
    "channel": "in_person",
    "similarity_key": "milk",
    "description": "It was more milk than foam.",
}
DISC = {
    "what": "wrong_or_broken",
    "fault": "firm",
    "channel": "phone",
    "similarity_key": "disc",
    "description": "The third song jumps.",
}
DAY = 24 * 60


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    """So much."""
    return {"amount": amount, "currency": currency}


def regular(house: Service, number: str, days: int = 60) -> Customer:
    """A customer whose story began so many days ago."""
    return customer(house, number, began=house.clock.now - timedelta(days=days))


def contested(told: Customer, times: int, every: int = 7, **more: Any) -> str:
    """So many cappuccinos, each found right by us; the id of the last recovery."""
    for nth in range(times):
        minute = nth * every * DAY
        cup = told.when("report-failure", minute, **CAPPUCCINO | more)["ids"]["recovery_id"]
        told.when("report-treatment", minute + 1, recovery_id=cup, treatment="perception_contested")
    return str(cup)


def step(of: Customer) -> dict[str, Any]:
    """What to do for him next."""
    return looked_up(of.service, f"{of.path}/next-step")


def revenue(house: Service, code: str, query: str = "") -> dict[str, Any]:
    """What the report of revenue tells in this currency."""
    [found] = [one for one in house.get(f"/v1/reports/revenue{query}")["currencies"] if one["currency"] == code]
    return found


@pytest.mark.parametrize("fault", ["firm", "unknown"])
@pytest.mark.parametrize("severity", [1, 2, 3])
def test_s2_10_who_is_not_at_fault_is_helped_before_he_is_asked_anything(
    house: Service, fault: str, severity: int
):
    told = customer(house, f"no hassle {fault} {severity}")
    told.when("report-failure", **DISC | {"fault": fault, "severity": severity})
    first = step(told)
    assert "request-information" not in {one["command"] for one in first["options"]}
    told.when("apologise", said="admits")
    then = step(told)
    assert then["step"] == "instant_remedy"
    assert {one["command"] for one in then["options"]} == {"instant-remedy", "hand-off"}


def test_s2_13_six_small_cappuccinos_contested_cost_more_than_one_grave_failure(house: Service):
    told = regular(house, "dry cappuccino")
    contested(told, 6)
    assert told.scored() == (2095, "dissatisfied")
    changes = [(label, change) for label, change, _ in told.terms()]
    assert changes[:4] == [
        ("FailureReported", -300),
        ("TreatmentReported", -300),
        ("FailureReported", -561),
        ("TreatmentReported", -300),
    ]


def test_s2_13_how_grave_it_was_the_customer_says(house: Service):
    ours, his = customer(house, "trivial to us"), customer(house, "not to him")
    ours.when("report-failure", **CAPPUCCINO)
    his.when("report-failure", **CAPPUCCINO | {"severity_customer": 3})
    assert (ours.scored()[0], his.scored()[0]) == (6700, 5500)
    assert (his.recovery()["severity"], his.recovery()["severity_customer"]) == (1, 3)


def test_s2_14_who_was_contradicted_bought_his_own_machine_and_the_year_is_gone(house: Service, since: str):
    told = regular(house, "own machine", days=40)
    told.when("declare-value", 0, amount=money("15.00", "PLN"), per="day", basis="observed")
    last = contested(told, 6, every=1)
    answer = told.when("report-loss", basis="stayed_away", cause_recovery_id=last)
    assert answer["receipts"][0]["topic"] == "customer.lost"
    lost = next(one for one in told.recoveries() if one["recovery_id"] == last)
    assert ("lost" in lost["flags"], told.satisfaction()["status"]) == (True, "lost")
    found = revenue(house, "PLN", since)["lost"]
    assert (found["n"], found["annual"]) == (1, money("5475.00", "PLN"))
    assert found["by_basis"] == [{"key": "stayed_away", "n": 1, "amount": money("5475.00", "PLN")}]


def test_s2_15_the_second_of_its_kind_costs_more_than_the_first(house: Service):
    told = regular(house, "again", days=200)
    for day in (0, 10, 100):
        told.when("report-failure", day * DAY, **CAPPUCCINO)
    # Half as much again for one like it within 180 days, a quarter more for any within 30.
    assert [change for _, change, _ in told.terms()] == [-300, -561, -450]


def at_once(house: Service, number: str, **more: Any) -> dict[str, Any]:
    """What was recorded of a disc that was exchanged while the customer stood there."""
    remedy = {"remedy_kind": "replacement", "resolves": "full"}
    body = {"failure": DISC, "apology": {"said": "admits"}, "remedy": remedy, "by": BARISTA}
    return customer(house, number).when("instant-remedy", **body | more)


def test_s2_16_on_the_spot_nobody_was_asked_anything(house: Service, since: str):
    for nth in range(3):
        at_once(house, f"no questions {nth}")
    twenty = customer(house, "twenty questions")
    twenty.when("report-failure", **DISC)
    twenty.when("request-information", questions=20, already_held=True, purpose="receipt")
    twenty.when("deliver-remedy", remedy_kind="replacement", resolves="full")
    load = house.get(f"/v1/reports/process-load{since}")
    assert load["questions_before_remedy_at_once"] == {"n": 3, "median": 0, "p90": 0, "counts": {"0": 3}}
    assert load["questions_before_remedy"]["counts"] == {"0": 3, "20": 1}
    assert (load["known_before"]["hits"], load["known_before"]["n"]) == (1, 1)


def test_s2_17_sent_the_same_day_is_in_time_and_never_arriving_is_a_failure(house: Service, since: str):
    told = customer(house, "sent")
    told.when("report-failure", **DISC)
    told.when("apologise", said="admits_and_commits", feeling_named=True)
    house.clock.forward(hours=6)
    told.when("deliver-remedy", remedy_kind="replacement", resolves="full", how="sent")
    told.when("resolve")
    pass_time(house, days=5)
    steps = house.get(f"/v1/reports/deadlines{since}")["steps"]
    [remedy] = [one for one in steps if (one["step"], one["severity"]) == ("remedy", 2)]
    assert (remedy["met"], remedy["missed"], remedy["minutes"]["median"]) == (1, 0, 360)

    answer = told.when("fail-remedy", reason="It never came.")
    assert [one["topic"] for one in answer["receipts"]][:2] == ["remedy.failed", "recovery.reopened"]
    assert (told.recovery()["phase"], told.recovery()["flags"]) == ("acting", ["failed_again"])


def test_s2_18_the_first_claim_is_paid_on_trust_and_the_fifth_in_a_month_is_seen_by_a_human(house: Service):
    told = customer(house, "claims")
    gift = {"kind": "voucher", "cost": money("25.00")}
    for nth in range(4):
        at_once(house, "claims", compensation=gift, by=BARISTA | {"colleague_id": f"bar-{nth}"})
        house.clock.forward(days=5)
    fifth = {"recovery_id": told.when("report-failure", **DISC)["ids"]["recovery_id"]}
    answer = told.when("grant-compensation", **gift, **fifth, status=202, by=BARISTA)
    assert [one["topic"] for one in answer["receipts"]] == ["compensation.requested"]
    # He is helped all the same, and nobody asks him for proof.
    told.when("apologise", said="admits", **fifth)
    advised = looked_up(house, f"{told.path}/next-step?recovery_id={fifth['recovery_id']}")
    assert (advised["step"], advised["options"][0]["kind"]) == ("instant_remedy", "replacement")
    decided = told.when("decide-compensation", approve=True, **fifth, by=LEAD)
    assert decided["receipts"][-1]["topic"] == "compensation.granted"


def test_s2_21_fifteen_a_day_is_5475_a_year_and_twenty_is_7300(house: Service):
    for amount, a_year in (("15.00", "5475.00"), ("20.00", "7300.00")):
        code = {"15.00": "USD", "20.00": "CAD"}[amount]
        told = customer(house, f"{amount} a day")
        told.when("declare-value", amount=money(amount, code), per="day")
        assert revenue(house, code)["at_risk_estimate"]["annual"] == money(a_year, code)


def test_s2_22_what_one_shop_lost_is_the_sum_of_the_customers_it_lost(house: Service, since: str):
    for number, amount, site in (("a", "15.00", "corner"), ("b", "20.00", "corner"), ("c", "1.00", "station")):
        told = customer(house, f"shop {number}")
        told.when("declare-value", amount=money(amount, "SEK"), per="day")
        recovery = told.when("report-failure", **CAPPUCCINO, site=site)["ids"]["recovery_id"]
        told.when("report-loss", basis="told_us", cause_recovery_id=recovery)
    lost = revenue(house, "SEK", since)["lost"]
    assert [(one["key"], one["n"], one["amount"]["amount"]) for one in lost["by_site"]] == [
        ("corner", 2, "12775.00"),
        ("station", 1, "365.00"),
    ]
    assert (lost["n"], lost["annual"]) == (3, money("13140.00", "SEK"))
