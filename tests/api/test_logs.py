"""Log lines: one JSON object for each request, which leads to the ledger and betrays nobody."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from api.logs import nothing_but_logs, set_up_logs
from tests.support.http import Service

CANARIES = ("Maria Papadopoulou", "maria@mail.example", "+30 210 1234567", "GR1601101250000000012300695", "C-1042")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
NASTY = ["a\r\nb", "\x1b[31mred", "\u2028line", "\u2029", '"}{"x":"', "\x85", "\x00", "\x7f", "\u202egnol"]
SAID = {"what": "late", "description": "x"}
Lines = Callable[[], list[dict[str, Any]]]
MAY_SAY = {
    "event",
    "level",
    "timestamp",
    "request",
    "trace",
    "method",
    "route",
    "status",
    "ms",
    "ledger",
    "key",
} | {
    "position",
    "positions",
    "replayed",
    "problem",
    "problems",
}


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What the service wrote since it was asked last, set up as in production: each line must be a JSON object."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    set_up_logs("debug")
    # Else the loggers of our modules would keep writing like this in the tests that follow.
    structlog.configure(cache_logger_on_first_use=False)

    def written() -> list[dict[str, Any]]:
        told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert all(isinstance(one, dict) for one in told)
        return told

    yield written
    structlog.reset_defaults()
    root.handlers[:] = before


def requests(lines: Lines) -> list[dict[str, Any]]:
    return [one for one in lines() if one["event"] == "request"]


def test_every_request_is_one_line_without_path_query_or_personal_data(amends: Service, lines: Lines):
    name, mail, phone, iban, number = CANARIES
    customer = amends.customer(number)
    path = f"/v1/customers/{customer}"
    words = {"what": "late", "description": f"{name} {mail} {phone} {iban}"}
    amends.post(f"{path}/report-failure", words, Idempotency_Key=mail)
    amends.post(f"{path}/report-failure", {"what": name, "description": iban}, status=422)
    amends.post(f"{path}/report-failure", words | {phone: 1}, status=422)
    broken = b'{"x": "' + name.encode()
    amends.http.post(f"{path}/report-failure", content=broken, headers={"Content-Type": "application/json"})
    amends.http.get(f"/v1/customers/{mail}")
    amends.http.get(f"/{name}?q={phone}")
    amends.http.get("/v1/events", params={"after": mail, "personal": "true"})
    amends.http.post("/v1/events", content=name.encode(), headers={"Content-Type": iban, "ce-id": "x"})
    amends.http.get("/v1/events?personal=true", headers={"traceparent": name, "Request-Id": mail})
    amends.get(path)
    found = requests(lines)
    assert len(found) == 11
    for line in found:
        told = json.dumps(line, ensure_ascii=False)
        assert not [one for one in (*CANARIES, customer) if one in told]
        assert set(line) <= MAY_SAY


def test_the_line_of_a_write_leads_to_its_events(amends: Service, lines: Lines):
    customer = amends.customer()
    lines()
    answer = amends.http.post(
        f"/v1/customers/{customer}/report-failure", json=SAID, headers={"traceparent": TRACEPARENT}
    )
    [line] = requests(lines)
    assert line["route"] == "/v1/customers/{customer_id}/report-failure"
    assert (line["method"], line["status"], line["ledger"], line["level"]) == ("POST", 201, "main", "info")
    assert [one["position"] for one in answer.json()["receipts"]] == [2, 3, 4, 5]
    assert (line["positions"], line["position"]) == ("2-5", 5)
    assert (line["request"], line["trace"]) == (answer.headers["request-id"], TRACE)
    assert line["key"].isalnum()
    assert line["ms"] >= 0
    assert "problem" not in line


def test_the_line_of_a_refusal_says_which(amends: Service, lines: Lines):
    customer = amends.customer()
    lines()
    amends.post(f"/v1/customers/{customer}/report-failure", SAID, status=412, If_Match='"v9"')
    [line] = requests(lines)
    assert (line["status"], line["problem"]) == (412, "stale_version")
    assert "positions" not in line
    assert "trace" not in line


def test_the_line_of_a_batch_counts_what_was_refused(amends: Service, lines: Lines):
    customer = amends.customer()
    lines()
    good = {"specversion": "1.0", "source": "urn:test", "type": "amends.failure.reported.v1", "subject": customer}
    batch = [
        good | {"id": "1", "data": SAID},
        good | {"id": "1", "data": SAID},
        {},
        good | {"id": "2", "type": "x"},
    ]
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    assert amends.http.post("/v1/events", json=batch, headers=headers).status_code == 200
    [line] = requests(lines)
    assert (line["status"], line["positions"], line["replayed"]) == (200, "2-5", 1)
    assert line["problems"] == {"validation_failed": 1, "unknown_type": 1}


def test_what_goes_wrong_at_the_door_is_said_too(shared: Service, lines: Lines):
    shared.http.post("/v1/events", content=b"x", headers={"Content-Encoding": "gzip"})
    shared.http.get("/v1/events", headers={"Authorization": "Bearer nobody"})
    assert [one["problem"] for one in requests(lines)] == ["encoding_unsupported", "unauthorised"]


def test_a_fault_is_told_with_the_id_of_its_request_and_without_its_words(
    amends: Service, lines: Lines, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any) -> None:
        raise RuntimeError("Maria Papadopoulou\n+30 210")

    monkeypatch.setattr(amends.container.keyring, "pseudonym", broken)
    customer = amends.customer()
    lines()
    body = SAID | {"by": {"colleague_id": "c-1"}}
    answer = amends.http.post(f"/v1/customers/{customer}/report-failure", json=body)
    fault, line = lines()
    assert answer.status_code == 500
    assert (fault["event"], fault["fault"], fault["level"]) == ("fault", "RuntimeError", "error")
    assert fault["request"] == line["request"] == answer.headers["request-id"]
    assert line["problem"] == "fault"
    assert "Maria" not in json.dumps([fault, line])


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_a_caller_sends_breaks_a_line(shared: Service, lines: Lines, nasty: str):
    shared.http.get(f"/v1/customers/{quote(nasty)}")
    shared.http.get("/v1/events", params={"after": nasty})
    shared.http.post("/v1/events", json={"x": nasty})
    for name in (b"traceparent", b"request-id", b"idempotency-key", b"content-type", b"authorization"):
        raw = nasty.encode().replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
        shared.http.post("/v1/customers", json={}, headers=[(name, raw)])
    told = requests(lines)
    assert len(told) == 8
    assert not [line for line in told if nasty in json.dumps(line, ensure_ascii=False)]


@pytest.mark.parametrize("nasty", NASTY)
def test_whatever_stands_in_a_field_a_line_stays_one_line(
    lines: Lines, capfd: pytest.CaptureFixture[str], nasty: str
):
    structlog.get_logger().warning("told", field=nasty, **{nasty: nasty})
    written = capfd.readouterr().err
    assert written.endswith("\n")
    assert len(written.splitlines()) == 1
    assert written[:-1].isascii()
    assert written[:-1].isprintable()
    assert json.loads(written)["field"] == nasty


def test_a_field_that_json_does_not_know_is_shown_as_python_does(lines: Lines):
    structlog.get_logger().warning("told", field=range(3), huge=2**70)
    [line] = lines()
    assert (line["field"], line["huge"], line["level"]) == ("range(0, 3)", 2**70, "warning")


def test_the_words_of_a_library_stay_out_and_its_name_goes_on(lines: Lines):
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received: %s", "Maria\nPapadopoulou")
    [line] = lines()
    assert (line["event"], line["library"], line["level_name"]) == ("library_log", "uvicorn.error", "WARNING")
    assert "Maria" not in json.dumps(line)


def test_a_thread_that_ends_by_a_fault_is_one_line_without_its_words(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)

    def ends() -> None:
        raise ValueError("Maria\nPapadopoulou")

    nothing_but_logs()
    try:
        thread = threading.Thread(target=ends, name="writer-main")
        thread.start()
        thread.join()
    finally:
        logging.captureWarnings(capture=False)
    [line] = lines()
    assert (line["event"], line["thread"], line["fault"]) == ("thread_ended", "writer-main", "ValueError")
    assert "Maria" not in json.dumps(line)
