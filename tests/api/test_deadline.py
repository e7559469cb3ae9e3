"""Deadlines: whatever became of the database, every caller is answered in time."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deadline import Deadline, untimed
from infrastructure.engine import make_engine, writing
from tests.support.http import service
from tests.support.leaping import leaping

REPORT = {"what": "late", "description": "the parcel did not come"}
PROMISED = 9.5
"""Seconds after which a database of eight seconds' patience is given up."""
A_HAIR = 0.1


def busy_for(seconds: float) -> ASGIApp:
    """An application that works so long, hears everything, and never answers."""

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        await asyncio.sleep(seconds)  # of a clock that leaps
        while (await receive()).get("more_body"):
            pass
        await asyncio.Event().wait()

    return app


class Part(NamedTuple):
    """A part of a body, and how long its sender takes for it."""

    body: bytes
    takes_seconds: float = 0.0


class Heard(NamedTuple):
    """An answer, and when it came."""

    messages: list[Message]
    at: float


async def asked(app: ASGIApp, method: str, *parts: Part) -> Heard:
    """What somebody hears who says this. Fails when it takes ten minutes."""
    heard: list[Message] = []
    whole, left, loop = asyncio.Event(), list(parts), asyncio.get_running_loop()

    async def receive() -> Message:
        part = left.pop(0)
        if part.takes_seconds:
            await asyncio.sleep(part.takes_seconds)
        return {"type": "http.request", "body": part.body, "more_body": bool(left)}

    async def send(message: Message) -> None:
        heard.append(message)
        if message["type"] == "http.response.body":
            whole.set()

    scope = {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": []}
    answering = asyncio.create_task(Deadline(app, seconds=8, base_url="http://127.0.0.1")(scope, receive, send))
    try:
        async with asyncio.timeout(600):
            await whole.wait()
    finally:
        at = loop.time()
        answering.cancel()
        await asyncio.wait([answering])
    return Heard(heard, at)


@pytest.mark.parametrize(("method", "recorded"), [("GET", False), ("POST", True)])
def test_whoever_gets_no_answer_is_told_to_come_back(method: str, recorded: bool):
    heard = leaping(asked(busy_for(0), method, Part(b"{"), Part(b"}"))).messages

    assert [message["type"] for message in heard] == ["http.response.start", "http.response.body"]
    assert heard[0]["status"] == 503
    assert (b"retry-after", b"2") in heard[0]["headers"]
    assert (b'"recorded":"unknown"' in heard[1]["body"]) is recorded


@pytest.mark.parametrize("before_it_listens", [0, 3, 7.9, 9.4])
def test_time_spent_before_the_body_is_read_counts(before_it_listens: float):
    heard = leaping(asked(busy_for(before_it_listens), "POST", Part(b"{"), Part(b"}")))

    assert heard.at == pytest.approx(PROMISED, abs=A_HAIR)


@pytest.mark.parametrize("before_it_listens", [0, 3, 9.45])
@pytest.mark.parametrize("taken", [0.2, 5, 100])
def test_the_time_that_a_caller_takes_to_speak_is_his_own(before_it_listens: float, taken: float):
    heard = leaping(asked(busy_for(before_it_listens), "POST", Part(b"{"), Part(b"}", taken)))

    assert heard.at == pytest.approx(PROMISED + taken, abs=A_HAIR)


def test_a_timer_that_rings_too_early_makes_nobody_wait_longer():
    heard = leaping(asked(busy_for(0), "POST", Part(b"{}")), early_seconds=0.001)

    assert heard.at == pytest.approx(PROMISED, abs=A_HAIR)


def test_looking_whether_the_caller_is_still_there_stops_no_clock():
    async def looks(scope: Scope, receive: Receive, _send: Send) -> None:
        assert not await Request(scope, receive).is_disconnected()
        await asyncio.Event().wait()

    heard = leaping(asked(looks, "POST", Part(b"{}", takes_seconds=60)))

    assert heard.at == pytest.approx(PROMISED, abs=A_HAIR)


def test_work_that_ends_by_itself_takes_nobodys_time_and_whatever_follows_does():
    async def works(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(3)
        with untimed():
            await asyncio.sleep(100)
        await asyncio.Event().wait()

    assert leaping(asked(works, "GET")).at == pytest.approx(PROMISED + 100, abs=A_HAIR)


def test_a_write_that_another_process_holds_up_is_put_off_and_recorded_once(sqlite_database: str, tmp_path: Path):
    other = make_engine(sqlite_database)
    with (
        service(sqlite_database, tmp_path) as patient,
        service(sqlite_database, tmp_path, database_patience_seconds=1) as amends,
    ):
        path = f"/v1/customers/{patient.customer()}/report-failure"
        with writing(other):
            put_off = amends.post(path, REPORT, status=503, Idempotency_Key='"one"')
            waiting = amends.post(path, REPORT, status=503, Idempotency_Key='"two"')
        assert put_off["type"].endswith("/problems/unavailable")
        # The first one was taken and may come through yet; the second stood in line, and was taken out of it.
        assert (put_off["recorded"], waiting["recorded"]) == ("unknown", "no")
        first = patient.post(path, REPORT, Idempotency_Key='"one"')
        second = patient.post(path, REPORT, Idempotency_Key='"two"')
        assert first["receipts"][-1]["position"] + 1 == second["receipts"][0]["position"]
    other.dispose()
