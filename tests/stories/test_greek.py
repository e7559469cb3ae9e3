"""A Greek customer with Greek words, and a Polish one: whatever way they go in, they come out as they were."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from domain.colleagues.state import ColleagueCommand
from domain.kinds import COMMANDS
from tests.support.commands import command_line
from tests.support.http import Service

JSON = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
WORDS = {
    "greek": "Η τούρτα έφτασε μία μέρα αργότερα — «συγγνώμη» δεν άκουσα· γιατί; Άι, ΐ, ΰ, ῆ 🍑",
    "polish": "Zażółć gęślą jaźń: „reklamacja” od trzech dni bez odpowiedzi, ŁÓDŹ.",
    # The same letters as other bytes: nobody may compose what a customer decomposed.
    "taken apart": "συγγνω\u0301μη, naprawe\u0328",
    "right to left": "שלום \u200fمرحبا\u200e \u2028 two lines",
}
WHO = {"greek": "Παπαδοπούλου-1042", "polish": "Wójcik-7", "taken apart": "Ἀθηνᾶ", "right to left": "שרה-3"}
REPORT = "amends.failure.reported.v1"


def report(words: str, customer: str | None = None, **more: Any) -> dict[str, Any]:
    """What is told of a cake that came late, every word of it in the customer's language."""
    told = {
        "what": "late",
        "description": words,
        "product": words,
        "customer_words": words,
        "desired_outcome": words,
        "report": words[:40],
        "order": words[:30],
    }
    return told | ({"customer": {"kind": "crm", "value": customer}} if customer else {}) | more


def event(data: dict[str, Any]) -> dict[str, Any]:
    event_id = f"Τούρτα: {data['customer']['value']}"
    return {"specversion": "1.0", "id": event_id, "source": "urn:test", "type": REPORT, "data": data}


def structured(house: Service, data: dict[str, Any]) -> dict[str, Any]:
    # Not escaped: as UTF-8, the way most libraries send it.
    body = json.dumps(event(data), ensure_ascii=False).encode()
    return house.http.post("/v1/events", content=body, headers=JSON).json()


def escaped(house: Service, data: dict[str, Any]) -> dict[str, Any]:
    return house.http.post("/v1/events", content=json.dumps(event(data)).encode(), headers=JSON).json()


def batch(house: Service, data: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps([event(data)], ensure_ascii=False).encode()
    [result] = house.http.post("/v1/events", content=body, headers=BATCH).json()["results"]
    return result


def binary(house: Service, data: dict[str, Any]) -> dict[str, Any]:
    headers = {f"ce-{name}": quote(value) for name, value in event(data).items() if name != "data"}
    body = json.dumps(data, ensure_ascii=False).encode()
    return house.http.post(
        "/v1/events", content=body, headers={"Content-Type": "application/json", **headers}
    ).json()


def direct(house: Service, data: dict[str, Any]) -> dict[str, Any]:
    customer = house.customer(data["customer"]["value"])
    rest = {name: value for name, value in data.items() if name != "customer"}
    return house.post(f"/v1/customers/{customer}/report-failure", rest)


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("post", [structured, escaped, binary, batch, direct])
def test_words_come_out_as_they_went_in(house: Service, post: Any, language: str):
    words, who = WORDS[language], f"{WHO[language]} {post.__name__}"
    after = house.container.ledger.head()
    found = post(house, report(words, who))
    assert "customer_id" in found, found

    told = house.get(f"/v1/events?personal=true&limit=500&after={after}")["data"]
    opened, reported = told[0]["data"], next(one for one in told if one["type"] == REPORT)["data"]
    assert opened["references"] == [{"kind": "crm", "value": who}]
    for name in ("description", "product", "customer_words", "desired_outcome"):
        assert reported[name] == words
    assert (reported["report"], reported["order"]) == (words[:40], words[:30])


def test_the_same_greek_event_id_is_the_same_event_in_every_mode(amends: Service):
    data = report(WORDS["greek"], WHO["greek"])
    first = structured(amends, data)
    for post in (escaped, binary, batch):
        assert post(amends, data)["receipts"] == first["receipts"]


def test_an_order_is_found_by_its_greek_number(amends: Service):
    customer = amends.customer(WHO["greek"])
    path = f"/v1/customers/{customer}"
    for number in ("Παραγγελία-15", "Παραγγελία-16"):
        amends.post(f"{path}/report-failure", report(WORDS["greek"]) | {"order": number})
    amends.post(f"{path}/apologise", {"said": "admits", "about": {"order": "Παραγγελία-16"}})
    assert sorted(one["phase"] for one in amends.get(path)["open_recoveries"]) == ["acknowledged", "reported"]
    found = amends.post(f"{path}/apologise", {"said": "admits", "about": {"order": "παραγγελία"}}, status=404)
    assert found["type"].endswith("/problems/unknown_ref")


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ("μαρία@παράδειγμα.ελ", "ΜΑΡΊΑ@ΠΑΡΆΔΕΙΓΜΑ.ΕΛ"),
        ("γιώργος@mail.example", "ΓΙΏΡΓΟΣ@mail.example"),
        ("μαρία@mail.example", "μαρι\u0301α@MAIL.example"),
        ("łukasz@poczta.example", " ŁUKASZ@Poczta.Example "),
        ("ﬁlip@mail.example", "FILIP@mail.example"),
    ],
)
def test_an_e_mail_address_is_found_whatever_its_case_and_however_its_accents_are_made(
    amends: Service, known: str, asked: str
):
    said = {"customer": {"kind": "email", "value": known}}
    first = amends.post("/v1/customers", said, status=201)
    again = amends.post("/v1/customers", {"customer": {"kind": "email", "value": asked}}, status=200)
    assert again["customer_id"] == first["customer_id"]
    # What is kept is what was said first, not what it is compared by.
    [opened] = amends.get("/v1/events?personal=true")["data"]
    assert opened["data"]["references"] == [{"kind": "email", "value": known}]


