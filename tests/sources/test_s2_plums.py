"""S2, the last word: plums are exchanged well at the door, and then a sentence undoes it."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.routers import reports
from tests.support.asking import looked_up
from tests.support.customers import Customer, customer
from tests.support.http import Service
from tests.support.passing import pass_time

SALES = {"colleague_id": "till-4", "role": "sales", "role_class": "front"}
HARD = {
    "what": "wrong_or_broken",
    "fault": "firm",
    "channel": "in_person",
    "similarity_key": "produce",
    "description": "Three of the six plums were hard.",
}
REPORTS = [route.path for route in reports.router.routes if isinstance(route, APIRoute)]
TREATMENTS = (
    ("last_word", "blaming", "condescension", "favour_flaunting", "effort_flaunting", "perception_contested")
    + ("dismissal", "rude", "privacy_slip")
)  # fmt: skip


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    """So much."""
    return {"amount": amount, "currency": currency}


def failed(house: Service, number: str, **failure: Any) -> Customer:
    """A customer whose plums are hard, just now."""
    found = customer(house, number)
    found.when("report-failure", **HARD | failure)
    return found


def plums(house: Service, number: str) -> Customer:
    """He picked others, showed them on his way out, and went. It was twenty days ago."""
    told = customer(house, number, began=house.clock.now - timedelta(days=20))
    told.when("report-failure", 0, **HARD)
    told.when("apologise", 2, said="admits", feeling_named=True)
    told.when("promise-remedy", 3, remedy_kind="replacement", mode="self_service")
    told.when("deliver-remedy", 6, resolves="full", confirmed_by="customer")
    told.when("resolve", 7)
    return told


def step(of: Customer) -> dict[str, Any]:
    """What to do for him next."""
    return looked_up(of.service, f"{of.path}/next-step")


def currency(house: Service, code: str, query: str = "") -> dict[str, Any]:
    """What the report of revenue tells in this currency."""
    [found] = [one for one in house.get(f"/v1/reports/revenue{query}")["currencies"] if one["currency"] == code]
    return found


def recorded(house: Service, answer: dict[str, Any], topic: str) -> dict[str, Any]:
    """What the event of this topic says that came of an answered command."""
    first, n = answer["receipts"][0]["position"], len(answer["receipts"])
    log = house.get(f"/v1/events?after={first - 1}&limit={n}")["data"]
    [found] = [one["data"] for one in log if one["type"] == f"amends.{topic}.v1"]
    return dict(found)


def test_s2_1_a_small_matter_that_grows_stands_above_a_graver_one_that_is_new(house: Service):
    quiet = failed(house, "quiet")
    quiet.when("assign", team="plums")
    quiet.when("announce-leaving")
    pass_time(house, days=4)
    fresh = failed(house, "fresh", severity=3)
    fresh.when("assign", team="plums")
    queue = house.get("/v1/recoveries?team=plums")["data"]
    # 10 by severity, 15 for each of two steps missed, 10 for an alarm of silence, 20 for leaving; and 30 at first.
    assert [(one["customer_id"], one["risk"]) for one in queue] == [
        (quiet.customer_id, 20 + 30 + 10 + 20),
        (fresh.customer_id, 30),
    ]


def test_s2_3_put_right_well_and_then_undone_by_the_last_word(house: Service):
    told = plums(house, "plums")
    assert (told.scored(), told.recovery()["phase"]) == ((6880, "satisfied"), "resolved")
    treatment = {"treatment": "favour_flaunting", "degree": 2, "witnessed": "some", "by_role_class": "front"}
    answer = told.when("report-treatment", 8, **treatment)
    assert [one["topic"] for one in answer["receipts"]][:2] == ["treatment.reported", "recovery.reopened"]
    assert (told.scored(), told.recovery()["phase"]) == ((5464, "at_risk"), "acting")
    assert told.recovery()["flags"] == ["failed_again"]


def test_s2_4_he_chose_other_plums_himself_and_showed_them_at_the_door(house: Service):
    told = failed(house, "at the door")
    promised = told.when("promise-remedy", remedy_kind="replacement", mode="self_service")
    house.clock.forward(minutes=3)
    delivered = told.when("deliver-remedy", resolves="full", confirmed_by="customer")
    receipts = [*promised["receipts"], *delivered["receipts"]]
    assert [one["topic"] for one in receipts] == ["remedy.promised", "remedy.delivered"]
    assert recorded(house, promised, "remedy.promised")["mode"] == "self_service"
    assert recorded(house, delivered, "remedy.delivered")["confirmed_by"] == "customer"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Normally we charge the difference, so you are lucky today.", "favour_flaunting"),
        ("Κανονικά χρεώνουμε τη διαφορά.", "favour_flaunting"),
        ("I went out of my way to get you these.", "effort_flaunting"),
        ("Here are six good ones. Is there anything else?", None),
    ],
)
def test_s2_5_a_waiver_held_up_to_the_customer_is_flagged(house: Service, text: str, rule: str | None):
    found = house.post("/v1/wording/check", {"text": text}, status=200)["findings"]
    assert {one["rule"] for one in found} == ({rule} if rule else set())
    assert all(one["instead"] for one in found)


def test_s2_5_what_we_forgave_is_in_nothing_that_is_said_to_him(house: Service):
    told = failed(house, "forgiven")
    block = {"kind": "policy_block", "rule_id": "produce.pay-the-difference", "hardness": "soft"}
    obstacle = told.when("report-obstacle", **block)["ids"]["obstacle_id"]
    told.when("remove-obstacle", obstacle_id=obstacle, how="rule_overridden", reason="Ours were hard.")
    told.when("deliver-remedy", remedy_kind="replacement", resolves="full")
    told.when("apologise", said="admits")
    told.when("resolve")
    advised = step(told)
    assert "Do not say that it is a favour, an exception or luck." in advised["closing_words"]["dont"]
    said = looked_up(house, f"{told.path}/reason-to-stay")["said"]
    assert said == "We kept our word: we put it right."
    assert not {kind for kind in told.kinds() if kind.startswith("obstacle.")}


def test_s2_6_his_time_and_trips_are_added_up_and_money_is_weighed_against_his_loss(house: Service):
    counted, uncounted = customer(house, "trouble"), failed(house, "no trouble")
    loss = {"money": money("15.00"), "minutes": 25, "visits": 1, "contacts": 2}
    answer = counted.when("report-failure", **HARD, customer_loss=loss)
    counted.when("report-failure", **HARD | {"what": "hard_to_do"}, customer_loss={"minutes": 40})
    cost = looked_up(house, f"{counted.path}/brief")["customer_loss"]
    assert cost == {"money": [money("15.00")], "minutes": 65, "visits": 1, "contacts": 2}
    meant = {"recovery_id": answer["ids"]["recovery_id"]}
    jam = {"kind": "free_item", "value": money("9.00"), "cost": money("4.00"), "by": SALES}
    granted = [
        recorded(house, told.when("grant-compensation", **jam, **which), "compensation.granted")
        for told, which in ((counted, meant), (uncounted, {}))
    ]
    # 9.00 of 15.00; of a loss that nobody told, no share is made up.
    assert [one.get("pct_of_loss") for one in granted] == [60, None]


def test_s2_7_i_will_go_to_your_competitor_is_heard_at_once(house: Service):
    told = failed(house, "competitor")
    told.when("declare-value", amount=money("15.00", "CHF"), per="day")
    before = told.recovery()["risk"]
    answer = told.when("announce-leaving", competitor="the grocer across the street")
    assert answer["receipts"][0]["topic"] == "leaving.announced"
    recovery = told.recovery()
    assert (recovery["risk"] - before, "leaving" in recovery["flags"]) == (20, True)
    assert told.scored() == (6200, "satisfied")
    at_risk = currency(house, "CHF")["at_risk_estimate"]
    # One in twenty of those who stand as he does leaves: an assumption, which the report prints.
    assert (at_risk["annual"], at_risk["estimate"]) == (money("5475.00", "CHF"), money("273.75", "CHF"))


def test_s2_9_every_way_of_making_it_worse_is_counted_by_its_own_name(house: Service, since: str):
    told = failed(house, "worse")
    for nth, treatment in enumerate(TREATMENTS):
        witnessed = "public" if treatment == "last_word" else "none"
        told.when("report-treatment", treatment=treatment, degree=1 + nth % 3, witnessed=witnessed)
    told.when("report-treatment", treatment="last_word", witnessed="some")
    report = house.get(f"/v1/reports/obstacles{since}")
    bars = report["treatments"]
    assert [bar["key"] for bar in bars] == ["last_word", *sorted(set(TREATMENTS) - {"last_word"})]
    assert [bar["n"] for bar in bars] == [2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert (report["treatments_n"], bars[0]["cumulative"]) == (10, 0.2)
    assert bars[0]["witnessed"] == {"none": 0, "some": 1, "public": 1}


def test_s2_11_a_full_explanation_nobody_wanted_earns_no_more_than_a_brief_one(house: Service):
    full, brief = failed(house, "told all"), failed(house, "told briefly")
    full.when("apologise", said="admits", explanation="full", explanation_wanted=False)
    brief.when("apologise", said="admits", explanation="brief")
    for told in (full, brief):
        told.when("deliver-remedy", remedy_kind="replacement", resolves="full")
    assert full.scored()[0] < brief.scored()[0]
    excuse = {"text": "It is our policy, the system does not allow it."}
    found = house.post("/v1/wording/check", excuse, status=200)["findings"]
    assert {one["rule"] for one in found} == {"empty_excuse"}


def test_s2_19_at_the_end_there_are_words_to_close_with_and_words_to_leave_out(house: Service):
    told = plums(house, "closing words")
    words = step(told)["closing_words"]
    assert words["do"][1] == "Ask whether this is what he needed, and let his answer be the last word."
    assert words["dont"] == [
        "Do not say that it is a favour, an exception or luck.",
        "Do not tell him how much work it was.",
        "Do not explain whose fault it was, least of all his.",
    ]


@pytest.mark.parametrize("label", ["Difficult customer, handle with care.", "Trudny klient!", "Δύσκολος πελάτης."])
def test_s2_20_a_label_for_a_customer_is_found_in_three_languages(house: Service, label: str):
    found = house.post("/v1/wording/check", {"text": label}, status=200)["findings"]
    assert [one["rule"] for one in found] == ["customer_label"]


def test_s2_20_nothing_takes_a_label_for_a_customer_and_his_wishes_are_needs(house: Service):
    told = customer(house, "no label")
    for field in ("label", "rating", "difficult"):
        wrong = {field: "difficult"} | HARD
        pointers = [one["pointer"] for one in told.when("report-failure", status=422, **wrong)["errors"]]
        assert pointers == [f"/{field}"]
    told.when("record-expectation", topic="freshness", wish="Ripe plums.", importance=5)
    told.when("report-failure", **HARD)
    [wish] = looked_up(house, f"{told.path}/brief")["expectations"]
    assert (wish["topic"], wish["wish"]) == ("freshness", "Ripe plums.")


def test_s2_23_the_battle_was_won_and_the_customer_is_gone(house: Service, since: str):
    told = plums(house, "gone")
    told.when("declare-value", amount=money("20.00", "GBP"), per="day")
    told.when("report-treatment", treatment="last_word")
    told.when("report-loss", basis="told_us", cause_recovery_id=told.recovery()["recovery_id"])
    found = currency(house, "GBP", since)
    assert found["resolved_but_lost"] == {"n": 1, "annual": money("7300.00", "GBP")}
    assert found["lost"]["annual"] == money("7300.00", "GBP")


def test_s2_26_handing_over_is_always_offered_and_in_no_report_about_a_person(house: Service):
    told = failed(house, "hand over", severity=3)
    seen = []
    for command, body in (
        ("apologise", {"said": "admits"}),
        ("hear-concern", {"confirmed": True, "compassion": "named_feeling"}),
        ("deliver-remedy", {"remedy_kind": "replacement", "resolves": "full"}),
        ("resolve", {}),
    ):
        seen.append(step(told))
        told.when(command, **body, by=SALES)
    for advised in [*seen, step(told)]:
        assert "hand-over" in {one["id"] for one in advised["options"]}, advised["step"]

    post = {"role": "sales", "role_class": "front", "team": "produce"}
    known_as = house.post("/v1/colleagues/till-4/join", post)["colleague_id"]
    other = failed(house, "handed over")
    answer = other.when("hand-off", team="produce", context_shared=True, by=SALES)
    assert recorded(house, answer, "recovery.handed_off")["from"] == known_as
    house.project()
    answers = {path: house.http.get(path) for path in REPORTS}
    assert {one.status_code for one in answers.values()} == {200}
    assert [path for path, one in answers.items() if known_as in one.text] == []
