"""The client of the measurements: it takes answers as they come, and nothing that is refused counts as done."""

import socketserver
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.bench.client import Client, Job, client
from tests.bench.http import Load, Refused
from tests.support.processes import Serving

ASK = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"
BODY = b"x" * 100_000


class Answering(socketserver.StreamRequestHandler):
    """Answers in two pieces, at positions that count up; every fifth time that it is busy."""

    numbers = count(1)

    def handle(self) -> None:
        """Until the other side hangs up."""
        while self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            number = next(self.numbers)
            status = b"503 busy" if number % 5 == 0 else b"201 Created"
            head = b"HTTP/1.1 %s\r\ncontent-length: %d\r\namends-position: %d" % (status, len(BODY), number)
            self.wfile.write(head[:20])
            self.wfile.flush()
            self.wfile.write(head[20:] + b"\r\n\r\n" + BODY)


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Where it answers."""
    monkeypatch.setattr(Answering, "numbers", count(1))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ("127.0.0.1", server.server_address[1])
        server.shutdown()
        thread.join()


@pytest.fixture
def asking() -> Iterator[Client]:
    with client() as made:
        yield made


def test_every_request_has_its_answer_counted_by_status(asking: Client, address: tuple[str, int]):
    asking.prepare(Job([address], 4, [ASK] * 50))
    told = asking.go()
    assert told.statuses == {201: 40, 503: 10}
    assert told.cpu_seconds > 0


def test_fewer_requests_than_connections_are_sent_once_each(asking: Client, address: tuple[str, int]):
    asking.prepare(Job([address], 8, [ASK] * 3))
    assert asking.go().statuses == {201: 3}


def test_requests_that_are_due_are_timed_from_then_and_keep_their_position(
    asking: Client, address: tuple[str, int]
):
    asking.prepare(Job([address], 4, [ASK] * 20, per_second=400.0))
    answers = sorted(asking.go().answers)
    assert sorted(position for _, _, position in answers) == list(range(1, 21))
    assert all(due < heard for due, heard, _ in answers)
    assert answers[-1][0] - answers[0][0] == pytest.approx(19 / 400)


def test_a_refusal_is_no_figure(asking: Client, address: tuple[str, int]):
    refused = Load(asking).contender("ours", lambda number: Job([address], 4, [ASK] * 50), 201)
    with pytest.raises(Refused, match=r"ours: .*503"):
        refused(0)()


def test_a_server_that_logs_less_than_it_was_sent_gives_no_figure(
    asking: Client, address: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.bench.http.LOGGED_WITHIN_SECONDS", 0)
    server, load = Serving({}, tmp_path, url=f"http://127.0.0.1:{address[1]}"), Load(asking)
    assert load.contender("ours", lambda number: Job([address], 2, [ASK] * 2), 201)(0)() == 2
    server.log.write_text('{"event":"request","method":"POST"}\n{"event":"request","method":"GET"}\n{"event":"re')
    with pytest.raises(Refused, match="1 of 2 posts are in the log"):
        load.refuse_unlogged(server)
    with server.log.open("a") as log:
        log.write('quest","method":"POST"}\n')
    load.refuse_unlogged(server)
