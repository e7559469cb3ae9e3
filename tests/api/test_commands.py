"""Commands over HTTP: keys that make sending again safe, versions, who acted, and opening customers."""

from typing import Any

import pytest

from tests.support.http import Service

LATE = {"what": "late", "description": "the parcel did not come"}


def last_event(service: Service) -> dict[str, Any]:
    return service.get("/v1/events?personal=true")["data"][-1]


def test_a_customer_is_opened_once_and_found_ever_after(amends: Service):
    said = {"customer": {"kind": "crm", "value": "C-1042"}, "locale": "el-GR"}
    first = amends.post("/v1/customers", said, status=201)
    again = amends.post("/v1/customers", said, status=200)
    assert again["customer_id"] == first["customer_id"]
    assert again["receipts"] == []
    assert amends.get("/v1/events")["data"][-1]["sequence"].lstrip("0") == "1"


def test_an_empty_body_opens_a_customer_without_a_name(amends: Service):
    first = amends.http.post("/v1/customers")
    second = amends.http.post("/v1/customers", json={})
    assert first.status_code == second.status_code == 201
    assert first.json()["customer_id"] != second.json()["customer_id"]
    assert amends.get("/v1/events?personal=true")["data"][0]["data"]["contactable"] is False


def test_a_command_records_what_it_says(amends: Service):
    customer = amends.customer()
    answer = amends.http.post(f"/v1/customers/{customer}/report-failure", json=LATE)
    assert answer.status_code == 201
    found = answer.json()
    assert found["receipts"][0]["topic"] == "failure.reported"
    assert answer.headers["etag"] == f'"v{found["version"]}"'
    amends.post(f"/v1/customers/{customer}/apologise", {"said": "admits_and_commits"})
    assert last_event(amends)["type"] == "amends.apology.made.v1"


@pytest.mark.parametrize("key", ['"k-1"', "k-1", "8e03978e-40d5-43e8-bc93-6894a57f9324"])
def test_the_same_key_again_gets_the_same_answer(amends: Service, key: str):
    path = f"/v1/customers/{amends.customer()}/report-failure"
    first = amends.http.post(path, json=LATE, headers={"Idempotency-Key": key})
    again = amends.http.post(path, json=LATE, headers={"Idempotency-Key": key})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


def test_a_quoted_key_and_a_bare_one_are_the_same_key(amends: Service):
    path = f"/v1/customers/{amends.customer()}/report-failure"
    first = amends.post(path, LATE, Idempotency_Key='"k-1"')
    assert amends.post(path, LATE, Idempotency_Key="k-1") == first


def test_a_key_with_other_content_or_for_another_customer_is_refused(amends: Service):
    one, other = amends.customer("1"), amends.customer("2")
    amends.post(f"/v1/customers/{one}/report-failure", LATE, Idempotency_Key="k")
    for path, body in (
        (f"/v1/customers/{one}/report-failure", LATE | {"severity": 3}),
        (f"/v1/customers/{other}/report-failure", LATE),
        (f"/v1/customers/{one}/announce-leaving", {}),
    ):
        found = amends.post(path, body, status=422, Idempotency_Key="k")
        assert found["type"].endswith("/problems/key_reused")


@pytest.mark.parametrize("key", ["", '""', "a b", "x" * 256, '"unclosed'])
def test_a_key_that_cannot_be_read_is_refused(shared: Service, key: str):
    path = f"/v1/customers/{shared.customer()}/report-failure"
    answer = shared.http.post(path, json=LATE, headers={"Idempotency-Key": key})
    if key == '"unclosed':
        assert answer.status_code == 201  # bare, and so a key like any other
    else:
        assert answer.status_code == 400
        assert answer.json()["header"] == "Idempotency-Key"