def test_another_accent_is_another_address_and_another_case_another_number(amends: Service):
    def known(kind: str, value: str) -> str:
        answer = amends.http.post("/v1/customers", json={"customer": {"kind": kind, "value": value}})
        return str(answer.json()["customer_id"])

    assert known("email", "μαρία@mail.example") != known("email", "μαρια@mail.example")
    assert known("crm", "Ω-1") != known("crm", "ω-1")
    # Two ways to write one accent are one number; the ohm sign is an omega.
    assert known("crm", "Μαρία-1") == known("crm", "Μαρι\u0301α-1")
    assert known("crm", "Ω-1") == known("crm", "\u2126-1")


def test_one_customer_is_known_by_several_references_at_once(amends: Service):
    references = [{"kind": "email", "value": "μαρία@mail.example"}, {"kind": "phone", "value": "+30 210 1234567"}]
    opened = amends.post("/v1/customers", {"customer": {"kind": "crm", "value": "Ω-1"}, "references": references})
    for one in references:
        assert amends.post("/v1/customers", {"customer": one}, status=200)["customer_id"] == opened["customer_id"]


def test_every_view_of_a_greek_customer_can_be_read(amends: Service):
    customer = amends.customer(WHO["greek"])
    path = f"/v1/customers/{customer}"
    amends.post(f"{path}/report-failure", report(WORDS["greek"], severity=3))
    amends.post(f"{path}/hear-concern", {"summary": WORDS["greek"], "compassion": "named_feeling"})
    amends.post(f"{path}/apologise", {"said": "admits", "feeling_named": True})
    amends.post(f"{path}/deliver-remedy", {"remedy_kind": "expedite", "resolves": "full"})
    amends.post(f"{path}/resolve", {})
    amends.post(f"{path}/state-satisfaction", {"instrument": "CSAT", "value": 5, "verbatim": WORDS["polish"]})
    for view in (path, f"{path}/explain", f"{path}/timeline", "/v1/recoveries", "/v1/feed", "/v1/events"):
        seen = json.dumps(amends.get(view), ensure_ascii=False)
        assert "τούρτα" not in seen
        assert "gęślą" not in seen
    told = amends.http.get("/v1/events?personal=true&limit=500")
    assert told.headers["content-type"] == "application/json"
    assert WORDS["greek"] in told.content.decode()
    assert WORDS["polish"] in told.content.decode()


def test_a_greek_customer_is_replayed_on_the_command_line_in_the_plainest_locale(
    amends: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    customer = amends.customer(WHO["greek"])
    amends.post(f"/v1/customers/{customer}/report-failure", report(WORDS["greek"]))
    amends.post(f"/v1/customers/{customer}/apologise", {"said": "admits", "feeling_named": True})
    settings = amends.container.settings
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    line = command_line(tmp_path, settings.database_url, key_file=str(settings.key_file))
    told = line.installed("replay", customer, "--json")
    assert (told.code, told.err) == (0, "")
    found = told.json
    now = amends.get(f"/v1/customers/{customer}")
    assert (found["version"], found["satisfaction"]["score"]) == (now["version"], now["satisfaction"]["score"])
    assert [one["type"] for one in found["timeline"]] == [one["type"] for one in amends.get("/v1/events")["data"]]
    assert "τούρτα" not in told.out


def test_every_command_that_takes_words_takes_greek_ones(amends: Service):
    takes_words = [path for path, kind in COMMANDS.items() if _words_of(kind)]
    assert len(takes_words) >= 15
    words = WORDS["greek"]
    for path in takes_words:
        customer = amends.customer(path)
        # Without what else it needs; what is complained about must never be the words.
        body = dict.fromkeys(_words_of(COMMANDS[path]), words)
        whom = "colleagues/m-7" if issubclass(COMMANDS[path], ColleagueCommand) else f"customers/{customer}"
        address = "/v1/customers" if path == "open" else f"/v1/{whom}/{path}"
        answer = amends.http.post(address, json=body)
        assert answer.status_code in (200, 201, 404, 409, 422), answer.text
        pointers = {one["pointer"].lstrip("/") for one in answer.json().get("errors", ())}
        assert not pointers & set(body)


def _words_of(kind: Any) -> list[str]:
    schema = kind.model_json_schema(by_alias=True)["properties"]
    return [name for name, one in schema.items() if 40_000 in _lengths(one)]


def _lengths(schema: dict[str, Any]) -> list[int]:
    return [one["maxLength"] for one in (schema, *schema.get("anyOf", ())) if "maxLength" in one]
