"""Dignity over HTTP: who learns that a report names a colleague, who answers it, and what reports tell of few."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.app import document
from tests.support.http import Service, service

HIM = {"by": {"colleague_id": "m.vance", "role": "barista"}}
ANOTHER = {"by": {"colleague_id": "j.okafor", "role": "barista"}}
PATHS = document()["paths"]
WORDS = "I was alone with twelve people."
OPEN_DOCUMENTS = ("/openapi.json", "/asyncapi.json", "/v1/schemas", "/problems/")
"""They tell every word that can be chosen, and nothing of anybody."""
COUNTED = "/v1/reports/obstacles"
"""It counts poor treatment by kind."""
WITHOUT_PERSONNEL = [
    ("read",),
    ("read", "personal"),
    ("read", "personal", "audit", "admin", "append", "import", "act_for"),
]


@dataclass
class Hurt:
    """A customer to whom a colleague was condescending, and what is known of it."""

    amends: Service
    customer: str
    colleague: str
    """Under which the ledger knows him."""


@pytest.fixture(scope="module")
def hurt(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hurt]:
    """He is named, gives his side, and reports himself another time; nothing else of his is recorded here."""
    folder = tmp_path_factory.mktemp("dignity")
    (folder / "amends.db").write_bytes(sqlite_template.read_bytes())
    with service(f"sqlite:///{folder / 'amends.db'}", folder) as amends:
        customer = amends.customer()
        address = f"/v1/customers/{customer}"
        failure = {"what": "late", "description": "An hour.", "fault": "customer"}
        amends.post(f"{address}/report-failure", failure | ANOTHER)
        amends.post(f"{address}/deliver-remedy", {"remedy_kind": "expedite", "resolves": "full"} | ANOTHER)
        amends.post(f"{address}/apologise", {"said": "admits"} | ANOTHER)
        amends.post(f"{address}/resolve", ANOTHER)
        named = {"treatment": "condescension", "degree": 2, "by_colleague": "m.vance", "by_role_class": "front"}
        amends.post(f"{address}/report-treatment", named)
        amends.post(f"{address}/answer-treatment", {"note": WORDS} | HIM)
        amends.post(f"{address}/report-treatment", {"treatment": "condescension", "from": "self"} | HIM)
        amends.project()
        pseudonym = amends.container.keyring.pseudonym("colleague", "m.vance")
        yield Hurt(amends, customer, str(pseudonym))


def reads(hurt: Hurt) -> list[str]:
    """The address of everything that can be read, filled in for this customer and this colleague."""
    known = {"customer_id": hurt.customer, "colleague_id": "m.vance", "kind": "rule", "name": "shipped"}
    found = []
    for path, verbs in PATHS.items():
        if "get" in verbs and not path.startswith(OPEN_DOCUMENTS):
            given = [one["name"] for one in verbs["get"].get("parameters", ()) if one["in"] == "path"]
            found.append(path.format(**{name: known.get(name, hurt.customer) for name in given}))
    customer = f"/v1/customers/{hurt.customer}"
    more = [f"{customer}?at_version=9", f"{customer}/explain?at_version=9", f"{customer}/timeline?limit=500"]
    return [*found, *more, "/v1/events?limit=500", "/v1/feed?limit=500&after=0", "/v1/recoveries?limit=500"]


def traces(hurt: Hurt, address: str, answer: httpx2.Response) -> list[str]:
    """What this answer tells of the report, of the answer to it, or of him."""
    told = answer.text + str(answer.headers)
    wanted = [WORDS, "treatment.answered", "condescension"]
    # Whoever administers reads of each colleague; that he works here is no secret to them.
    wanted += [] if "m.vance" in address else ["m.vance", hurt.colleague, hurt.colleague.replace("-", "")]
    counted = {"condescension"} if address.startswith(COUNTED) else set()
    return [trace for trace in wanted if trace in told and trace not in counted]


@pytest.mark.parametrize("scopes", WITHOUT_PERSONNEL, ids=" ".join)
def test_s2_2_no_read_tells_anybody_else_of_a_report_that_names_a_colleague(hurt: Hurt, scopes: tuple[str, ...]):
    headers = hurt.amends.key(*scopes) | {"Amends-Colleague": "j.okafor"}
    addresses = reads(hurt)
    if "personal" in scopes:
        addresses.append("/v1/events?limit=500&personal=true")
    answers = {address: hurt.amends.http.get(address, headers=headers) for address in addresses}
    assert {address: found for address, one in answers.items() if (found := traces(hurt, address, one))} == {}
    assert sum(one.status_code == 200 for one in answers.values()) > 25


def test_the_walk_would_find_what_the_personnel_department_may_read(hurt: Hurt):
    seen = "/v1/events?limit=500&personal=true"
    answer = hurt.amends.http.get(seen, headers=hurt.amends.key("read", "personal", "personnel"))
    assert traces(hurt, seen, answer) == [WORDS, "treatment.answered", "condescension", hurt.colleague]


def test_s2_2_he_himself_is_told_in_private_with_what_he_said(hurt: Hurt):
    amends, address = hurt.amends, "/v1/colleagues/m.vance/feedback"
    his = amends.key("read", "act_for") | {"Amends-Colleague": "m.vance"}
    told = amends.http.get(address, headers=his).json()
    report, own = told["data"]
    assert (report["customer_id"], report["treatment"], report["degree"]) == (hurt.customer, "condescension", 2)
    assert (report["told_by"], report["after_resolution"], own["told_by"]) == ("customer", True, "self")
    assert [one["words"] for one in report["answers"]] == [WORDS]
    assert report["readable_until"] == "2026-08-29T12:00:00Z"
    assert told["next"] is None
    assert amends.http.get(address, headers=amends.key("read", "personnel")).json() == told
    assert amends.http.get(f"/v1/colleagues/{hurt.colleague}/feedback", headers=his).json() == told


def test_s2_2_peers_are_not_told(hurt: Hurt):
    amends, address = hurt.amends, "/v1/colleagues/m.vance/feedback"
    peer = {"Amends-Colleague": "j.okafor"}
    for headers in (
        amends.key("read"),
        amends.key("read", "personal", "admin", "audit"),
        amends.key("read", "act_for"),
        amends.key("read", "act_for") | peer,
        amends.key("read") | {"Amends-Colleague": "m.vance"},
    ):
        answer = amends.http.get(address, headers=headers)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "missing_scope")
    asking = amends.key("read", "act_for") | peer
    of_the_peer = amends.http.get("/v1/colleagues/j.okafor/feedback", headers=asking)
    assert of_the_peer.json()["data"] == []


def test_feedback_comes_in_pages(hurt: Hurt):
    headers = hurt.amends.key("read", "personnel")
    address = "/v1/colleagues/m.vance/feedback"
    first = hurt.amends.http.get(f"{address}?limit=1", headers=headers).json()
    second = hurt.amends.http.get(f"{address}?limit=1&after={first['next']}", headers=headers).json()
    assert [len(first["data"]), len(second["data"]), second["next"]] == [1, 1, None]
    assert first["data"][0]["position"] == first["next"] < second["data"][0]["position"]


def test_the_score_counts_it_without_saying_what_it_was_and_the_sum_adds_up(hurt: Hurt):
    address = f"/v1/customers/{hurt.customer}/explain"
    told = hurt.amends.http.get(address, headers=hurt.amends.key("read")).json()
    withheld = [one for one in told["terms"] if one["label"] == "withheld"]
    assert withheld
    assert {(one["event_id"], one["recovery_id"]) for one in withheld} == {(None, None)}
    assert told["start"] + sum(one["change"] for one in told["terms"]) == told["terms"][-1]["total"]
    assert told["score"] == hurt.amends.http.get(address.removesuffix("/explain")).json()["satisfaction"]["score"]


def test_s3_7_whose_fault_it_was_is_in_nothing_that_is_told_to_the_customer(hurt: Hurt):
    customer = f"/v1/customers/{hurt.customer}"
    told = [f"{customer}/{view}" for view in ("timeline", "explain", "reason-to-stay", "next-step", "brief")]
    answers = {address: hurt.amends.http.get(address) for address in (*told, "/v1/feed")}
    assert {one.status_code for one in answers.values()} == {200}
    assert [address for address, one in answers.items() if '"fault"' in one.text] == []
    assert '"fault":"customer"' in hurt.amends.http.get("/v1/events?limit=500").text


# Whose side it is.


def test_nobody_answers_for_the_colleague_whom_a_report_names(amends: Service):
    address = f"/v1/customers/{amends.customer()}"
    amends.post(f"{address}/report-failure", {"what": "late", "description": "An hour."})
    amends.post(f"{address}/report-treatment", {"treatment": "rude", "by_colleague": "m.vance"})
    for somebody in (ANOTHER, {}, {"by": {"customer": True}}):
        answer = amends.post(f"{address}/answer-treatment", {"note": "He was tired."} | somebody, status=403)
        assert answer["type"].endswith("/not_named")
    told = amends.post(f"{address}/answer-treatment", {"note": WORDS} | HIM)
    assert told["receipts"][0]["topic"] == "treatment.answered"
    batch = {"specversion": "1.0", "id": "1", "source": "urn:test", "type": "amends.treatment.answered.v1"}
    event = batch | {"subject": address.rpartition("/")[2], "data": {"note": "He was tired."} | ANOTHER}
    posted = amends.http.post("/v1/events", json=event, headers={"Content-Type": "application/cloudevents+json"})
    assert (posted.status_code, posted.json()["type"].rpartition("/")[2]) == (403, "not_named")


def test_i_21_whose_case_it_is_and_who_is_named_in_it_is_called_away_without_a_name(amends: Service):
    address = f"/v1/customers/{amends.customer()}"
    amends.post(f"{address}/report-failure", {"what": "late", "description": "An hour."} | ANOTHER)
    amends.post(f"{address}/assign", {"owner": "m.vance"} | ANOTHER)
    told = amends.post(f"{address}/report-treatment", {"treatment": "rude", "by_colleague": "m.vance"})
    assert [one["topic"] for one in told["receipts"]] == ["treatment.reported", "escalation.raised"]
    amends.project()
    assert amends.get(f"{address}/next-step")["step"] == "hand_over"
    [recovery] = amends.get("/v1/recoveries")["data"]
    assert recovery["flags"] == ["escalated"]
    [raised] = [one for one in amends.get("/v1/events?limit=500")["data"] if "escalation" in one["type"]]
    pseudonym = str(amends.container.keyring.pseudonym("colleague", "m.vance"))
    assert (raised["data"]["trigger"], pseudonym in json.dumps(raised)) == ("treatment", False)
    amends.post(f"{address}/hand-off", {"to": "j.okafor"} | HIM)
    assert amends.get(f"{address}/next-step")["step"] == "acknowledge_and_apologise"


def named_in_cases_of_m_vance(amends: Service, who: str) -> str:
    """One case for each degree, escalated already or not, in which this colleague is named; the last customer."""
    for degree, escalated in product((1, 2, 3), (False, True)):
        customer = amends.customer(f"C-{degree}-{escalated}")
        address = f"/v1/customers/{customer}"
        amends.post(f"{address}/report-failure", {"what": "late", "description": "An hour."} | ANOTHER)
        amends.post(f"{address}/assign", {"owner": "m.vance"} | ANOTHER)
        if escalated:
            amends.post(f"{address}/escalate", {"trigger": "legal"} | ANOTHER)
        amends.clock.forward(minutes=1)
        amends.post(f"{address}/report-treatment", {"treatment": "rude", "degree": degree, "by_colleague": who})
    amends.project()
    return customer


def without_ids(told: str) -> str:
    """What an answer says, every id and key replaced by when it came first, and every digest left out."""
    known: dict[str, str] = {}
    ids = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\bk:[\w-]{12}"
    told = re.sub(r"\b[0-9a-f]{64}\b", "digest", told)
    return re.sub(ids, lambda one: known.setdefault(one[0], f"id {len(known)}"), told)


def test_i_21_no_read_without_personnel_tells_whether_a_report_names_whose_case_it_is_or_another(
    sqlite_template: Path, tmp_path: Path
):
    told: dict[str, dict[str, str]] = {}
    for who in ("m.vance", "j.okafor"):
        folder = tmp_path / who
        folder.mkdir()
        (folder / "amends.db").write_bytes(sqlite_template.read_bytes())
        with service(f"sqlite:///{folder / 'amends.db'}", folder) as amends:
            customer = named_in_cases_of_m_vance(amends, who)
            assert amends.get(f"/v1/customers/{customer}/next-step")["step"] == "hand_over"
            key = amends.key("read", "personal", "admin")
            found = {one: amends.http.get(one, headers=key) for one in reads(Hurt(amends, customer, ""))}
            told[who] = {
                address.replace(customer, "customer"): without_ids(one.text)
                for address, one in found.items()
                # What is not under /v1 measures the process.
                if one.status_code == 200 and address.startswith("/v1/")
            }
    assert len(told["m.vance"]) > 25
    differ = [address for address, answer in told["m.vance"].items() if told["j.okafor"].get(address) != answer]
    assert differ == []


def test_after_180_days_he_and_everybody_else_are_told_nothing(database: str, tmp_path: Path):
    with service(database, tmp_path) as amends:
        address = f"/v1/customers/{amends.customer()}"
        amends.post(f"{address}/report-failure", {"what": "late", "description": "An hour."})
        amends.post(f"{address}/report-treatment", {"treatment": "rude", "by_colleague": "m.vance"})
        score = amends.get(f"{address}")["satisfaction"]["score"]
        assert len(amends.get("/v1/colleagues/m.vance/feedback")["data"]) == 1
        amends.clock.forward(days=180)
        amends.container.forgetter.run_once()
        assert amends.get("/v1/colleagues/m.vance/feedback")["data"] == []
        [report] = [one for one in _events(amends) if one["type"] == "amends.treatment.reported.v1"]
        assert (report["hidden"], "by_colleague" in report["data"]) == ("erased", False)
        explained = amends.get(f"{address}/explain")["terms"]
        treatments = [one["change"] for one in explained if one["label"] == "withheld"]
        assert score == 7000 + sum(
            one["change"] for one in explained if one["position"] <= int(report["sequence"])
        )
        assert treatments
        without = amends.http.get("/v1/events?limit=500", headers=amends.key("read")).json()["data"]
        assert not [one for one in without if "treatment" in one["type"] or "colleague_name" in one["type"]]


def test_the_program_sees_to_it_by_itself(amends: Service):
    address = f"/v1/customers/{amends.customer()}"
    amends.post(f"{address}/report-treatment", {"treatment": "rude", "by_colleague": "m.vance"})
    him = amends.container.keyring.pseudonym("colleague", "m.vance")
    ledger = amends.container.ledger
    seen = ledger.head()
    amends.clock.forward(days=180)
    amends.container.start_working()
    while ledger.about(him):
        assert ledger.wait(seen + 1, 30)
        seen = ledger.head()
    assert "colleague_name.erased" in [fact.event.TOPIC for fact in ledger.facts(0)]


def _events(amends: Service) -> list[dict[str, Any]]:
    return amends.get("/v1/events?limit=500&personal=true")["data"]


# Reports about few.


def staffed(amends: Service, many: int) -> list[str]:
    """So many mechanics of one workshop, each doing what reports count; their ids."""
    ids = []
    for n in range(many):
        by = {"by": {"colleague_id": f"m-{n}"}}
        post = {"role": "mechanic", "role_class": "back", "team": "workshop"}
        ids.append(amends.post(f"/v1/colleagues/m-{n}/join", post)["colleague_id"])
        amends.post(f"/v1/colleagues/m-{n}/complete-training", {"topic": "brakes"})
        amends.post(f"/v1/colleagues/m-{n}/ask-for-help", {"kind": "training", "topic": "hybrids"} | by)
        address = f"/v1/customers/{amends.customer(f'C-{n}')}"
        failure = {"what": "late", "description": "An hour.", "severity": 3}
        amends.post(f"{address}/report-failure", failure | by)
        amends.post(f"{address}/assign", {"owner": f"m-{n}", "team": "workshop"} | by)
        amends.post(f"{address}/report-obstacle", {"kind": "no_training", "topic": "hybrids"} | by)
        amends.post(f"{address}/grant-compensation", _voucher() | by)
        amends.post(f"{address}/deliver-remedy", {"remedy_kind": "expedite", "resolves": "full"} | by)
        amends.post(f"{address}/apologise", {"said": "admits"} | by)
        amends.post(f"{address}/make-gesture", {"kind": "surprise", "degree": 2} | by)
        amends.post(f"{address}/report-treatment", {"treatment": "rude", "by_colleague": f"m-{n}"})
    return ids


def _voucher() -> dict[str, Any]:
    return {"kind": "voucher", "basis": "statutory", "cost": {"amount": "5.00", "currency": "EUR"}}


def values(told: Any) -> Iterator[str]:
    """Every text in this report."""
    if isinstance(told, str):
        yield told
    for inner in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from values(inner)


@pytest.mark.parametrize(("many", "shown"), [(4, False), (5, True)])
def test_no_report_has_figures_of_fewer_than_five_colleagues_and_none_names_a_person(
    amends: Service, many: int, shown: bool
):
    ids = staffed(amends, many)
    amends.project()
    reports = [path for path in PATHS if path.startswith("/v1/reports/")]
    told = {path: amends.http.get(path).json() for path in reports}
    found = {path for path, body in told.items() if {"workshop", "mechanic", "back"} & set(values(body))}
    assert bool(found) is shown, found
    named = {path for path, body in told.items() if any(one in json.dumps(body) for one in ids)}
    assert named == set()
