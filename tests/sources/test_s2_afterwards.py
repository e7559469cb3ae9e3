"""S2, afterwards: how customers were treated, what they had wished, and whether quick help keeps them."""

from datetime import timedelta
from typing import Any

from tests.support.asking import looked_up
from tests.support.batches import tell, told
from tests.support.customers import Customer, customer
from tests.support.http import Service

BROKEN = {"what": "wrong_or_broken", "fault": "firm", "description": "Three of six were hard."}


def put_right(house: Service, number: str, **remedy: Any) -> Customer:
    """A customer whose matter was put right at once."""
    found = customer(house, number)
    delivered = {"remedy_kind": "replacement", "resolves": "full"} | remedy
    found.when("instant-remedy", failure=BROKEN, apology={"said": "admits"}, remedy=delivered)
    return found


def test_s2_2_what_was_said_of_a_colleague_is_for_him_alone(house: Service):
    known_as = house.post("/v1/colleagues/till-4/join", {"role": "sales", "role_class": "front", "team": "fruit"})
    plums = put_right(house, "plums")
    plums.when("report-treatment", treatment="last_word", degree=2, by_colleague="till-4", by_role_class="front")
    path = "/v1/colleagues/till-4/feedback"

    def asked(by: str) -> Any:
        house.project()
        key = house.key("read", "act_for")
        return house.http.get(path, headers=key | {"Amends-Colleague": by})

    [report] = asked("till-4").json()["data"]
    assert (report["treatment"], report["degree"], report["after_resolution"]) == ("last_word", 2, True)
    assert asked("till-5").status_code == 403
    assert house.http.get(path, headers=house.key("read")).status_code == 403
    house.project()
    peers = house.key("append", "read", "personal", "act_for")
    for page in ("/v1/events?limit=500", "/v1/feed?limit=500", "/v1/reports/obstacles", f"{plums.path}/timeline"):
        text = house.http.get(page, headers=peers).text
        assert known_as["colleague_id"] not in text
        assert "till-4" not in text


def test_s2_8_how_often_it_is_undone_afterwards_is_told_with_its_interval(house: Service, since: str):
    for nth in range(10):
        plums = put_right(house, f"asked {nth}")
        marks = {"outcome": "satisfied", "treatment": 5 if nth else 1, "confidence": 4}
        plums.when("complete-follow-up", **marks)
    plums.when("report-treatment", treatment="last_word")
    report = house.get(f"/v1/reports/follow-ups{since}")
    assert report["treated_poorly_after"] == {"hits": 1, "n": 10, "share": 0.1, "low": 0.0179, "high": 0.4042}
    assert (report["treatment"]["n"], report["treatment"]["mean"]) == (10, 4.6)
    assert report["treatment"]["good"]["hits"] == 9


def test_s2_12_what_he_wished_is_held_against_what_he_got(house: Service, since: str):
    wish = {"desired_outcome": "Six good plums."}
    for nth, met in enumerate((True, True, True, False)):
        plums = customer(house, f"wish {nth}")
        plums.when("report-failure", **BROKEN, **wish)
        plums.when("deliver-remedy", remedy_kind="replacement", resolves="full", meets_desire=met)
    put_right(house, "nobody asked")
    assert looked_up(house, f"{plums.path}/brief")["desired_outcome"] == "Six good plums."
    met = house.get(f"/v1/reports/follow-ups{since}")["wish_met"]
    assert (met["hits"], met["n"], met["share"]) == (3, 4, 0.75)


def test_s2_24_who_saw_it_is_counted_with_what_was_done(house: Service, since: str):
    plums = customer(house, "by-stander")
    plums.when("report-failure", **BROKEN)
    for witnessed, role in (("public", "back"), ("some", "front"), ("none", "front")):
        harm = {"treatment": "last_word", "witnessed": witnessed, "by_role_class": role}
        plums.when("report-treatment", **harm)
    assert "public" in plums.recovery()["flags"]
    [bar] = house.get(f"/v1/reports/obstacles{since}")["treatments"]
    assert (bar["n"], bar["witnessed"]) == (3, {"none": 1, "some": 1, "public": 1})


def test_s2_25_quick_help_and_customers_who_stay_are_told_of_thirty_or_not_at_all(house: Service, since: str):
    began = house.clock.now

    def at(minute: int, topic: str, number: int, **data: Any) -> dict[str, Any]:
        time = (began + timedelta(minutes=minute)).isoformat()
        return told(topic, f"speed {number}", time=time, **data)

    house.clock.forward(days=2)
    quick, slow = range(30), range(30, 32)
    events = [at(0, "failure.reported", n, **BROKEN) for n in (*quick, *slow)]
    events += [at(5, "apology.made", n, said="admits") for n in (*quick, *slow)]
    remedy = {"remedy_kind": "replacement", "resolves": "full"}
    for numbers, minute in ((quick, 10), (slow, 2000)):
        events += [at(minute, "remedy.delivered", n, **remedy) for n in numbers]
        events += [at(minute, "recovery.resolved", n) for n in numbers]
    events.append(at(2500, "customer.lost", 0, basis="told_us"))
    assert {one["status"] for one in tell(house, events)} == {201}
    house.clock.forward(days=190)
    report = house.get(f"/v1/reports/speed-vs-retention{since}")
    cells = [(one["n"], one["kept"] and one["kept"]["hits"]) for one in report["quarters"]]
    assert (report["n"], cells) == (32, [(30, 29), (0, None), (0, None), (2, None)])
