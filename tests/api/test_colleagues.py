"""Colleagues over HTTP: who may say what of them, and what is read of them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import Service, service

MECHANIC = {"role": "mechanic", "role_class": "back", "team": "workshop", "manager": "lead-1"}
TRAINING = {"kind": "training", "topic": "hybrid-engines", "class": "product", "note": "I only know diesels."}
ME = {"by": {"colleague_id": "m-7"}}


@pytest.fixture
def on_both(database: str, tmp_path: Path) -> Iterator[Service]:
    with service(database, tmp_path) as made:
        yield made


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def joined(amends: Service, who: str = "m-7", **said: Any) -> dict[str, Any]:
    return amends.post(f"/v1/colleagues/{who}/join", MECHANIC | said)


def test_a_colleague_is_read_as_he_was_recorded(on_both: Service):
    amends = on_both
    told = joined(amends)
    amends.post("/v1/colleagues/m-7/complete-training", {"topic": "brakes", "format": "shadowing"})
    amends.post("/v1/colleagues/m-7/set-capacity", {"points": 8})
    amends.post("/v1/colleagues/m-7/record-absence", {"begins": "2026-03-09T00:00:00Z"})
    amends.post("/v1/colleagues/m-7/set-naming-consent", {"given": True, "name": "the man with the wrench"})
    amends.post("/v1/colleagues/m-7/change-role", {"team": "garage"})
    found = amends.get("/v1/colleagues/m-7")
    assert found["colleague_id"] == told["colleague_id"]
    assert (found["here"], found["role"], found["role_class"]) == (True, "mechanic", "back")
    assert (found["team"], found["capacity"], found["training"]) == ("garage", 8, ["brakes"])
    assert found["absence"] == {"begins": "2026-03-09T00:00:00Z", "ends": None}
    assert (found["may_be_named"], found["authority_used"], found["version"]) == (True, [], 6)


def test_he_is_found_by_your_own_id_and_by_the_ledger_s(amends: Service):
    known_as = joined(amends)["colleague_id"]
    assert amends.get(f"/v1/colleagues/{known_as}") == amends.get("/v1/colleagues/m-7")


def test_it_is_the_id_under_which_the_ledger_knows_what_he_does(amends: Service):
    known_as = joined(amends)["colleague_id"]
    customer = amends.customer()
    amends.post(f"/v1/customers/{customer}/report-failure", {"what": "late", "description": "An hour."} | ME)
    assert amends.get("/v1/events")["data"][-1]["actor"] == f"u:{known_as}"


def test_his_acts_are_recorded_in_his_role_whatever_the_caller_says(on_both: Service):
    amends = on_both
    customer = amends.customer()
    address = f"/v1/customers/{customer}/make-gesture"
    claimed = {"kind": "surprise", "by": {"colleague_id": "m-7", "role": "sales", "role_class": "front"}}
    amends.post(address, claimed)
    joined(amends)
    amends.post(address, claimed)
    told = amends.get(f"/v1/customers/{customer}/timeline")["data"]
    assert [one["role_class"] for one in told if one["kind"] == "gesture.made"] == ["front", "back"]


def test_nobody_is_read_who_is_not_there(amends: Service):
    assert amends.get("/v1/colleagues/m-7", status=404)["what"] == "colleague"
    customer = amends.customer()
    assert amends.get(f"/v1/colleagues/{customer}", status=404)["what"] == "colleague"


def test_a_customer_does_not_become_a_colleague_nor_the_other_way_round(amends: Service):
    customer = amends.customer()
    assert amends.post(f"/v1/colleagues/{customer}/join", MECHANIC, status=404)["what"] == "colleague"
    known_as = joined(amends)["colleague_id"]
    late = {"what": "late", "description": "An hour."}
    assert amends.post(f"/v1/customers/{known_as}/report-failure", late, status=404)["what"] == "customer"


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("join", MECHANIC),
        ("change-role", {"team": "garage"}),
        ("set-capacity", {"points": 3}),
        ("record-absence", {"begins": "2026-03-09T00:00:00Z"}),
        ("complete-training", {"topic": "brakes"}),
        ("answer-help", {"help_id": "0192e4a0-7c3a-7b21-9f10-2f6f3c1d0a42", "plan": "A course."}),
        ("set-naming-consent", {"given": True}),
        ("leave", {}),
    ],
)
def test_only_who_administers_says_it(shared: Service, command: str, body: dict[str, Any]):
    headers = shared.key("append", "read", "act_for")
    said = shared.http.post(f"/v1/colleagues/m-9/{command}", json=body | ME, headers=headers)
    assert problem(said) == (403, "missing_scope")


def test_only_who_administers_reads_of_colleagues(shared: Service):
    assert problem(shared.http.get("/v1/colleagues/m-9", headers=shared.key("read"))) == (403, "missing_scope")


def test_s4_31_a_colleague_asks_for_help_himself_and_nobody_for_him(amends: Service):
    headers = amends.key("append", "act_for")
    asked = amends.http.post("/v1/colleagues/m-7/ask-for-help", json=TRAINING | ME, headers=headers)
    assert asked.status_code == 201
    for by in ({}, {"by": {"colleague_id": "m-8"}}, {"by": {"role": "mechanic"}}, {"by": {"customer": True}}):
        said = amends.http.post("/v1/colleagues/m-7/ask-for-help", json=TRAINING | by, headers=headers)
        assert problem(said) == (403, "missing_scope")
    alone = amends.key("append")
    said = amends.http.post("/v1/colleagues/m-7/ask-for-help", json=TRAINING | ME, headers=alone)
    assert (problem(said), said.json()["scope"]) == ((403, "missing_scope"), "act_for")
    amends.post("/v1/colleagues/m-7/ask-for-help", TRAINING)


def test_s4_28_unanswered_help_goes_to_whoever_leads_him_by_itself(on_both: Service):
    amends = on_both
    joined(amends)
    lead = joined(amends, "lead-1", role="manager", role_class="manager", manager=None)["colleague_id"]
    help_id = amends.post("/v1/colleagues/m-7/ask-for-help", TRAINING)["ids"]["help_id"]
    amends.clock.forward(days=6.9)
    amends.project()
    assert amends.container.sweeper.run_once() == 0
    amends.clock.forward(days=0.2)
    assert amends.container.sweeper.run_once() == 1
    told = amends.get("/v1/events")["data"][-1]
    assert told["type"] == "amends.help.escalated.v1"
    assert (told["data"]["help_id"], told["data"]["to"]) == (help_id, lead)
    assert amends.container.sweeper.run_once() == 0
    [found] = amends.get("/v1/colleagues/m-7")["help"]
    assert (found["status"], found["escalated"]) == ("open", True)


def test_s4_31_he_gets_an_answer_which_is_read_with_the_scope_personal_only(amends: Service):
    help_id = amends.post("/v1/colleagues/m-7/ask-for-help", TRAINING)["ids"]["help_id"]
    other = amends.post("/v1/colleagues/m-7/ask-for-help", {"kind": "schedule", "topic": "nights"})["ids"][
        "help_id"
    ]
    amends.post("/v1/colleagues/m-7/answer-help", {"help_id": help_id, "plan": "A course in May."})
    said = {"help_id": other, "refused": True, "reason": "Nobody else can."}
    amends.post("/v1/colleagues/m-7/answer-help", said)
    first, second = amends.get("/v1/colleagues/m-7")["help"]
    assert (first["status"], first["note"], first["plan"]) == ("planned", TRAINING["note"], "A course in May.")
    assert (second["status"], second["plan"], second["reason"]) == ("refused", None, "Nobody else can.")
    amends.http.headers.update(amends.key("admin"))
    first, second = amends.get("/v1/colleagues/m-7")["help"]
    assert {first["note"], first["plan"], second["reason"]} == {None}
    assert first["status"] == "planned"


def test_sending_again_is_safe_and_a_stale_version_is_refused(amends: Service):
    first = amends.http.post("/v1/colleagues/m-7/join", json=MECHANIC, headers={"Idempotency-Key": "k-1"})
    again = amends.http.post("/v1/colleagues/m-7/join", json=MECHANIC, headers={"Idempotency-Key": "k-1"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    amends.post("/v1/colleagues/m-7/set-capacity", {"points": 1}, If_Match=first.headers["etag"])
    stale = amends.post("/v1/colleagues/m-7/set-capacity", {"points": 2}, status=412, If_Match='"v1"')
    assert stale["current_version"] == 2
    read = amends.http.get("/v1/colleagues/m-7", headers={"If-None-Match": '"v2"'})
    assert read.status_code == 304


def test_what_cannot_be_meant_is_a_problem_that_says_where(shared: Service):
    said = shared.post("/v1/colleagues/m-9/join", MECHANIC | {"role_class": "boss"}, status=422)
    assert [one["pointer"] for one in said["errors"]] == ["/role_class"]
    said = shared.post("/v1/colleagues/m-9/ask-for-help", {"kind": "holiday", "topic": "sun"}, status=422)
    assert [one["pointer"] for one in said["errors"]] == ["/kind"]


def test_no_word_of_his_stands_in_the_open(amends: Service):
    amends.post("/v1/colleagues/m-7/ask-for-help", TRAINING)
    amends.post("/v1/colleagues/m-7/set-naming-consent", {"given": True, "name": "the man with the wrench"})
    told = amends.http.get("/v1/events").text
    assert TRAINING["note"] not in told
    assert "wrench" not in told
    assert "m-7" not in told


def test_what_is_about_a_colleague_is_in_the_ledger_for_keys_with_the_scope_personnel_only(amends: Service):
    joined(amends)
    amends.post("/v1/colleagues/m-7/record-absence", {"begins": "2026-03-09T00:00:00Z"})
    customer = amends.customer()
    everything = [one["subject"] for one in amends.get("/v1/events")["data"]]
    assert len(everything) == 3
    found = amends.http.get("/v1/events", headers=amends.key("read", "personal", "admin")).json()
    assert [one["subject"] for one in found["data"]] == [customer]
    assert found["next"] == 3


def test_s5_21_the_report_of_training_tells_needs_help_and_coverage(on_both: Service):
    amends = on_both
    for nth in range(5):
        joined(amends, f"m-{nth}")
    address = f"/v1/customers/{amends.customer()}"
    amends.post(f"{address}/report-failure", {"what": "badly_done", "description": "The brakes still squeal."})
    missing = {"kind": "no_training", "topic": "brakes", "by": {"colleague_id": "m-0"}}
    for _ in range(3):
        amends.post(f"{address}/report-obstacle", missing)
    for nth in range(5):
        amends.post(
            f"/v1/colleagues/m-{nth}/ask-for-help", {"kind": "training", "topic": "brakes", "class": "product"}
        )
    amends.clock.now += timedelta(days=2)
    amends.post("/v1/colleagues/m-1/complete-training", {"topic": "brakes", "format": "coaching"})
    found = amends.get("/v1/reports/training")
    assert found["by_team"] == [{"team": "workshop", "topic": "brakes", "obstacles": 3, "needs": 1}]
    assert found["by_topic"] == [{"topic": "brakes", "topic_class": "product", "obstacles": 3}]
    assert (found["needs_met"]["hits"], found["days_to_training"]["median"]) == (1, 2.0)
    assert (found["help"]["n"], found["help"]["open"]) == (5, 5)
    [back] = found["coverage"]
    assert (back["role_class"], back["trained"]["hits"], back["trained"]["n"]) == ("back", 1, 5)
