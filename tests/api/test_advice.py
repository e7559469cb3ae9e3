"""Advice over HTTP, with nothing set up: the next step, the brief, a reason to stay, and the check of words."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http import Service, service

PLUMS = {"what": "wrong_or_broken", "description": "Three of the six plums were rotten.", "severity": 2}
UNKNOWN = "0192e4a0-0000-7000-8000-00000000dead"


@pytest.fixture(scope="module")
def amends(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that the tests of this file share; once on each kind of database."""
    with service(module_database, tmp_path_factory.mktemp("advice")) as made:
        yield made


@pytest.fixture
def customer(amends: Service, request: pytest.FixtureRequest) -> str:
    """The address of a customer of the test's own."""
    return f"/v1/customers/{amends.customer(request.node.name)}"


def complained(amends: Service, customer: str, **fields: Any) -> str:
    """The id of a recovery that was opened."""
    return str(amends.post(f"{customer}/report-failure", PLUMS | fields)["ids"]["recovery_id"])


def step(amends: Service, customer: str, query: str = "") -> dict[str, Any]:
    return amends.get(f"{customer}/next-step{query}")


def test_s3_21_one_post_and_the_next_step_answers_without_configuration(amends: Service):
    received = amends.post("/v1/customers", {"customer": {"kind": "crm", "value": "s3-21"}})
    address = f"/v1/customers/{received['customer_id']}"
    complained(amends, address)
    found = step(amends, address)
    assert (found["step"], found["reason_code"]) == ("acknowledge_and_apologise", "not_acknowledged")
    assert found["script_ref"] == "playbook:exchange:1:steps"
    assert found["script"]
    assert found["authority_left"]["up_to"] == {"amount": "50.00", "currency": "EUR"}


def test_s1_8_the_burnt_dish_is_done_again_first(amends: Service, customer: str):
    complained(amends, customer, what="badly_done")
    amends.post(f"{customer}/apologise", {"said": "admits"})
    found = step(amends, customer)
    assert found["step"] == "instant_remedy"
    assert (found["options"][0]["kind"], found["options"][0]["approval"]) == ("reperform", False)


def test_s1_2_the_courier_s_portal_is_worked_around_and_its_owner_told(amends: Service, customer: str):
    complained(amends, customer, what="late", detection="predicted")
    amends.post(f"{customer}/apologise", {"said": "admits"})
    blocked = {"kind": "policy_block", "hardness": "system", "rule_id": "courier.reschedule-before-first-attempt"}
    amends.post(f"{customer}/update-customer", {"kind": "proactive", "two_way": True})
    amends.post(f"{customer}/report-obstacle", blocked)
    found = step(amends, customer)
    assert found["step"] == "work_around_and_tell_owner"
    assert [one["id"] for one in found["options"]] == ["work-around", "tell-owner", "hand-over"]


def test_s3_22_giving_before_apologising_is_taken_and_then_an_apology_is_advised(amends: Service, customer: str):
    complained(amends, customer)
    cost = {"amount": "12.50", "currency": "EUR"}
    amends.post(f"{customer}/grant-compensation", {"kind": "voucher", "cost": cost, "delivered": True})
    found = step(amends, customer)
    assert found["step"] == "acknowledge_and_apologise"
    assert found["authority_left"]["given"] == cost


def test_what_the_asker_may_give_goes_by_his_role_class(amends: Service, customer: str):
    complained(amends, customer)
    of_manager = step(amends, customer, "?role=manager&role_class=manager")["authority_left"]
    assert of_manager["up_to"] == {"amount": "500.00", "currency": "EUR"}
    assert step(amends, customer, "?role_class=partner")["authority_left"]["up_to"] is None


def test_s1_23_asked_twice_the_answer_is_the_same_and_time_alone_makes_it_overdue(amends: Service, customer: str):
    complained(amends, customer)
    once, again = (amends.http.get(f"{customer}/next-step") for _ in range(2))
    assert once.content == again.content
    assert not once.json()["overdue"]
    amends.clock.forward(hours=5)
    held = amends.http.get(f"{customer}/next-step", headers={"If-None-Match": once.headers["etag"]})
    assert (held.status_code, held.json()["overdue"]) == (200, True)


def test_it_says_on_which_version_it_was_advised_and_waits_for_your_own_writes(amends: Service, customer: str):
    written = amends.post(f"{customer}/report-failure", PLUMS)
    amends.project()
    path = f"{customer}/next-step?min_position={written['position']}"
    answer = amends.http.get(path, headers={"Prefer": "wait=2"})
    assert answer.headers["etag"] == f'"v{written["version"]}"'
    assert answer.headers["amends-position"] == str(written["position"])
    assert answer.headers["preference-applied"] == "wait=2"
    amends.customer("another, whom the read models have not met")
    late = amends.http.get(f"{customer}/next-step?min_position={amends.container.ledger.head()}")
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (503, "projection_behind")
    decided = amends.http.post(
        f"{customer}/apologise", json={"said": "admits"}, headers={"If-Match": answer.headers["etag"]}
    )
    assert decided.status_code == 201


