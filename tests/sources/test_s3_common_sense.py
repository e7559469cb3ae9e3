"""S3, common sense: everybody may act, rules are guidelines, and who is wrong keeps his face."""

from datetime import timedelta
from typing import Any

from tests.support.customers import Customer, customer
from tests.support.http import Service

LATE = {"what": "late", "description": "The parcel is late."}


def eur(amount: str) -> dict[str, str]:
    """So many euros."""
    return {"amount": amount, "currency": "EUR"}


def slug(problem: dict[str, Any]) -> str:
    """What sort of problem it is."""
    return str(problem["type"].rpartition("/")[2])


def complained(house: Service, number: str, **failure: Any) -> Customer:
    """A customer for whom something failed."""
    told = customer(house, number)
    told.when("report-failure", **LATE | failure)
    return told


def next_step(told: Customer) -> dict[str, Any]:
    """What the house is advised to do next for him."""
    return told.service.get(f"{told.path}/next-step")


def test_s3_1_a_cleaner_reports_a_failure_and_records_a_kindness(house: Service):
    told = customer(house, "hotel guest")
    key = house.key("append", "act_for")
    cleaner = {"by": {"colleague_id": "cleaner-3", "role": "cleaner", "role_class": "back"}}
    spilt = {"what": "badly_done", "description": "The bed was not made.", "detection": "colleague_noticed"}
    for command, body in (("report-failure", spilt), ("make-gesture", {"kind": "extra_care"})):
        assert house.http.post(f"{told.path}/{command}", json=body | cleaner, headers=key).status_code == 201
    done = [one for one in told.timeline() if one["kind"] in ("failure.reported", "gesture.made")]
    assert [one["role_class"] for one in done] == ["back", "back"]


def test_s3_2_the_brief_shows_what_he_wishes_beside_what_the_house_does(house: Service):
    told = complained(house, "punctual")
    told.when("record-expectation", topic="punctuality", wish="I plan my day around it.", importance=5)
    [wish] = house.get(f"{told.path}/brief")["expectations"]
    assert (wish["wish"], wish["importance"]) == ("I plan my day around it.", 5)
    assert wish["standard"] == "Whoever must wait is told before he has to ask."


def test_s3_3_a_bellhop_who_would_not_ask_for_it_himself_reads_what_guests_expect(house: Service):
    note = {"topic": "luggage", "note": "Guests of this floor have their bags carried, also the small ones."}
    body = {"match": {"touchpoint": "suite"}, "expectation_notes": [note]}
    house.post("/v1/standards", {"kind": "playbook", "name": "suite", "body": body})
    told = complained(house, "suite guest", touchpoint="suite")
    assert next_step(told)["expectation_notes"] == [note]
    other = complained(house, "any other guest")
    topics = [one["topic"] for one in next_step(other)["expectation_notes"]]
    assert topics == ["freshness", "punctuality", "information", "price"]


def blocked(told: Customer, rule_id: str) -> str:
    """The id of an obstacle: this rule of the house stands in the way."""
    block = {"kind": "policy_block", "rule_id": rule_id, "wanted_action": "exchange without the receipt"}
    return str(told.when("report-obstacle", **block)["ids"]["obstacle_id"])


def published(house: Service, name: str, **body: Any) -> None:
    """A rule of the house is written down."""
    whole = {"title": "A rule of the house", "owner": "shop-floor"} | body
    house.post("/v1/standards", {"kind": "rule", "name": name, "body": whole})


def test_s3_4_a_guideline_is_overridden_with_a_reason_and_the_law_is_not(house: Service):
    published(house, "no-receipt-no-exchange", hardness="soft")
    published(house, "no-alcohol-to-minors", hardness="hard", legal_ref="Youth Protection Act, section 9")
    told = complained(house, "no receipt")
    soft, hard = blocked(told, "no-receipt-no-exchange"), blocked(told, "no-alcohol-to-minors")
    reason = {"how": "rule_overridden", "reason": "He bought it here yesterday."}
    told.when("remove-obstacle", obstacle_id=soft, **reason, status=201)
    problem = told.when("remove-obstacle", obstacle_id=hard, **reason, status=403)
    assert (slug(problem), problem["legal_ref"]) == ("hard_rule", "Youth Protection Act, section 9")
    rules = {one["rule_id"]: one for one in house.get("/v1/reports/policy-friction")["rules"]}
    assert (rules["no-receipt-no-exchange"]["overrides"], rules["no-receipt-no-exchange"]["still_open"]) == (1, 0)
    assert (rules["no-alcohol-to-minors"]["overrides"], rules["no-alcohol-to-minors"]["still_open"]) == (0, 1)


