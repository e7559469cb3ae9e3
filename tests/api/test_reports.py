"""Reports over HTTP: what the whole of it tells the house."""

from pathlib import Path
from typing import Any

import pytest

from api.app import document
from tests.support.http import Service, service

REPORTS = sorted(path for path in document()["paths"] if path.startswith("/v1/reports/"))


def failed(amends: Service, number: str, **more: Any) -> str:
    """The address of a customer for whom something failed."""
    address = f"/v1/customers/{amends.customer(number)}"
    amends.post(f"{address}/report-failure", {"what": "late", "description": "The parcel is late."} | more)
    return address


def test_the_reports_of_what_stands_in_the_way_are_there():
    names = {path.rpartition("/")[2] for path in REPORTS}
    assert {"obstacles", "policy-friction", "root-causes", "process-load", "told-first", "deadlines"} <= names


@pytest.mark.parametrize("path", REPORTS)
def test_every_report_says_of_when_and_how_many_it_is(shared: Service, path: str):
    body = shared.get(f"{path}?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z&as_of=2026-03-01T00:00:00Z")
    assert body["since"] == "2026-01-01T00:00:00Z"
    assert body["until"] == "2026-02-01T00:00:00Z"
    assert body["as_of"] == "2026-03-01T00:00:00Z"
    assert body["n"] == 0


@pytest.mark.parametrize("path", REPORTS)
def test_without_a_period_a_report_is_of_everything_as_it_stands_now(shared: Service, path: str):
    body = shared.get(path)
    assert (body["since"], body["until"]) == (None, None)
    assert body["as_of"] == shared.clock.now.isoformat().replace("+00:00", "Z")


def test_every_report_is_answered_on_both_databases(database: str, tmp_path: Path):
    with service(database, tmp_path) as amends:
        customer = failed(amends, "C-1", severity=4)
        amends.post(f"{customer}/declare-value", {"amount": {"amount": "15.00", "currency": "EUR"}, "per": "day"})
        amends.post(f"{customer}/make-gesture", {"kind": "surprise"})
        amends.project()
        answered = {path: amends.http.get(path).status_code for path in REPORTS}
    assert answered == dict.fromkeys(REPORTS, 200)


@pytest.mark.parametrize("path", REPORTS)
def test_a_report_needs_the_scope_read(shared: Service, path: str):
    assert shared.http.get(path, headers=shared.key("append")).json()["type"].endswith("/missing_scope")