def test_a_stale_version_is_refused_with_the_current_one(amends: Service):
    customer = amends.customer()
    path = f"/v1/customers/{customer}/report-failure"
    version = amends.post(path, LATE, If_Match='"v1"')["version"]
    found = amends.post(path, LATE, status=412, If_Match='"v1"')
    assert found["type"].endswith("/problems/stale_version")
    assert found["current_version"] == version
    amends.post(path, LATE, If_Match="*")


def test_if_none_match_wants_that_nothing_is_there(amends: Service):
    said = {"customer": {"kind": "crm", "value": "C-7"}}
    amends.post("/v1/customers", said, status=201, If_None_Match="*")
    found = amends.post("/v1/customers", said, status=412, If_None_Match="*")
    assert found["current_version"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("If-Match", "v8"), ("If-Match", 'W/"v8"'), ("If-Match", '"v08"'), ("If-Match", '"v1", "v2"')]
    + [("If-None-Match", '"v8"')],
)
def test_a_version_that_cannot_be_read_is_refused(shared: Service, name: str, value: str):
    answer = shared.http.post(
        f"/v1/customers/{shared.customer()}/report-failure", json=LATE, headers={name: value}
    )
    assert answer.status_code == 400
    assert answer.json()["header"] == name


def test_without_saying_who_the_posting_service_acted(amends: Service):
    path = f"/v1/customers/{amends.customer()}/complete-encounter"
    amends.post(path, {"touchpoint": "counter"})
    found = last_event(amends)
    assert found["actor"].startswith("k:")
    assert (found["actorkind"], found["actorrole"], found["actorroleclass"]) == ("service", "other", "system")
    amends.post(path, {"touchpoint": "counter", "by": {"role": "till", "role_class": "front"}})
    found = last_event(amends)
    assert (found["actorkind"], found["actorrole"], found["actorroleclass"]) == ("service", "till", "front")


def test_a_colleague_is_named_by_the_callers_id_and_kept_as_a_pseudonym(amends: Service):
    path = f"/v1/customers/{amends.customer()}/complete-encounter"
    amends.post(path, {"touchpoint": "counter", "by": {"colleague_id": "nikos@shop.example", "role": "barista"}})
    found = last_event(amends)
    assert found["actor"].startswith("u:")
    assert (found["actorkind"], found["actorrole"], found["actorroleclass"]) == ("colleague", "barista", "front")
    amends.post(path, {"touchpoint": "counter", "by": {"colleague_id": "nikos@shop.example"}})
    assert last_event(amends)["actor"] == found["actor"]
    assert "nikos" not in amends.http.get("/v1/events?personal=true").text


def test_naming_a_colleague_needs_the_scope_act_for(shared: Service):
    path = f"/v1/customers/{shared.customer()}/complete-encounter"
    said = {"touchpoint": "counter", "by": {"colleague_id": "nikos"}}
    answer = shared.http.post(path, json=said, headers=shared.key("append"))
    assert answer.status_code == 403
    assert answer.json()["scope"] == "act_for"


def test_the_customer_himself_may_have_acted(amends: Service):
    customer = amends.customer()
    amends.post(
        f"/v1/customers/{customer}/complete-encounter", {"touchpoint": "counter", "by": {"customer": True}}
    )
    found = last_event(amends)
    assert (found["actor"], found["actorkind"]) == (f"u:{customer}", "customer")


def test_the_customer_and_a_colleague_did_not_both_act(shared: Service):
    path = f"/v1/customers/{shared.customer()}/complete-encounter"
    for by in ({"customer": True, "role": "barista"}, {"customer": True, "colleague_id": "n"}, {"name": "n"}):
        found = shared.post(path, {"touchpoint": "counter", "by": by}, status=422)
        assert found["errors"][0]["pointer"].startswith("/by")