def test_s3_5_an_override_asks_for_one_line_and_nothing_else(house: Service):
    body = house.get("/v1/schemas/amends.obstacle.removed.v1?as=command")
    assert sorted(body["required"]) == ["how", "obstacle_id", "reason"]
    told = complained(house, "one line")
    obstacle = {"obstacle_id": blocked(told, "unwritten"), "how": "rule_overridden"}
    problem = told.when("remove-obstacle", **obstacle, status=422)
    assert [one["pointer"] for one in problem["errors"]] == ["/reason"]
    told.when("remove-obstacle", **obstacle, reason="It is obvious.")


def test_s3_6_a_no_needs_its_reason_and_something_else_to_offer(house: Service):
    told = complained(house, "wants the moon")
    assert slug(told.when("refuse-request", reason="outside_policy", status=422)) == "no_alternative"
    told.when("refuse-request", reason="outside_policy", alternative_kind="reschedule")
    assert told.recovery()["checklist"]["action"]["status"] == "done"


def test_s3_7_who_is_wrong_himself_gets_words_and_compassion_all_the_same(house: Service):
    told = complained(house, "read the wrong date", fault="customer")
    first = next_step(told)
    assert first["step"] == "acknowledge_and_apologise"
    assert first["dignity"][0] == "Help first; who was right can wait, and mostly it need never be said."
    told.when("apologise", said="regret")
    assert next_step(told)["step"] == "offer_remedy"
    told.when("refuse-request", reason="facts_differ", alternative_kind="reschedule")
    third = next_step(told)
    assert (third["step"], third["reason_code"]) == ("show_compassion", "no_compassion")
    assert third["dignity"] == first["dignity"]
    blame = house.post("/v1/wording/check", {"text": "That is your own fault."}, status=200)["findings"]
    assert [one["rule"] for one in blame] == ["blaming"]


def test_s3_11_help_beyond_the_business_touches_no_figure_of_failure(house: Service, since: str):
    complained(house, "a parcel")
    failures = ("deadlines", "repeat-failures", "process-load")
    before = {name: house.get(f"/v1/reports/{name}{since}") for name in failures}
    queue = [one["recovery_id"] for one in house.get("/v1/recoveries?limit=500")["data"]]
    told = customer(house, "lost his way")
    told.when("make-gesture", kind="help_beyond_duty", degree=2)
    assert {name: house.get(f"/v1/reports/{name}{since}") for name in failures} == before
    assert [one["recovery_id"] for one in house.get("/v1/recoveries?limit=500")["data"]] == queue
    assert (told.scored(), told.recoveries()) == ((7400, "satisfied"), [])


def test_s3_13_the_flat_tyre_across_the_street_is_one_call_and_a_prospect(house: Service):
    tow_truck = {
        "specversion": "1.0",
        "id": "tow-1",
        "source": "urn:test",
        "type": "amends.gesture.made.v1",
        "data": {
            "customer": {"kind": "plate", "value": "IMH-4711"},
            "kind": "help_beyond_duty",
            "degree": 3,
            "by": {"colleague_id": "shop-1", "role": "sales", "role_class": "front"},
        },
    }
    answer = house.post("/v1/events", tow_truck, Content_Type="application/cloudevents+json")
    assert [one["topic"] for one in answer["receipts"]] == ["relationship.opened", "gesture.made"]
    mine = [one for one in house.get("/v1/events?limit=500")["data"] if one["subject"] == answer["customer_id"]]
    assert mine[0]["data"]["party_kind"] == "prospect"
    assert house.get(f"/v1/customers/{answer['customer_id']}")["satisfaction"]["score"] == 7800


