"""What was posted is read like any other request, only faster."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from api.posted import Posted

HEADERS = [
    (b"if-match", b'"v8"'),
    (b"accept", b"*/*"),
    (b"if-match", b'"v9"'),
    (b"x-name", "Zoë".encode("latin-1")),
]


def posted(messages: Sequence[Message] = ()) -> Posted:
    """A request whose body comes in these messages."""
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    return Posted({"type": "http", "headers": HEADERS}, receive)


def test_a_body_that_comes_in_parts_is_read_whole() -> None:
    request = posted(
        [
            {"type": "http.request", "body": b'{"kind": ', "more_body": True},
            {"type": "http.request", "body": b'"progress"}', "more_body": True},
            {"type": "http.request"},
        ]
    )

    assert asyncio.run(request.body()) == b'{"kind": "progress"}'


def test_a_sender_who_hangs_up_has_posted_nothing() -> None:
    request = posted(
        [{"type": "http.request", "body": b'{"kind": ', "more_body": True}, {"type": "http.disconnect"}]
    )

    with pytest.raises(ClientDisconnect):
        asyncio.run(request.body())


@pytest.mark.parametrize("name", ["if-match", "If-Match", "x-name", "accept", "authorization"])
def test_headers_say_what_they_say_elsewhere(name: str) -> None:
    elsewhere = Request({"type": "http", "headers": HEADERS}).headers

    headers = posted().headers

    assert headers.get(name) == elsewhere.get(name)
    assert (name in headers) == (name in elsewhere)


def test_a_header_that_is_not_there_is_missed() -> None:
    with pytest.raises(KeyError):
        posted().headers["authorization"]
