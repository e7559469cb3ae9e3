"""The edge: limits at the door, and safety headers."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message

from api.limits import BodyLimit
from tests.support.http import Service

LIMIT = 1024
EVENT = {"Content-Type": "application/cloudevents+json"}


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
