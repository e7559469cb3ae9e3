"""Deadlines: whatever became of the database, every caller is answered in time."""

import asyncio
from pathlib import Path

from starlette.types import Message, Receive, Scope, Send

from api.deadline import Deadline
from infrastructure.engine import make_engine, writing
from tests.support.http import service

REPORT = {"what": "late", "description": "the parcel did not come"}


async def silent(_scope: Scope, receive: Receive, _send: Send) -> None:
    """An application that hears everything and never answers."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.Event().wait()


async def asked(method: str, *parts: bytes, falls_silent: bool = False) -> list[Message]:
    """What a caller hears who says this, and perhaps never ends, until he has heard a whole answer."""
    heard: list[Message] = []
    whole, left = asyncio.Event(), [*parts, b""]

    async def receive() -> Message:
        if falls_silent and len(left) == 1:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        heard.append(message)
        if message["type"] == "http.response.body":
            whole.set()

    scope = {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": []}
    app = Deadline(silent, seconds=0.1, base_url="http://127.0.0.1")
    answering = asyncio.create_task(app(scope, receive, send))
    await whole.wait()
    answering.cancel()
    await asyncio.wait([answering])
    return heard


def test_whoever_gets_no_answer_is_told_to_come_back():
    async def both() -> tuple[list[Message], list[Message]]:
        return await asyncio.gather(asked("GET"), asked("POST", b"{", b"}"))

    for heard, recorded in zip(asyncio.run(both()), (False, True), strict=True):
        assert [message["type"] for message in heard] == ["http.response.start", "http.response.body"]
        assert heard[0]["status"] == 503
        assert (b"retry-after", b"2") in heard[0]["headers"]
        assert (b'"recorded":"unknown"' in heard[1]["body"]) is recorded


def test_the_time_that_a_caller_takes_to_speak_is_his_own():
    async def cut_off() -> list[Message]:
        async with asyncio.timeout(2):
            return await asked("POST", b"{", falls_silent=True)

    try:
        asyncio.run(cut_off())
    except TimeoutError:
        return
    raise AssertionError("he was interrupted")


def test_a_write_that_another_process_holds_up_is_put_off_and_recorded_once(sqlite_database: str, tmp_path: Path):
    other = make_engine(sqlite_database)
    with service(sqlite_database, tmp_path, database_patience_seconds=1) as amends:
        path = f"/v1/customers/{amends.customer()}/report-failure"
        with writing(other):
            put_off = amends.post(path, REPORT, status=503, Idempotency_Key='"one"')
            waiting = amends.post(path, REPORT, status=503, Idempotency_Key='"two"')
        assert put_off["type"].endswith("/problems/unavailable")
        # The first one was taken and may come through yet; the second stood in line, and was taken out of it.
        assert (put_off["recorded"], waiting["recorded"]) == ("unknown", "no")
        first = amends.post(path, REPORT, Idempotency_Key='"one"')
        second = amends.post(path, REPORT, Idempotency_Key='"two"')
        assert first["receipts"][-1]["position"] + 1 == second["receipts"][0]["position"]
    other.dispose()
