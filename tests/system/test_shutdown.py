"""A server that is told to stop ends soon and well, whoever still talks to it, and keeps what it confirmed.

So does a worker, whatever it is at, and leaves its work to the next one.
"""

import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select, text, update

from infrastructure.engine import make_engine, writing
from infrastructure.tables import EPOCH, generations, heads, leases, tracking
from tests.support.attempts import answers_of, attempt, refusals, sent_again, slugs
from tests.support.faults import proxied, tuned
from tests.support.inspection import inspect, reading
from tests.support.load import Load, Plan, Post, customers_of
from tests.support.processes import PATIENCE_SECONDS, House, Serving, Working, eventually
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


def endless(plan: Plan, known: Mapping[int, str]) -> Iterator[Post]:
    """More moves than anybody posts while a worker stops."""
    while True:
        yield from plan.moves(known, 100)


def rights(conn: Connection) -> list[str]:
    """The work that somebody has the right to do."""
    conn.rollback()
    return list(conn.scalars(select(leases.c.name)))


def gives_back(worker: Working, conn: Connection) -> bool:
    """Tells the worker to stop. It ends soon and well; whether what it had a right to do is free for others."""
    assert worker.stop(SOON_SECONDS) == 0
    return rights(conn) == []


def let_them_run_out(house: House) -> None:
    """The time passes in which whoever has a right could still be alive."""
    engine = make_engine(house.database)
    with writing(engine) as conn:
        conn.execute(update(leases).values(expires_at=EPOCH))
    engine.dispose()


def made_old(house: House, name: str) -> None:
    """The rows of this read model become those of an older program, as after an upgrade."""
    engine = make_engine(house.database)
    with writing(engine) as conn:
        older = update(generations).where(generations.c.name == name)
        conn.execute(older.values(version=generations.c.version - 1))
    engine.dispose()


def folded(conn: Connection) -> int:
    """How far the read models that are furthest have come."""
    conn.rollback()
    return conn.scalar(select(func.max(tracking.c.position)).where(tracking.c.name.like("projection:%"))) or 0


def _beyond(conn: Connection, position: int) -> bool:
    return folded(conn) > position


def being_built(conn: Connection) -> list[str]:
    """The read models that somebody has begun to build and nobody has finished."""
    conn.rollback()
    return list(conn.scalars(select(generations.c.name).where(generations.c.building.is_not(None))))


def waits(conn: Connection) -> bool:
    """Whether somebody waits for a lock."""
    return bool(conn.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def head(conn: Connection) -> int:
    """How many events there are."""
    conn.rollback()
    return conn.execute(select(heads.c.position)).scalar_one()


@sqlite_in_soak
def test_a_worker_told_to_stop_while_it_folds_ends_soon_and_gives_its_rights_back(any_house: House) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with any_house.serving("--no-worker") as server, any_house.working() as worker, reading(any_house) as conn:
        known = customers_of(sent_again(server, plan.openings(), CLIENTS))
        with Load([server], 4) as load:
            load.start(endless(plan, known))
            # A busy machine may keep it at a page for too long, so that the right to it must run out by itself.
            for _ in range(3):
                eventually(partial(_beyond, conn, folded(conn)), "it folds")
                assert "projector" in rights(conn)
                if gives_back(worker, conn):
                    break
                let_them_run_out(any_house)
                worker.start()
            else:
                raise AssertionError("it never gave back what it had a right to do")
            assert load.working
            stood, told = folded(conn), head(conn)
            eventually(lambda: head(conn) > told + 20, "the posts go on")
            assert folded(conn) == stood
        worker.start()
        server.project(head(conn))
        assert worker.stop(SOON_SECONDS) == 0


def test_a_worker_told_to_stop_while_a_rebuild_is_held_up_ends_soon_and_the_next_goes_on(
    postgres_house: House,
) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with postgres_house.serving("--no-worker") as server, reading(postgres_house) as conn:
        sent_again(server, plan.openings(), CLIENTS)
        made_old(postgres_house, "satisfaction")
        with reading(postgres_house) as other:
            other.execute(text("LOCK TABLE satisfaction_state IN ACCESS EXCLUSIVE MODE"))
            with postgres_house.working() as worker:
                eventually(lambda: being_built(conn) == ["satisfaction"], "it builds")
                eventually(lambda: waits(conn), "it waits for a table of what it builds")
                assert worker.stop(SOON_SECONDS) == 0
                assert being_built(conn) == ["satisfaction"]
        let_them_run_out(postgres_house)
        with postgres_house.working() as successor:
            server.project(head(conn))
            eventually(lambda: not being_built(conn), "everything is built")
            assert successor.stop(SOON_SECONDS) == 0
