"""S5, the mechanic: chosen on price, annoyed by small things, and won for good by the back office."""

from datetime import timedelta

from tests.support.batches import tell, told
from tests.support.customers import Customer, customer
from tests.support.http import Service

MECHANIC = {"colleague_id": "pit-2", "role": "mechanic", "role_class": "back"}
SECOND_SERVICE = 730 * 24 * 60


def two_years(house: Service, number: str) -> Customer:
    """A driver who leased because of the price; five times in two years nobody called him back."""
    driver = customer(house, number, began=house.clock.now - timedelta(days=735))
    importer = house.key("append", "import", "act_for")
    for nth in range(5):
        friction = {
            "what": "treated_badly",
            "severity": 1,
            "fault": "firm",
            "similarity_key": "comm",
            "description": "Nobody called back.",
            "occurred_at": (driver.began + timedelta(days=120 * nth)).isoformat(),
            "imported": True,
        }
        answer = house.http.post(f"{driver.path}/report-failure", json=friction, headers=importer)
        assert answer.status_code == 201, answer.text
    return driver


def won(driver: Customer) -> None:
    """A wiper and front brake pads that nobody had asked for; then he gives ten of ten."""
    driver.when("make-gesture", SECOND_SERVICE, kind="extra_care", degree=2, by=MECHANIC)
    pads = {"kind": "prevention", "degree": 3, "unasked": True, "avoided_contacts": 1}
    driver.when("make-gesture", SECOND_SERVICE + 1, **pads, by=MECHANIC)
    driver.when("state-satisfaction", SECOND_SERVICE + 2, instrument="NPS", value=10, about="relationship")


def test_s5_4_s5_6_five_small_frictions_are_remembered_and_the_ten_of_ten_turns_it(house: Service):
    driver = two_years(house, "leased on price")
    assert driver.scored() == (4900, "at_risk")
    won(driver)
    assert driver.scored() == (8140, "delighted")
    assert driver.terms() == [
        ("FailureReported", -300, 6700),
        ("FailureReported", -450, 6250),
        ("FailureReported", -450, 5800),
        ("FailureReported", -450, 5350),
        ("FailureReported", -450, 4900),
        ("GestureMade", 400, 5300),
        ("GestureMade", 800, 6100),
        ("SatisfactionStated:NPS", 2040, 8140),
    ]
    turned = [(one["kind"], one["delta"]) for one in driver.timeline() if one["turning_point"]]
    assert turned == [("satisfaction.stated", 2040)]


def test_s5_7_the_wiper_is_remembered_as_care_and_said_when_he_asks(house: Service):
    driver = customer(house, "the wiper")
    driver.when("make-gesture", kind="extra_care", by=MECHANIC)
    assert driver.terms() == [("GestureMade", 200, 7200)]
    [gesture] = [one for one in driver.timeline() if one["kind"] == "gesture.made"]
    assert gesture["role_class"] == "back"
    assert house.get(f"{driver.path}/reason-to-stay")["said"] == "We went beyond our duty for you: extra care."


def test_s5_1_s5_2_s5_11_two_gestures_and_a_ten_put_the_back_office_at_the_top(house: Service, since: str):
    events = []
    for nth in range(5):
        pit = {"colleague_id": f"pit-{nth}", "role": "mechanic", "role_class": "back"}
        till = {"colleague_id": f"till-{nth}", "role": "waiter", "role_class": "front"}
        car, guest = f"car {nth}", f"guest {nth}"
        events += [
            told("gesture.made", car, key=f"wiper {nth}", kind="extra_care", degree=2, by=pit),
            told("gesture.made", car, key=f"pads {nth}", kind="prevention", degree=3, avoided_contacts=1, by=pit),
            told("satisfaction.stated", car, instrument="NPS", value=10),
            told("gesture.made", guest, kind="surprise", by=till),
        ]
    assert {one["status"] for one in tell(house, events)} == {201}
    found = house.get(f"/v1/reports/loyalty-makers{since}")
    # 70.00, 4.00 and 8.00 by the gestures; the ten lifts 82.00 by 7.80 more.
    assert [(one["role"], one["lift_inferred"], one["lift_stated"]) for one in found["roles"]] == [
        ("mechanic", 5 * 1200, 5 * 780),
        ("waiter", 5 * 200, 0),
    ]
    assert (found["roles"][0]["unasked"], found["roles"][0]["avoided_contacts"]) == (10, 5)
    share = found["back_office"]
    assert (share["hits"], share["n"], share["share"], share["low"], share["high"]) == (
        10,
        15,
        0.6667,
        0.4171,
        0.8482,
    )
    assert "pit-" not in str(found)


def test_s5_17_whoever_works_in_the_back_acts_under_his_own_role(house: Service):
    roles = ["mechanic", "accountant", "assistant", "secretary", "technician", "cleaner", "courier"]
    driver = customer(house, "seven of the back office")
    for role in roles:
        house.post(f"/v1/colleagues/our-{role}/join", {"role": role, "role_class": "back", "team": "back"})
        driver.when("make-gesture", kind="extra_care", by={"colleague_id": f"our-{role}"})
    assert [house.get(f"/v1/colleagues/our-{role}")["role"] for role in roles] == roles
    acts = [one["role_class"] for one in driver.timeline() if one["kind"] == "gesture.made"]
    assert acts == ["back"] * 7
    taken = house.post(
        "/v1/colleagues/a-king/join", {"role": "king", "role_class": "royal", "team": "x"}, status=422
    )
    assert [one["pointer"] for one in taken["errors"]] == ["/role_class"]


def test_s5_12_s5_23_why_stay_is_answered_from_what_matters_what_was_kept_and_what_is_owed(house: Service):
    driver = customer(house, "give me a reason")
    driver.when("record-expectation", topic="price", wish="A fair bill.", importance=2)
    driver.when("record-expectation", topic="feeling_safe", wish="Brakes I can trust.", importance=5)
    driver.when("record-expectation", topic="maintenance", wish="No surprises.", importance=4)
    driver.when("make-gesture", kind="prevention", by=MECHANIC)
    driver.when("report-failure", what="late", description="The car was not ready.")
    due = house.clock.now + timedelta(days=30)
    driver.when("make-commitment", what="A call before it is due", due_at=due.isoformat())
    found = house.get(f"{driver.path}/reason-to-stay")
    assert found["earned"]
    assert [(one["kind"], one["said"]) for one in found["reasons"]] == [
        ("expectation", 'We know that feeling safe matters to you: "Brakes I can trust."'),
        ("expectation", 'We know that maintenance matters to you: "No surprises."'),
        ("gesture", "We went beyond our duty for you: prevention."),
        ("open_promise", f"We still owe you by {due.date()}: A call before it is due."),
    ]
    assert house.get(f"{driver.path}/reason-to-stay") == found
    stranger = customer(house, "nothing yet")
    assert house.get(f"{stranger.path}/reason-to-stay") == {
        "earned": False,
        "said": "We have not earned one yet.",
        "reasons": [],
    }