def test_s3_15_neither_worth_nor_years_move_the_queue_and_the_last_outcome_heads_the_brief(house: Service):
    began = house.clock.now - timedelta(days=300)
    known = {"customer": {"kind": "crm", "value": "rich and loyal"}, "occurred_at": began.isoformat()}
    rich = Customer(house, house.post("/v1/customers", known)["customer_id"], began)
    rich.when("declare-value", 0, amount=eur("100000.00"), per="month")
    rich.when("report-failure", 1, **LATE)
    rich.when("apologise", 2, said="regret")
    rich.when("deliver-remedy", 3, remedy_kind="expedite", resolves="full")
    rich.when("resolve", 4)
    rich.when("complete-follow-up", 5, outcome="partly")
    rich.when("close", 6, outcome="partly")
    poor = customer(house, "new and poor")
    for told, severity in ((rich, 2), (poor, 3)):
        told.when("report-failure", **LATE | {"severity": severity})
        told.when("assign", team="queue-of-two")
    queue = house.get("/v1/recoveries?team=queue-of-two")["data"]
    assert [one["customer_id"] for one in queue] == [poor.customer_id, rich.customer_id]
    assert [one["risk"] for one in queue] == [30, 20]
    brief = house.get(f"{rich.path}/brief")
    assert list(brief)[:3] == ["desired_outcome", "customer_words", "last_outcome"]
    assert (brief["last_outcome"]["what"], brief["last_outcome"]["outcome"]) == ("late", "partly")


def test_s3_20_moments_of_magic_are_counted_per_hundred_relationships_and_role(house: Service, since: str):
    for n in range(5):
        bellhop = {"colleague_id": f"bell-{n}", "role": "bellhop", "role_class": "front"}
        customer(house, f"magic {n}").when("make-gesture", kind="surprise", by=bellhop)
    found = house.get(f"/v1/reports/loyalty-makers{since}")
    [bellhops] = found["roles"]
    assert (bellhops["role"], bellhops["gestures"], bellhops["colleagues"]) == ("bellhop", 5, 5)
    assert bellhops["gestures_per_100_relationships"] == round(100 * 5 / found["relationships"], 2)


def test_s3_21_one_post_from_nothing_and_the_next_step_answers(house: Service):
    told = {
        "specversion": "1.0",
        "id": "first-1",
        "source": "urn:test",
        "type": "amends.failure.reported.v1",
        "data": LATE | {"customer": {"kind": "crm", "value": "the very first"}},
    }
    answer = house.post("/v1/events", told, Content_Type="application/cloudevents+json")
    step = house.get(f"/v1/customers/{answer['customer_id']}/next-step")
    assert (step["step"], step["script_ref"]) == ("acknowledge_and_apologise", "playbook:expedite:1:steps")
    assert step["script"][0] == "Tell him first, with a time you can keep."
    assert step["authority_left"]["up_to"] == eur("50.00")


def test_s3_22_giving_before_apologising_is_taken_and_an_apology_is_advised_next(house: Service):
    told = complained(house, "voucher first")
    told.when("grant-compensation", kind="voucher", cost=eur("12.50"), delivered=True)
    assert next_step(told)["step"] == "acknowledge_and_apologise"
    told.when("acknowledge")
    step = next_step(told)
    assert (step["step"], step["reason_code"]) == ("apologise", "not_apologised")
    assert [one["id"] for one in step["options"]] == ["apologise", "hand-over"]


def test_s3_10_what_is_offered_goes_by_worth_for_its_cost_and_says_so(house: Service):
    def offer(offer_id: str, kind: str, value: str, cost: str) -> dict[str, Any]:
        return {"offer_id": offer_id, "kind": kind, "value": eur(value), "cost": eur(cost)}

    offers = [
        offer("weekend", "upgrade", "240.00", "60.00"),
        offer("voucher", "voucher", "10.00", "10.00"),
        offer("starter", "free_item", "9.00", "2.50"),
        offer("dessert", "free_item", "7.20", "2.00"),
    ]
    body = {"match": {"touchpoint": "bistro"}, "offers": offers}
    house.post("/v1/standards", {"kind": "playbook", "name": "bistro", "body": body})
    told = complained(house, "bistro guest", severity=3, touchpoint="bistro")
    told.when("apologise", said="admits")
    told.when("hear-concern", compassion="time_given")
    told.when("deliver-remedy", remedy_kind="expedite", resolves="full")
    step = next_step(told)
    gifts = [one for one in step["options"] if one["command"] == "grant-compensation"]
    assert step["step"] == "compensate_or_waive"
    assert [(one["id"].partition(":")[2], one["points"], one["approval"]) for one in gifts] == [
        ("dessert", 360, False),
        ("starter", 360, False),
        ("voucher", 100, False),
        ("weekend", 400, True),
    ]
    assert gifts[-1]["who_can"] == ["manager"]
    assert next_step(told)["options"] == step["options"]