def test_what_happened_earlier_is_told_with_its_time(amends: Service):
    path = f"/v1/customers/{amends.customer()}/complete-encounter"
    said = {"touchpoint": "counter", "occurred_at": "2026-03-01T10:00:00+02:00", "time_known": False}
    amends.post(path, said)
    found = last_event(amends)
    assert found["time"] == "2026-03-01T08:00:00Z"
    assert found["timeknown"] is False
    assert found["recordedat"] == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"what": "late"}, "/description"),
        (LATE | {"severity": 6}, "/severity"),
        (LATE | {"severity": "2"}, "/severity"),
        (LATE | {"history": "yes"}, "/history"),
        (LATE | {"occurred_at": 1772442000}, "/occurred_at"),
        (LATE | {"occurred_at": "2026-03-02T09:00:00"}, "/occurred_at"),
        (LATE | {"customer": {"kind": "crm", "value": "1"}}, "/customer"),
        (LATE | {"customer_loss": {"money": {"amount": 12.5, "currency": "EUR"}}}, "/customer_loss/money/amount"),
        (
            LATE | {"customer_loss": {"money": {"amount": "12.505", "currency": "EUR"}}},
            "/customer_loss/money/amount",
        ),
        (LATE | {"description": ""}, "/description"),
    ],
)
def test_a_body_that_is_wrong_names_the_field(shared: Service, body: dict[str, Any], place: str):
    found = shared.post(f"/v1/customers/{shared.customer()}/report-failure", body, status=422)
    assert [one["pointer"] for one in found["errors"]] == [place]
    assert all(one["in"] == "body" and one["detail"] and one["code"] for one in found["errors"])


def test_a_form_is_not_json(shared: Service):
    path = f"/v1/customers/{shared.customer()}/report-failure"
    answer = shared.http.post(path, data={"what": "late"})
    assert answer.status_code == 415
    assert answer.json()["type"].endswith("/problems/media_type_unsupported")


def test_a_rule_that_says_no_answers_with_its_own_problem(amends: Service):
    customer = amends.customer()
    amends.post(f"/v1/customers/{customer}/report-failure", LATE)
    found = amends.post(f"/v1/customers/{customer}/resolve", {"how_code": "replaced"}, status=409)
    assert found["type"].endswith("/problems/nothing_done")
    assert "apology" in found["missing"]


def test_a_key_with_the_scope_import_tells_old_stories(amends: Service):
    path = f"/v1/customers/{amends.customer()}/report-failure"
    old = LATE | {"occurred_at": "2011-12-01T00:00:00Z"}
    assert amends.post(path, old, status=422)["type"].endswith("/problems/too_old")
    importer, told = amends.key("append", "import"), old | {"imported": True}
    assert amends.http.post(path, json=old, headers=importer).status_code == 422
    assert amends.post(path, told, status=403)["scope"] == "import"
    assert amends.http.post(path, json=told, headers=importer).status_code == 201


def test_a_key_that_may_import_still_starts_clocks_for_what_happens_now(amends: Service):
    importer = amends.key("append", "import")
    path = f"/v1/customers/{amends.customer()}/report-failure"
    told = amends.http.post(path, json=LATE, headers=importer).json()
    assert "deadline.set" in [receipt["topic"] for receipt in told["receipts"]]


def test_greek_words_survive(amends: Service):
    words = "Τα δαμάσκηνα ήταν σάπια — «συγγνώμη» δεν άκουσα. 🍑"
    customer = amends.customer("Μαρία Παπαδοπούλου")
    amends.post(f"/v1/customers/{customer}/report-failure", {"what": "late", "description": words})
    told = amends.get("/v1/events?personal=true")["data"]
    assert told[0]["data"]["references"] == [{"kind": "crm", "value": "Μαρία Παπαδοπούλου"}]
    assert told[1]["data"]["description"] == words


def test_a_command_that_is_nearly_right_is_answered_with_the_right_one(shared: Service):
    customer = shared.customer()
    answer = shared.http.post(f"/v1/customers/{customer}/apologize", json={})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no such command; did you mean apologise?"
    assert answer.json()["nearest"] == "apologise"