@pytest.mark.parametrize("path", REPORTS)
@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("since=yesterday", "/since"),
        ("until=2026-02-01", "/until"),
        ("as_of=2026-02-01T00:00:00", "/as_of"),
        ("since=2026-02-01T00:00:00Z&until=2026-02-01T00:00:00Z", "/until"),
        ("untill=2026-02-01T00:00:00Z", "/untill"),
    ],
)
def test_a_period_that_cannot_be_meant_is_a_problem_that_names_it(
    shared: Service, path: str, query: str, place: str
):
    answer = shared.http.get(f"{path}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [one["pointer"] for one in answer.json()["errors"]] == [place]


@pytest.mark.parametrize("path", REPORTS)
def test_a_report_waits_for_what_was_just_recorded(shared: Service, path: str):
    shared.customer(f"fresh for {path}")
    head = shared.container.ledger.head()
    behind = shared.http.get(f"{path}?min_position={head}", headers={"Prefer": "wait=0"})
    assert (behind.status_code, behind.json()["type"].rpartition("/")[2]) == (503, "projection_behind")
    shared.project()
    assert int(shared.http.get(path).headers["Amends-Position"]) > 0


def test_s1_2_the_courier_s_rule_is_in_the_report_of_friction_and_its_minutes_are_in_the_pareto(amends: Service):
    address = failed(amends, "C-1", detection="predicted")
    block = {
        "kind": "policy_block",
        "rule_id": "courier.reschedule-before-first-attempt",
        "wanted_action": "deliver on Thursday",
        "hardness": "system",
        "minutes_lost": 25,
    }
    amends.post(f"{address}/report-obstacle", block)
    [rule] = amends.get("/v1/reports/policy-friction")["rules"]
    assert (rule["rule_id"], rule["blocks"], rule["minutes"]) == (block["rule_id"], 1, 25)
    assert (rule["hardness"], rule["still_open"]) == ("system", 1)
    [bar] = amends.get("/v1/reports/obstacles")["kind"]
    assert (bar["key"], bar["n"], bar["minutes"], bar["cumulative"]) == ("policy_block", 1, 25, 1.0)


def test_s1_1_an_individual_cause_without_evidence_is_refused_and_the_ratio_is_told(amends: Service):
    address = failed(amends, "C-1")
    refused = amends.post(f"{address}/attribute-cause", {"cause_class": "slip"}, status=422)
    assert refused["type"].endswith("/individual_needs_context")
    amends.post(f"{address}/attribute-cause", {"cause_class": "organisation_process"})
    body = amends.get("/v1/reports/root-causes")
    assert [body[group]["hits"] for group in ("systemic", "individual", "other")] == [1, 0, 0]
    assert body["systemic"] == {"hits": 1, "n": 1, "share": 1.0, "low": 0.2065, "high": 1.0}


def test_s1_6_of_an_incident_the_rate_told_first_is_computed(amends: Service):
    incident = "0192e4a0-0000-7000-8000-0000000000aa"
    proactive = {"kind": "proactive", "two_way": True, "human": False}
    for nth in range(10):
        address = failed(
            amends, f"C-{nth}", what="not_available", detection="system_detected", incident_id=incident
        )
        if nth < 9:
            amends.post(f"{address}/update-customer", proactive)
    body = amends.get("/v1/reports/told-first")
    assert (body["told_first"]["hits"], body["n"], body["not_yet"]) == (9, 10, 1)
    steps = {one["step"]: one for one in amends.get("/v1/reports/deadlines")["steps"] if one["severity"] is None}
    assert (steps["acknowledge"]["met"], steps["acknowledge"]["told_first"]) == (9, 9)


def test_s2_9_poor_treatment_is_told_by_kind_and_never_by_whom(amends: Service):
    address = failed(amends, "C-1")
    for treatment in ("last_word", "blaming"):
        amends.post(f"{address}/report-treatment", {"treatment": treatment, "by_colleague": "giannis"})
    body = amends.get("/v1/reports/obstacles")
    assert [bar["key"] for bar in body["treatments"]] == ["blaming", "last_word"]
    assert "colleague" not in str(body)


def test_s2_16_an_instant_remedy_asks_nothing(amends: Service):
    remedy = {
        "failure": {"what": "wrong_or_broken", "description": "The disc does not play."},
        "apology": {"said": "admits"},
        "remedy": {"remedy_kind": "replacement", "resolves": "full"},
    }
    amends.post(f"/v1/customers/{amends.customer('C-1')}/instant-remedy", remedy)
    asked = failed(amends, "C-2")
    amends.post(f"{asked}/request-information", {"questions": 20})
    body = amends.get("/v1/reports/process-load")
    assert body["questions_before_remedy_at_once"] == {"n": 1, "median": 0, "p90": 0, "counts": {"0": 1}}
    assert body["questions_before_remedy"]["counts"] == {"0": 1, "20": 1}


def test_the_process_load_of_one_recovery_can_be_asked_for_alone(amends: Service):
    address = f"/v1/customers/{amends.customer('C-1')}"
    told = amends.post(f"{address}/report-failure", {"what": "late", "description": "The parcel is late."})
    amends.post(f"{address}/contact-again", {"channel": "phone"})
    failed(amends, "C-2")
    recovery_id = told["ids"]["recovery_id"]
    body = amends.get(f"/v1/reports/process-load?recovery_id={recovery_id}")
    assert (body["n"], body["index"]["counts"]) == (1, {"1": 1})


def test_s4_17_the_time_to_the_first_action_is_told_with_median_and_tail(amends: Service):
    address = failed(amends, "C-1", severity=3)
    amends.clock.forward(minutes=60)
    amends.post(f"{address}/deliver-remedy", {"remedy_kind": "expedite"})
    steps = amends.get("/v1/reports/deadlines")["steps"]
    [first] = [one for one in steps if (one["step"], one["severity"]) == ("first_action", 3)]
    assert first["minutes"] == {"n": 1, "median": 60, "p90": 60}
    assert first["percent_of_allowed"]["p90"] == 25


def test_s1_23_readiness_goes_by_the_playbooks_that_were_published_when_failures_came(amends: Service):
    failed(amends, "C-1", what="other", touchpoint="kitchen")
    amends.clock.forward(minutes=1)
    book = {"match": {"touchpoint": "kitchen"}, "steps": ["Cook it again."]}
    amends.post("/v1/standards", {"kind": "playbook", "name": "kitchen", "body": book})
    amends.clock.forward(minutes=1)
    failed(amends, "C-2", what="other", touchpoint="kitchen")
    body = amends.get("/v1/reports/playbooks")
    assert body["readiness"] == {"hits": 1, "n": 2, "share": 0.5, "low": 0.0945, "high": 0.9055}
    told = [(one["name"], one["version"], one["n"]) for one in body["playbooks"]]
    assert told == [("fallback", 1, 1), ("kitchen", 1, 1)]


def test_s1_7_what_a_manager_was_asked_for_is_not_decided_at_the_front_line(amends: Service):
    for n, amount in enumerate(("20.00", "20.00", "90.00")):
        cost = {"amount": amount, "currency": "EUR"}
        by = {"colleague_id": "anna", "role": "waiter", "role_class": "front"}
        grant = {"kind": "voucher", "cost": cost, "by": by}
        amends.post(f"{failed(amends, f'C-{n}')}/grant-compensation", grant, status=202 if n == 2 else 201)
    body = amends.get("/v1/reports/authority-latency")
    assert (body["decided_at_front_line"]["hits"], body["n"], body["voices"]) == (2, 3, {"1": 2, "2": 1})
