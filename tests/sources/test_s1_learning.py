"""S1, learning: meetings over real cases, lessons that everybody reads, studies that name nobody, and training."""

from typing import Any

from tests.support.customers import Customer, customer
from tests.support.http import Service
from tests.support.passing import learn

LATE = {"what": "late", "fault": "firm", "description": "An hour."}
FRONT = {"role": "representative", "role_class": "front", "team": "desk"}
BACK = {"role": "technician", "role_class": "back", "team": "depot"}
LEAD = {"role": "manager", "role_class": "manager", "team": "desk"}
CANARY = "qanary"


def staff(house: Service, prefix: str, team: str, *posts: dict[str, Any]) -> list[str]:
    """Colleagues who join, by the house's own ids of them."""
    names = [f"{prefix}-{n}" for n in range(len(posts))]
    for name, post in zip(names, posts, strict=True):
        house.post(f"/v1/colleagues/{name}/join", post | {"team": team})
    return names


def published(house: Service, approver: str, **draft: Any) -> str:
    """The id of a lesson that was drafted, approved by somebody else, and published."""
    lesson = str(house.post("/v1/lessons", draft)["lesson_id"])
    house.post(f"/v1/lessons/{lesson}/approve", {"by": {"colleague_id": approver}})
    house.post(f"/v1/lessons/{lesson}/publish", {})
    return lesson


def solved(house: Service, number: str, **failure: Any) -> Customer:
    """A customer who was helped at once."""
    told = customer(house, number)
    told.when(
        "instant-remedy",
        failure=LATE | failure,
        apology={"said": "admits_and_commits", "feeling_named": True},
        remedy={"remedy_kind": "expedite", "resolves": "full"},
    )
    return told


def test_s1_19_the_agenda_of_a_meeting_is_made_of_the_week_and_is_always_the_same(house: Service, since: str):
    customer(house, "good story").when("make-gesture", kind="surprise", degree=2)
    left = customer(house, "left")
    left.when("report-failure", **LATE)
    left.when("report-obstacle", kind="no_training", topic="night-slots", minutes_lost=40)
    left.when("report-loss", basis="told_us", cause_recovery_id=left.recovery()["recovery_id"])
    house.clock.forward(hours=1)
    until = house.clock.now.isoformat().replace("+00:00", "Z")
    path = f"/v1/feed/digest?period=P7D&until={until}"
    agenda = house.get(path)
    assert (agenda["stories_n"], agenda["lost_n"], agenda["obstacles_n"]) == (1, 1, 1)
    assert agenda["lost"][0]["basis"] == "told_us"
    assert [(one["key"], one["minutes"]) for one in agenda["obstacles"]] == [("no_training", 40)]
    house.clock.forward(days=30)
    solved(house, "next month")
    assert house.get(path) == agenda


def test_s1_20_a_lesson_reaches_everybody_and_the_house_sees_how_far(house: Service):
    readers = staff(house, "twenty", "desk-20", *[FRONT] * 5, *[BACK] * 5)
    words = {
        "title": "Ring twice",
        "text": "At night customers hear the second ring.",
        "audience": {"teams": ["desk-20"]},
    }
    lesson = published(house, "somebody-else", kind="lesson", **words)
    me = {"by": {"colleague_id": readers[0]}}
    unread = house.get(f"/v1/feed?colleague={readers[0]}")["_amends"]["unread"]
    house.post(f"/v1/feed/{lesson}/read", me, status=201)
    again = house.post(f"/v1/feed/{lesson}/read", me, status=200)
    assert again["receipts"] == []
    assert house.get(f"/v1/feed?colleague={readers[0]}")["_amends"]["unread"] == unread - 1
    for reader in readers[1:4]:
        house.post(f"/v1/feed/{lesson}/read", {"by": {"colleague_id": reader}})
    house.post(f"/v1/feed/{lesson}/read", {"by": {"colleague_id": readers[5]}})
    coverage = house.get(f"/v1/lessons/{lesson}")["coverage"]
    by_class = {one["role_class"]: (one["read"]["hits"], one["read"]["n"]) for one in coverage["by_class"]}
    # Four of five at the front, one of five behind it.
    assert by_class == {"front": (4, 5), "back": (1, 5)}