def test_of_two_open_recoveries_one_must_be_named(amends: Service, customer: str):
    first, other = complained(amends, customer), complained(amends, customer, what="late")
    assert amends.get(f"{customer}/next-step", status=409)["type"].endswith("/ambiguous_recovery")
    assert step(amends, customer, f"?recovery_id={other}")["recovery_id"] == other
    amends.post(f"{customer}/close", {"outcome": "withdrawn", "recovery_id": other})
    assert step(amends, customer)["recovery_id"] == first
    assert step(amends, customer, f"?recovery_id={other}")["step"] == "nothing"


def test_who_is_unknown_or_has_nothing_open_gets_no_step(amends: Service, customer: str):
    for path in (f"/v1/customers/{UNKNOWN}", customer):
        assert amends.get(f"{path}/next-step", status=404)["type"].endswith("/unknown_ref")
    for name in ("brief", "reason-to-stay"):
        amends.get(f"/v1/customers/{UNKNOWN}/{name}", status=404)
    assert amends.get(f"{customer}/next-step?role_class=king", status=422)["errors"][0]["in"] == "query"
    amends.get(f"{customer}/next-step?roll=cook", status=422)


def test_s1_10_s1_14_one_call_gives_the_page_with_what_he_wants_first(amends: Service, customer: str):
    complained(amends, customer, desired_outcome="Three good plums.", customer_words="I paid for six.")
    amends.post(f"{customer}/record-expectation", {"topic": "freshness", "wish": "Ripe plums.", "importance": 5})
    amends.post(f"{customer}/promise-remedy", {"remedy_kind": "replacement"})
    amends.project()
    found = amends.http.get(f"{customer}/brief")
    assert found.text.startswith('{"desired_outcome":"Three good plums.","customer_words":"I paid for six."')
    told = found.json()
    assert told["authority_left"]["per_colleague_day"] == {"amount": "150.00", "currency": "EUR"}
    assert [one["of"] for one in told["open_promises"]] == ["replacement"]
    assert told["next_step"]["step"] == "acknowledge_and_apologise"
    assert told["expectations"][0]["wish"] == "Ripe plums."
    assert told["reason_to_stay"]["earned"]


def test_s3_2_the_page_shows_his_wish_beside_the_standard(amends: Service, customer: str):
    complained(amends, customer)
    amends.post(f"{customer}/record-expectation", {"topic": "punctuality", "wish": "On time.", "importance": 4})
    [wish] = amends.get(f"{customer}/brief")["expectations"]
    assert (wish["wish"], wish["standard"]) == ("On time.", "Whoever must wait is told before he has to ask.")


def test_his_words_are_for_those_who_may_see_them(amends: Service, customer: str):
    said = "qanary wants three good plums"
    complained(amends, customer, desired_outcome=said, customer_words=said)
    amends.post(f"{customer}/record-expectation", {"topic": "freshness", "wish": said, "importance": 5})
    amends.post(f"{customer}/make-commitment", {"what": said, "due_at": "2027-01-01T00:00:00Z"})
    amends.project()
    reader = amends.key("read")
    for name in ("brief", "reason-to-stay", "next-step"):
        found = amends.http.get(f"{customer}/{name}", headers=reader)
        assert found.status_code == 200
        assert "qanary" not in found.text
    found = amends.http.get(f"{customer}/brief", headers=reader).json()
    assert (found["words_shown"], found["desired_outcome"]) == (False, None)
    assert found["reason_to_stay"]["reasons"][0]["said"] == "We know that freshness matters to you."
    assert said in amends.http.get(f"{customer}/reason-to-stay").json()["said"]
    writer = amends.key("append")
    assert amends.http.get(f"{customer}/brief", headers=writer).status_code == 403


def test_s5_23_a_reason_to_stay_is_honest_where_nothing_was_earned(amends: Service, customer: str):
    assert amends.get(f"{customer}/reason-to-stay") == {
        "earned": False,
        "said": "We have not earned one yet.",
        "reasons": [],
    }
    amends.post(f"{customer}/make-gesture", {"kind": "extra_care"})
    found = amends.get(f"{customer}/reason-to-stay")
    assert found["said"] == "We went beyond our duty for you: extra care."


def test_s2_5_s2_20_words_that_undo_the_good_are_found_and_nothing_is_refused(amends: Service):
    text = "Normally we charge the difference. Trudny klient!"
    found = amends.post("/v1/wording/check", {"text": text}, status=200)["findings"]
    assert [(one["rule"], one["language"], one["said"]) for one in found] == [
        ("favour_flaunting", "en", "Normally we charge"),
        ("customer_label", "pl", "Trudny klient"),
    ]
    assert all(one["instead"] and one["why"] for one in found)
    in_polish = {"text": text, "language": "pl"}
    assert len(amends.post("/v1/wording/check", in_polish, status=200)["findings"]) == 1
    assert amends.post("/v1/wording/check", {"text": "Here you are."}, status=200) == {"findings": []}


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": 1}, {"text": "x", "language": "de"}, {"text": "x", "tone": "kind"}]
)
def test_what_is_no_message_is_told_so(amends: Service, body: dict[str, Any]):
    assert amends.post("/v1/wording/check", body, status=422)["type"].endswith("/validation_failed")


def test_a_message_is_json_and_needs_a_key(amends: Service):
    plain = amends.http.post("/v1/wording/check", content="hello", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    keyless = amends.http.post("/v1/wording/check", json={"text": "x"}, headers={"Authorization": ""})
    assert keyless.status_code == 401
