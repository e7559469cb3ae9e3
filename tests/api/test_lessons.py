"""Lessons over HTTP: from a draft to everybody's receipt, and what nobody but those concerned is shown."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest

from domain.kinds import AMENDS
from domain.lessons.commands import DraftLesson
from domain.lessons.lesson import FromRecovery
from domain.moves.outcome import Reopen
from infrastructure.orders import Order
from tests.support.http import Service, service
from tests.support.telling_lessons import LEAD, ME, MECHANIC, NOTICE, drafted, feed, put_right, told


@pytest.fixture
def on_both(database: str, tmp_path: Path) -> Iterator[Service]:
    with service(database, tmp_path) as made:
        yield made


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def test_s5_20_a_notice_goes_to_everyone_who_acknowledges_each_version(on_both: Service):
    amends = on_both
    for nth in range(5):
        amends.post(f"/v1/colleagues/m-{nth}/join", MECHANIC)
    lesson = told(amends, drafted(amends))
    [item] = feed(amends, "?colleague=m-1")
    assert (item["title"], item["tags"]) == (NOTICE["title"], ["notice"])
    assert (item["_amends"]["must_ack"], item["_amends"]["read"]) == (True, False)
    for nth in range(3):
        amends.post(f"/v1/feed/{lesson}/ack", {"by": {"colleague_id": f"m-{nth}"}})
    reached = amends.get(f"/v1/lessons/{lesson}")["coverage"]
    assert (reached["colleagues"], reached["unread"], reached["acknowledged"]["hits"]) == (5, 2, 3)
    assert [(one["role_class"], one["read"]["hits"]) for one in reached["by_class"]] == [("back", 3)]
    amends.post(f"/v1/lessons/{lesson}/revise", {"text": "Below 100.00 neither."})
    told(amends, lesson)
    assert amends.get(f"/v1/lessons/{lesson}")["coverage"]["unread"] == 5
    assert amends.get("/v1/feed?colleague=m-1")["_amends"] == {"unread": 1, "to_acknowledge": 1}


def test_s1_20_a_receipt_said_again_records_nothing(shared: Service):
    before = shared.get("/v1/feed?colleague=m-7")["_amends"]
    one_more = {name: n + 1 for name, n in before.items()}
    lesson = told(shared, drafted(shared))
    assert shared.get("/v1/feed?colleague=m-7")["_amends"] == one_more
    first = shared.post(f"/v1/feed/{lesson}/read", ME)
    again = shared.post(f"/v1/feed/{lesson}/read", ME, status=200)
    assert (len(first["receipts"]), again["receipts"]) == (1, [])
    assert again["colleague_id"] == first["colleague_id"]
    assert shared.get("/v1/feed?colleague=m-7")["_amends"] == one_more | {"unread": before["unread"]}
    shared.post(f"/v1/feed/{lesson}/ack", ME)
    assert shared.get("/v1/feed?colleague=m-7")["_amends"] == before


def test_a_receipt_says_whose_it_is_and_takes_a_key_that_speaks_for_him(shared: Service):
    lesson = told(shared, drafted(shared))
    said = shared.post(f"/v1/feed/{lesson}/read", {}, status=422)
    assert said["errors"][0]["pointer"] == "/by/colleague_id"
    answer = shared.http.post(f"/v1/feed/{lesson}/ack", json=ME, headers=shared.key("append"))
    assert (problem(answer), answer.json()["scope"]) == ((403, "missing_scope"), "act_for")


def test_s1_21_a_case_study_is_drafted_from_a_recovery_without_anything_personal(shared: Service):
    customer, recovery = put_right(shared)
    lesson = drafted(shared, kind="case_study", from_recovery={"customer_id": customer, "recovery_id": recovery})
    found = shared.get(f"/v1/lessons/{lesson}")
    assert (found["title"], found["state"]) == ("Late, put right by refund", "draft")
    assert found["text"].startswith("It began as: late (procedural), severity 4 of 5.\n+0 min: told the customer")
    for secret in ("Maria", "4711", customer, recovery, "C-1042"):
        assert secret not in found["title"] + found["text"]
    told(shared, lesson)
    shown = shared.http.get("/v1/feed").text
    assert found["title"] in shown
    assert customer not in shown
    assert recovery not in shown


def test_the_program_drafts_a_case_study_once_for_what_gave_rise_to_it(on_both: Service):
    amends = on_both
    customer, recovery = put_right(amends)
    trigger = amends.get("/v1/events")["data"][-1]["id"]
    body = DraftLesson(
        kind="case_study",
        from_recovery=FromRecovery(customer_id=customer, recovery_id=recovery),
        trigger=trigger,
    )

    def ordered(key: str) -> Order:
        return Order(
            command=body, stream=None, actor=AMENDS, source="amends:duties", key=key, fingerprint=b"the same"
        )

    submit = amends.container.writer.submit
    first = submit(ordered("D8:1")).result(20)
    assert submit(ordered("D8:1")).result(20).receipts == first.receipts
    assert problem_of(submit(ordered("D8:2")).exception(20)) == "already_exists"
    data = amends.get("/v1/lessons")["data"]
    assert [one["lesson_id"] for one in data] == [str(first.customer_id)]


def problem_of(refusal: Any) -> str:
    return str(refusal.code)


def test_what_is_decided_in_the_same_page_is_part_of_the_story(amends: Service):
    customer, recovery = put_right(amends)
    learned = FromRecovery(customer_id=customer, recovery_id=recovery)
    said, done = {"actor": AMENDS, "source": "amends:duties"}, Event()
    together = amends.container.writer.hand_over(
        [
            Order(command=Reopen(recovery_id=recovery, cause="recurrence"), stream=UUID(customer), **said),
            Order(command=DraftLesson(kind="case_study", from_recovery=learned), stream=None, **said),
        ],
        done.set,
    )
    assert done.wait(20)
    [_, drafted_so] = together.answers()
    found = amends.get(f"/v1/lessons/{drafted_so.customer_id}")
    assert found["title"] == "Late, and not put right"
    assert "opened again, because of: recurrence" in found["text"]


PRAISE = {
    "kind": "recognition",
    "title": "{name} and the wiper",
    "text": "Unasked, {name} changed a wiper and kept the old one to show.",
    "colleague_id": "m-7",
}


def test_s5_13_a_recognition_names_him_only_while_he_agrees(shared: Service):
    lesson = drafted(shared, **PRAISE)
    refused = shared.http.post(f"/v1/lessons/{lesson}/approve", json=ME)
    assert problem(refused) == (403, "own_lesson")
    told(shared, lesson)
    assert feed(shared)[0]["title"] == "a colleague and the wiper"
    shared.post("/v1/colleagues/m-7/set-naming-consent", {"given": True, "name": "Sam"})
    assert feed(shared)[0]["content_text"] == "Unasked, Sam changed a wiper and kept the old one to show."
    without = shared.key("read")
    assert feed(shared, **without)[0]["title"] == "a colleague and the wiper"
    shared.post("/v1/colleagues/m-7/set-naming-consent", {"given": False})
    assert feed(shared)[0]["title"] == "a colleague and the wiper"
    assert "Sam" not in shared.http.get("/v1/feed.atom").text


def test_that_a_recognition_is_about_him_is_for_who_may_see_what_is_about_colleagues(shared: Service):
    lesson = drafted(shared, **PRAISE)
    for scopes, seen in ((("read", "personal", "admin"), 0), (("read", "personnel"), 1)):
        told_of = shared.http.get("/v1/events?limit=500", headers=shared.key(*scopes)).json()["data"]
        assert len([one for one in told_of if one["subject"] == lesson]) == seen


def test_s2_2_what_is_for_one_colleague_is_shown_to_nobody_else(amends: Service):
    secret = {"kind": "lesson", "title": "Let him have the last word", "text": "It was the last word that hurt."}
    lesson = told(amends, drafted(amends, **secret, audience={"colleague_id": "barista-2"}))
    assert [one["title"] for one in feed(amends, "?colleague=barista-2")] == [secret["title"]]
    assert feed(amends, "?colleague=m-7") == feed(amends) == feed(amends, "?role_class=front") == []
    peer = amends.key("read", "append", "personal")
    for address in ("/v1/feed?colleague=barista-2", f"/v1/lessons/{lesson}", "/v1/lessons"):
        assert problem(amends.http.get(address, headers=peer)) == (403, "missing_scope")
    for address in ("/v1/feed", "/v1/feed.atom", "/v1/feed/digest", "/v1/events"):
        assert "last word" not in amends.http.get(address, headers=peer).text
    office = amends.key("admin", "read")
    assert amends.http.get("/v1/lessons", headers=office).json()["data"] == []
    assert problem(amends.http.get(f"/v1/lessons/{lesson}", headers=office)) == (404, "unknown_ref")
    assert problem(amends.http.post(f"/v1/feed/{lesson}/read", json=ME)) == (404, "unknown_ref")
    amends.post(f"/v1/feed/{lesson}/read", {"by": {"colleague_id": "barista-2"}})


def test_an_expired_lesson_waits_to_be_reconfirmed(amends: Service):
    lesson = told(amends, drafted(amends))
    amends.clock.forward(days=366)
    assert feed(amends) == []
    [one] = amends.get("/v1/lessons?state=to_reconfirm")["data"]
    assert (one["lesson_id"], one["state"]) == (lesson, "to_reconfirm")
    amends.post(f"/v1/lessons/{lesson}/reconfirm")
    assert [one["title"] for one in feed(amends)] == [NOTICE["title"]]
    amends.post(f"/v1/lessons/{lesson}/retire")
    assert feed(amends) == []


def test_nothing_is_told_that_another_has_not_approved(shared: Service):
    lesson = drafted(shared)
    said = shared.post(f"/v1/lessons/{lesson}/publish", status=409)
    assert (said["type"].rpartition("/")[2], said["edition"]) == ("not_approved", 1)
    assert problem(shared.http.post(f"/v1/lessons/{lesson}/approve")) == (422, "invalid_value")


def test_everybody_may_draft_and_only_who_administers_decides(shared: Service):
    colleague = shared.key("append", "act_for")
    mine = shared.http.post("/v1/lessons", json=NOTICE | {"kind": "experience"} | ME, headers=colleague)
    assert mine.status_code == 201
    lesson = mine.json()["lesson_id"]
    for command in ("approve", "publish", "revise", "reconfirm", "retire"):
        body = {"text": "Another one."} if command == "revise" else {}
        answer = shared.http.post(f"/v1/lessons/{lesson}/{command}", json=body, headers=colleague)
        assert problem(answer) == (403, "missing_scope")
    assert problem(shared.http.post(f"/v1/lessons/{lesson}/approve", json=ME)) == (403, "own_lesson")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (NOTICE | {"text": "Ask maria@example.com."}, "/text"),
        (NOTICE | {"title": "Two\nlines"}, "/title"),
        (NOTICE | {"kind": "gossip"}, "/kind"),
        (NOTICE | {"audience": {"everybody": True}}, "/audience/everybody"),
    ],
)
def test_what_cannot_be_meant_is_a_problem_that_says_where(shared: Service, body: dict[str, Any], pointer: str):
    assert [one["pointer"] for one in shared.post("/v1/lessons", body, status=422)["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("/v1/feed?colleague=m-7&team=desk", "/colleague"),
        ("/v1/feed?role_class=boss", "/role_class"),
        ("/v1/feed?colleagues=m-7", "/colleagues"),
        ("/v1/feed/digest?period=P1Y", "/period"),
        ("/v1/feed/digest?period=PT1H", "/period"),
        ("/v1/lessons?state=forgotten", "/state"),
    ],
)
def test_a_question_that_cannot_be_meant_is_a_problem_too(shared: Service, query: str, pointer: str):
    assert [one["pointer"] for one in shared.get(query, status=422)["errors"]] == [pointer]


@pytest.mark.parametrize("path", ["/v1/lessons/0192e4a0-7c3a-7b21-9f10-2f6f3c1d0a42"])
def test_what_is_not_there_is_said_so(shared: Service, path: str):
    assert shared.get(path, status=404)["what"] == "lesson"
    assert shared.post(f"{path}/approve", LEAD, status=404)["what"] == "lesson"
    assert shared.post(f"{path.replace('lessons', 'feed')}/ack", ME, status=404)["what"] == "lesson"


def test_a_customer_is_no_lesson_and_a_lesson_is_no_customer(shared: Service):
    customer, lesson = shared.customer(), drafted(shared)
    assert shared.post(f"/v1/lessons/{customer}/retire", status=404)["what"] == "lesson"
    assert shared.post(f"/v1/customers/{lesson}/apologise", {"said": "regret"}, status=404)["what"] == "customer"
    learned = {"customer_id": lesson, "recovery_id": lesson}
    assert shared.post("/v1/lessons", {"kind": "case_study", "from_recovery": learned}, status=404)["what"]
