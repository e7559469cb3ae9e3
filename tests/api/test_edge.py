"""The edge: limits at the door, safety headers, and log lines that betray nobody."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog
from starlette.types import Message

from api.limits import BodyLimit
from tests.support.http import Service

CANARIES = ("Maria Papadopoulou", "maria@mail.example", "+30 210 1234567", "GR1601101250000000012300695", "C-1042")
LIMIT = 1024
EVENT = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """What was logged, as the service writes it: one line of JSON each; filled when the test asks."""
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.JSONRenderer()], cache_logger_on_first_use=False)
    yield capsys
    structlog.configure(**before)


def logged(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line]


def test_every_request_is_one_line_without_path_query_or_personal_data(amends: Service, lines):
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
    amends.http.get("/v1/events?personal=true")
    amends.get(path)
    found = logged(lines)
    assert len(found) >= 10
    for line in found:
        record = json.loads(line)
        plain = json.dumps(record, ensure_ascii=False)
        assert not [one for one in (*CANARIES, customer) if one in line or one in plain]
        assert set(record) <= {"event", "method", "route", "status", "ms", "ledger", "key", "position"}


def test_a_log_line_names_the_route_and_the_command(amends: Service, lines):
    customer = amends.customer()
    logged(lines)
    amends.post(f"/v1/customers/{customer}/report-failure", {"what": "late", "description": "x"})
    [line] = logged(lines)
    record = json.loads(line)
    assert record["route"] == "/v1/customers/{customer_id}/report-failure"
    assert (record["method"], record["status"], record["ledger"]) == ("POST", 201, "main")
    assert record["position"] == "5"
    assert record["key"].isalnum()


@pytest.mark.parametrize("nasty", ["a\r\nb", "\x1b[31mred", "\u2028line", '"}{"x":"', "\x85"])
def test_nothing_a_caller_sends_breaks_a_line(amends: Service, lines, nasty: str):
    amends.http.get(f"/v1/customers/{quote(nasty)}")
    amends.http.get("/v1/events", params={"after": nasty})
    amends.http.post("/v1/events", json={"x": nasty})
    for line in logged(lines):
        json.loads(line)
        assert nasty not in line


@pytest.mark.parametrize("path", ["/healthz", "/v1/events", "/nope", "/openapi.json", "/", "/problems/fault"])
def test_every_answer_carries_the_safety_headers(shared: Service, path: str):
    answer = shared.http.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"]


def test_a_body_over_the_limit_is_refused_by_its_announced_length(amends: Service):
    body = b'{"x": "' + b"a" * 2 * 1024 * 1024 + b'"}'
    answer = amends.http.post("/v1/events", content=body, headers=EVENT)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/problems/body_too_large")
    assert answer.json()["limit"] == 1024 * 1024


def test_a_body_without_an_announced_length_is_read_no_further_than_the_limit(amends: Service):
    taken = []

    def chunks() -> Iterator[bytes]:
        for n in range(1000):
            taken.append(n)
            yield b"a" * 65536

    answer = amends.http.post("/v1/events", content=chunks(), headers=EVENT)
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("/problems/body_too_large")


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "gzip, gzip", "deflate"])
def test_an_encoded_body_is_refused(shared: Service, encoding: str):
    answer = shared.http.post("/v1/events", content=b"x", headers={"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert answer.json()["type"].endswith("/problems/encoding_unsupported")


def test_thousands_of_parameters_are_no_fault(shared: Service):
    answer = shared.http.get("/v1/events?" + "&".join(f"a{n}" for n in range(5_000)))
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 50
    assert answer.json()["errors_omitted"] == 4_950
    assert shared.http.get("/v1/events?" + "limit=2&" * 5_000).status_code == 200


async def _answered(headers: list[tuple[bytes, bytes]], chunks: list[bytes]) -> tuple[int, int]:
    """The status, and how many chunks were taken, of an application that reads its whole body."""
    sent: list[Message] = []
    given = iter(chunks)
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": next(given), "more_body": taken < len(chunks)}

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope, receive, send) -> None:
        more = True
        while more:
            more = (await receive())["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    await BodyLimit(app, limit=LIMIT, base_url="")(scope, receive, send)
    return sent[0]["status"], taken


@pytest.mark.parametrize("length", [b"1025", b"9" * 5000])
def test_nothing_is_read_of_what_announces_itself_as_too_large(length: bytes):
    assert asyncio.run(_answered([(b"content-length", length)], [b"x"])) == (413, 0)


def test_a_body_of_exactly_the_limit_is_taken():
    assert asyncio.run(_answered([(b"content-length", b"1024")], [b"x" * 512, b"x" * 512])) == (200, 2)
