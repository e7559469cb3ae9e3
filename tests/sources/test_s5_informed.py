"""S5, what everybody must know: told to all, taken note of by all, and all are trained who touch customers."""

from typing import Any

import pytest

from tests.support.http import Service

STAFF = 40


@pytest.fixture(scope="module", autouse=True)
def staff(house: Service) -> None:
    """Twenty work in front and twenty in the back; one worked here once."""
    for role_class in ("front", "back"):
        for nth in range(STAFF // 2):
            post = {"role": "other", "role_class": role_class, "team": role_class}
            house.post(f"/v1/colleagues/{role_class}-{nth}/join", post)
    house.post("/v1/colleagues/gone/join", {"role": "other", "role_class": "back", "team": "back"})
    house.post("/v1/colleagues/gone/leave", {})


def drafted(house: Service, kind: str, title: str, text: str, **more: Any) -> str:
    """The address of something that the house should know."""
    lesson = house.post("/v1/lessons", {"kind": kind, "title": title, "text": text} | more)
    return f"/v1/lessons/{lesson['lesson_id']}"


def told(house: Service, lesson: str) -> None:
    """Somebody approves it, and it is published."""
    house.post(f"{lesson}/approve", {"by": {"colleague_id": "front-0"}})
    house.post(f"{lesson}/publish", {})


def took_note(house: Service, lesson: str, role_class: str, many: int) -> None:
    """So many of them take note of it."""
    for nth in range(many):
        address = f"/v1/feed/{lesson.rpartition('/')[2]}/ack"
        house.post(address, {"by": {"colleague_id": f"{role_class}-{nth}"}})


def test_s5_19_what_is_shared_is_shared_with_all_who_work_here(house: Service):
    lesson = drafted(house, "lesson", "A letter that we liked", "He thanked the mechanic for the wiper.")
    told(house, lesson)
    found = house.get(lesson)
    assert found["audience"] == {"role_classes": [], "teams": [], "roles": [], "colleague_id": None}
    assert (found["coverage"]["colleagues"], found["coverage"]["unread"]) == (STAFF, STAFF)
    for eyes in ("front-1", "back-1"):
        titles = [one["title"] for one in house.get(f"/v1/feed?colleague={eyes}")["items"]]
        assert "A letter that we liked" in titles


def test_s5_20_a_policy_is_taken_note_of_and_a_new_version_by_everybody_again(house: Service):
    notice = drafted(house, "notice", "Refunds need no receipt", "Below 50.00 nobody is asked for one.")
    told(house, notice)
    took_note(house, notice, "front", 8)
    took_note(house, notice, "back", 5)
    reached = house.get(notice)["coverage"]
    assert house.get(notice)["must_ack"]
    assert [(one["role_class"], one["acknowledged"]["hits"]) for one in reached["by_class"]] == [
        ("front", 8),
        ("back", 5),
    ]
    assert (reached["acknowledged"]["hits"], reached["acknowledged"]["n"], reached["unread"]) == (13, 40, 27)
    house.post(f"{notice}/revise", {"text": "Below 100.00 nobody is asked for one."})
    told(house, notice)
    anew = house.get(notice)["coverage"]
    assert (anew["version"], anew["acknowledged"]["hits"], anew["unread"]) == (2, 0, STAFF)
    took_note(house, notice, "back", 1)
    assert house.get("/v1/feed?colleague=back-0")["_amends"]["to_acknowledge"] == 0
    assert house.get("/v1/feed?colleague=front-2")["_amends"]["to_acknowledge"] == 1


def test_s5_13_nobody_is_named_for_what_he_did_well_until_he_says_so(house: Service):
    praise = {"title": "{name} kept the old wiper", "text": "{name} cleaned it and explained why."}
    lesson = drafted(house, "recognition", **praise, colleague_id="back-7")
    told(house, lesson)

    def titles() -> list[str]:
        return [one["title"] for one in house.get("/v1/feed")["items"]]

    assert "a colleague kept the old wiper" in titles()
    house.post("/v1/colleagues/back-7/set-naming-consent", {"given": True, "name": "The man in the pit"})
    assert "The man in the pit kept the old wiper" in titles()
    house.post("/v1/colleagues/back-7/set-naming-consent", {"given": False})
    assert "a colleague kept the old wiper" in titles()


def test_s5_21_how_many_were_trained_in_front_and_in_the_back_and_the_gap(house: Service):
    for role_class, trained in (("front", 15), ("back", 5)):
        for nth in range(trained):
            training = {"topic": "putting-things-right", "format": "workshop"}
            house.post(f"/v1/colleagues/{role_class}-{nth}/complete-training", training)
    found = house.get("/v1/reports/training")
    coverage = {one["role_class"]: one["trained"] for one in found["coverage"]}
    assert {name: (one["hits"], one["n"], one["share"]) for name, one in coverage.items()} == {
        "front": (15, 20, 0.75),
        "back": (5, 20, 0.25),
    }
    assert found["front_minus_back"] == 0.5
