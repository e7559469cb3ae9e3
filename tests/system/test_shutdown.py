"""A server that is told to stop ends soon and well, whoever still talks to it, and keeps what it confirmed."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from tests.support.attempts import answers_of, attempt, refusals, sent_again, slugs
from tests.support.faults import proxied, tuned
from tests.support.inspection import inspect
from tests.support.load import Load, Plan, customers_of
from tests.support.processes import PATIENCE_SECONDS, House, Serving, eventually
from tests.support.soak import sqlite_in_soak

SEED: Final = 20_260_705
CLIENTS: Final = 16
CUSTOMERS: Final = 20
SOON_SECONDS: Final = 5
"""Also with a database that does not answer: what hangs is let go of after the grace, whatever it waits for."""
UNFINISHED: Final = (
    "POST /v1/events HTTP/1.1\r\nHost: amends\r\nAuthorization: Bearer {}\r\n"
    "Content-Type: application/cloudevents+json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n{{"
)
"""By asking whether he may go on he learns when the server waits for the rest: from then on he keeps it."""
KEPT_ALIVE: Final = b"GET /healthz HTTP/1.1\r\nHost: amends\r\n\r\n"


@contextmanager
def connected(server: Serving, said: bytes) -> Iterator[socket.socket]:
    """A caller of the server who has said this much."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS) as caller:
        caller.sendall(said)
        yield caller


def heard(caller: socket.socket) -> bytes:
    """Everything that comes until the other side hangs up."""
    parts = []
    try:
        while part := caller.recv(4096):
            parts.append(part)
    except ConnectionError:
        return b"".join(parts)
    return b"".join(parts)


@sqlite_in_soak
def test_a_server_told_to_stop_under_load_finishes_what_it_took_and_ends_well(any_house: House) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with any_house.serving() as server, Load([server], CLIENTS) as load:
        answers = sent_again(server, plan.openings(), CLIENTS)
        load.start(plan.moves(customers_of(answers), 400))
        load.wait_for(100)
        assert server.stop(SOON_SECONDS) == 0
        assert load.working
        server.start()
        answers += load.finish()
        inspect(any_house, [server], answers)


def test_a_caller_who_never_finishes_and_one_who_never_leaves_do_not_keep_a_server_from_ending(
    sqlite_house: House,
) -> None:
    with (
        sqlite_house.serving() as server,
        connected(server, KEPT_ALIVE) as idle,
        connected(server, UNFINISHED.format(sqlite_house.bearer).encode()) as slow,
    ):
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        assert slow.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert server.stop(SOON_SECONDS) == 0
        assert heard(idle) in (b"", b'{"status":"ok"}')
        # He had not said all by the end of the grace.
        said = heard(slow)
        assert said.startswith(b"HTTP/1.1 503")


def test_a_server_whose_database_does_not_answer_ends_all_the_same(postgres_house: House) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with (
        proxied(postgres_house.database) as proxy,
        tuned(postgres_house, proxy.url).serving() as server,
        ThreadPoolExecutor(1) as clients,
    ):
        answers = sent_again(server, plan.openings(), CLIENTS)
        moves = plan.moves(customers_of(answers), CLIENTS)
        proxy.freeze()
        asking = clients.submit(attempt, server, moves, CLIENTS)
        eventually(lambda: proxy.held_back >= 2, "the server waits for its database")
        assert asking.running()
        assert server.stop(SOON_SECONDS) == 0
        attempts = asking.result()
        assert not any(one.answered for one in attempts)
        assert slugs(refusals(attempts)) <= {"unavailable", "busy"}

        proxy.thaw()
        server.start()
        again = sent_again(server, moves, CLIENTS)
        inspect(postgres_house, [server], answers + answers_of(attempts) + again)