def grave(house: Service, number: str) -> Customer:
    """A grave case, told in words that nobody outside it may read, and closed."""
    told = customer(house, number)
    told.when(
        "report-failure",
        what="late",
        severity=4,
        fault="firm",
        description=f"{CANARY} waited for insulin",
        customer_words=f"I am {CANARY}!",
        desired_outcome=f"{CANARY} wants it today",
        order=f"{CANARY}-77",
    )
    told.when("hear-concern", summary=f"{CANARY} is afraid", confirmed=True, compassion="named_feeling")
    told.when("report-obstacle", kind="policy_block", wanted_action=f"drive to {CANARY}", minutes_lost=20)
    told.when("assign", owner="owner-21", team="desk")
    house.clock.forward(minutes=30)
    told.when("apologise", said="admits_and_commits", feeling_named=True)
    told.when("deliver-remedy", remedy_kind="expedite", resolves="full")
    told.when("waive-step", step="compensation", reason="customer_request")
    told.when("attribute-cause", cause_class="policy_rule", evidence_ref=f"{CANARY}.pdf")
    told.when("resolve")
    told.when("complete-follow-up", outcome="satisfied", stated={"instrument": "CSAT", "value": 5})
    told.when("close", outcome="satisfied")
    return told


def test_s1_21_a_closed_case_becomes_a_study_in_which_nobody_can_be_recognised(house: Service):
    told = grave(house, "insulin")
    learn(house)
    drafts = house.get("/v1/lessons?state=draft&kind=case_study")["data"]
    assert len(drafts) == 1
    study = f"/v1/lessons/{drafts[0]['lesson_id']}"
    draft = house.get(study)
    assert CANARY not in str(draft)
    assert told.customer_id not in draft["title"] + draft["text"]
    assert "+30 min" in draft["text"]

    # Whoever owned the case does not approve what is told of it.
    refused = house.post(f"{study}/approve", {"by": {"colleague_id": "owner-21"}}, status=403)
    assert refused["type"].endswith("/problems/own_lesson")
    assert house.post(f"{study}/publish", {}, status=409)["type"].endswith("/problems/not_approved")
    house.post(f"{study}/approve", {"by": {"colleague_id": "somebody-else"}})
    house.post(f"{study}/publish", {})
    house.project()
    feed = house.http.get("/v1/feed?limit=500")
    assert drafts[0]["lesson_id"] in feed.text
    assert CANARY not in feed.text
    assert told.customer_id not in feed.text


def test_s1_25_colleagues_tell_how_it_felt_to_be_a_customer_themselves(house: Service):
    me = {"by": {"colleague_id": "desk-25"}}
    words = {"title": "On hold", "text": "I waited forty minutes, and nobody said how long."}
    lesson = house.post("/v1/lessons", {"kind": "experience", **words, **me})["lesson_id"]
    # It is his, so somebody else says that it may be told.
    refused = house.post(f"/v1/lessons/{lesson}/approve", me, status=403)
    assert refused["type"].endswith("/problems/own_lesson")
    house.post(f"/v1/lessons/{lesson}/approve", {"by": {"colleague_id": "desk-26"}})
    house.post(f"/v1/lessons/{lesson}/publish", {})
    [told] = [one for one in house.get("/v1/feed?limit=500")["items"] if one["tags"] == ["experience"]]
    assert (told["title"], told["content_text"]) == (words["title"], words["text"])


def test_s1_13_the_feed_never_tells_who_was_at_fault(house: Service):
    known_as = house.post("/v1/colleagues/driver-9/join", FRONT | {"team": "vans"})["colleague_id"]
    told = solved(house, "rude driver", severity=3)
    told.when("report-treatment", treatment="rude", degree=2, by_colleague="driver-9", by_role_class="front")
    told.when("apologise", said="admits")
    told.when("resolve")
    told.when("attribute-cause", cause_class="attitude", evidence_ref="heard by two", contributing=["training"])
    learn(house)
    house.project()
    lessons = house.http.get("/v1/lessons").text
    for text in (house.http.get("/v1/feed?limit=500").text, house.http.get("/v1/feed/digest").text, lessons):
        assert "driver-9" not in text
        assert known_as not in text
        assert "heard by two" not in text


def test_s1_22_three_times_untrained_on_one_topic_asks_for_training_in_it(house: Service):
    clerk, lead = staff(house, "returns", "returns-desk", FRONT, LEAD)
    told = customer(house, "returns")
    told.when("report-failure", **LATE)
    untrained = {"kind": "no_training", "topic": "returns", "by": {"colleague_id": clerk}}
    for day in range(3):
        learn(house)
        assert house.get(f"/v1/colleagues/{lead}")["help"] == [], day
        told.when("report-obstacle", **untrained)
        house.clock.forward(days=1)
    told.when("report-obstacle", **untrained | {"topic": "cash"})
    learn(house)
    [asked] = house.get(f"/v1/colleagues/{lead}")["help"]
    assert (asked["kind"], asked["topic"], asked["status"]) == ("training", "returns", "open")
