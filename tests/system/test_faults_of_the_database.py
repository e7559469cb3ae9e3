"""A PostgreSQL that goes away, freezes, slows down or is full: callers are told in time, and nothing is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from infrastructure.api_keys import ApiKeys
from infrastructure.engine import make_engine
from tests.support.attempts import (
    HANGS_AFTER_SECONDS,
    Attempt,
    answers_of,
    attempt,
    read,
    refusals,
    sent_again,
    slugs,
)
from tests.support.databases import FAST, NoPostgres, Server, postgres
from tests.support.dumps import libpq
from tests.support.exposition import Exposition
from tests.support.faults import MOMENTS, Proxy, proxied, tuned
from tests.support.inspection import inspect, let_it_learn, reading
from tests.support.load import Answer, Plan, Post, customers_of
from tests.support.processes import House, Serving, client, eventually, house
from tests.support.soak import SOAK, thorough_in_soak

pytestmark = thorough_in_soak
SEED = 20_260_503
CLIENTS = 16
CUSTOMERS = 20
PATIENCE = 8 if SOAK else 2
"""Seconds that a database is given; the default in the long form."""

CONNECTIONS = 30
"""So many has a PostgreSQL that is soon full."""
END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> ALL (%s)
"""


@pytest.fixture
def proxy(postgres_house: House) -> Iterator[Proxy]:
    """The way to the house's database."""
    with proxied(postgres_house.database) as made:
        yield made


@pytest.fixture
def through(postgres_house: House, proxy: Proxy) -> House:
    """The house, its database reached by way of the proxy."""
    return tuned(postgres_house, proxy.url)


def opened(server: Serving, plan: Plan) -> list[Answer]:
    """What was told of the openings, before anything goes wrong."""
    return sent_again(server, plan.openings(), CLIENTS)


def writable(server: Serving, post: Post) -> None:
    """Waits until a write goes through again. Nobody starts anything anew."""
    eventually(lambda: attempt(server, [post], 1)[0].answered, "the server recovers by itself")


def hold(house: House, server: Serving, attempts: list[Attempt], answers: list[Answer]) -> None:
    """Everything sent again gets the one answer that it got or would have got; the ledger is sound."""
    again = sent_again(server, [one.post for one in attempts], CLIENTS)
    inspect(house, [server], answers + answers_of(attempts) + again)


def key_made_just_now(house: House) -> dict[str, str]:
    """The header of a key that a server has to look up, whichever it remembers."""
    engine = make_engine(house.database)
    try:
        return {"Authorization": f"Bearer {ApiKeys(engine).create('main', 'newcomer', ['append'], [])}"}
    finally:
        engine.dispose()


def test_a_database_that_goes_away_is_reported_at_once_and_found_again(
    postgres_house: House, through: House, proxy: Proxy
) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with through.serving() as server:
        answers = opened(server, plan)
        moves = plan.moves(customers_of(answers), 60)
        newcomer = key_made_just_now(postgres_house)
        proxy.vanish()
        attempts = attempt(server, moves[:40], CLIENTS)
        with client(timeout=HANGS_AFTER_SECONDS) as http:
            unknown = http.post(f"{server.url}/v1/customers", json={}, headers=newcomer)
        reads = [read(server, path) for path in ("/readyz", "/v1/events", "/v1/feed")]
        assert read(server, "/healthz").status_code == 200
        proxy.come_back()
        writable(server, moves[40])
        hold(postgres_house, server, attempts + attempt(server, moves[40:], CLIENTS), answers)

    problems = refusals(attempts)
    assert len(problems) == 40
    assert slugs(problems) == {"unavailable"}
    # Of every write it is told whether it may be in the ledger, also where not even its key could be looked up.
    assert all(problem["recorded"] in ("no", "unknown") for problem in problems)
    assert (unknown.status_code, unknown.json()["recorded"]) == (503, "no")
    assert {one.status_code for one in reads} == {503}
    assert all(int(one.headers["Retry-After"]) >= 1 for one in reads)


def test_a_connection_lost_around_a_commit_leaves_no_doubt_once_it_is_sent_again(
    postgres_house: House, through: House, proxy: Proxy
) -> None:
    plan, struck = Plan(SEED, CUSTOMERS), {}
    with through.serving() as server:
        answers = opened(server, plan)
        known = customers_of(answers)
        for moment in MOMENTS:
            # No twins: the second of two would record what the first could not.
            moves = list({post.key: post for post in plan.moves(known, 60) if not post.refused}.values())
            # The commit that is lost must be a caller's.
            let_it_learn(postgres_house, server)
            proxy.strike(moment)
            attempts = attempt(server, moves, CLIENTS)
            proxy.wait_for_strike()
            struck[moment] = attempts, sent_again(server, moves, CLIENTS)
            answers += answers_of(attempts) + struck[moment][1]
        inspect(postgres_house, [server], answers)

    for moment, (attempts, again) in struck.items():
        assert {(one["type"].rpartition("/")[2], one["recorded"]) for one in refusals(attempts)} == {
            ("unavailable", "unknown")
        }
        lost = {one.post.key for one in attempts if not one.answered}
        # What the database had kept is told again; what it had not is recorded now.
        assert {one.replayed for one in again if one.post.key in lost} == {moment == "after"}


def test_a_frozen_database_keeps_nobody_waiting_and_a_retry_gives_the_one_answer(
    postgres_house: House, proxy: Proxy
) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with tuned(postgres_house, proxy.url, database_patience_seconds=PATIENCE).serving() as server:
        answers = opened(server, plan)
        moves = plan.moves(customers_of(answers), 2 * CLIENTS)
        proxy.freeze()
        attempts = attempt(server, moves, 2 * CLIENTS)
        with ThreadPoolExecutor(3) as readers:
            reads = list(readers.map(partial(read, server), ("/readyz", "/v1/events", "/v1/feed")))
        assert read(server, "/healthz").status_code == 200
        proxy.thaw()
        writable(server, moves[0])
        hold(postgres_house, server, attempts, answers)

    problems = refusals(attempts)
    assert len(problems) == len(moves)
    assert slugs(problems) == {"unavailable"}
    assert {one.status_code for one in reads} == {503}


def test_a_slow_database_makes_everything_slower_and_nothing_wrong(postgres_house: House, proxy: Proxy) -> None:
    house = tuned(postgres_house, proxy.url, queue_size=8)
    plan = Plan(SEED, CUSTOMERS)
    with house.serving() as server:
        answers = opened(server, plan)
        moves = plan.moves(customers_of(answers), 40)
        proxy.slow_down(0.2)
        attempts = attempt(server, moves, 40)
        proxy.slow_down(0)
        hold(postgres_house, server, attempts, answers)

    problems = refusals(attempts)
    # A page takes a second or two: meanwhile eight may wait, and whoever comes then is told to come back.
    assert slugs(problems) == {"busy"}
    assert len(answers_of(attempts)) >= 8


def test_reads_that_take_every_connection_are_put_off_and_writes_go_through(postgres_house: House) -> None:
    house = tuned(postgres_house, read_connections=2, database_patience_seconds=PATIENCE)
    plan = Plan(SEED, CUSTOMERS)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'")
    with house.serving() as server, ThreadPoolExecutor(3 * CLIENTS) as readers:
        answers = opened(server, plan)
        moves = plan.moves(customers_of(answers), 40)
        with reading(house) as lock, reading(house) as look:
            lock.execute(text("LOCK TABLE feed_items IN ACCESS EXCLUSIVE MODE"))
            asked = [readers.submit(read, server, "/v1/feed") for _ in range(3 * CLIENTS)]
            eventually(lambda: look.execute(waiting).scalar() >= 2, "reads hold every connection there is")
            ready, figures = (read(server, path) for path in ("/readyz", "/metrics"))
            attempts = attempt(server, moves, CLIENTS)
            put_off = [one.result() for one in asked]
        assert read(server, "/v1/feed").status_code == 200
        inspect(postgres_house, [server], answers + answers_of(attempts))

    assert all(one.answered for one in attempts)
    # Nobody takes a service out of rotation, or looks for a fault of the database, because readers are many.
    assert ready.status_code == 200, ready.text
    assert Exposition(figures.text).value("amends_database_up") == 1
    assert {one.status_code for one in put_off} == {503}
    assert slugs(one.json() for one in put_off) == {"unavailable"}
    assert all(int(one.headers["Retry-After"]) >= 1 for one in put_off)


def test_a_postgresql_without_a_free_connection_puts_everybody_off_and_is_found_again(tmp_path: Path) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with crowded() as database:
        on_it = tuned(house(database.url(database.create()), tmp_path), read_connections=4)
        with on_it.serving() as server:
            answers = opened(server, plan)
            moves = plan.moves(customers_of(answers), 60)
            with every_connection_of(database):
                attempts = attempt(server, moves[:40], CLIENTS)
                reads = [read(server, path) for path in ("/readyz", "/v1/events", "/v1/feed")]
                assert read(server, "/healthz").status_code == 200
            writable(server, moves[40])
            hold(on_it, server, attempts + attempt(server, moves[40:], CLIENTS), answers)

    problems = refusals(attempts)
    assert len(problems) == 40
    assert slugs(problems) == {"unavailable"}
    # The connections had ended before anything was asked: nothing of it can have been recorded.
    assert {problem["recorded"] for problem in problems} == {"no"}
    assert {one.status_code for one in reads} == {503}
    assert all(int(one.headers["Retry-After"]) >= 1 for one in reads)


@contextmanager
def crowded() -> Iterator[Server]:
    """A PostgreSQL of our own that takes few connections."""
    try:
        with postgres(FAST | {"max_connections": str(CONNECTIONS)}) as server:
            if server.cluster is None:
                pytest.skip("somebody else runs this PostgreSQL: others need its connections")
            yield server
    except NoPostgres as why:
        pytest.skip(f"no PostgreSQL: {why}")


@contextmanager
def every_connection_of(database: Server) -> Iterator[None]:
    """Takes every connection that there is, also those that others have."""
    address = libpq(database.url("postgres"))
    with ExitStack() as held:
        ours = [held.enter_context(psycopg.connect(address, autocommit=True))]

        def all_are_ours() -> bool:
            pids = [one.info.backend_pid for one in ours]
            ours[0].execute(END_OTHERS, [pids])
            with suppress(psycopg.OperationalError):  # until there is none left
                while True:
                    ours.append(held.enter_context(psycopg.connect(address, autocommit=True)))
            return len(ours) == CONNECTIONS

        eventually(all_are_ours, "nobody else has a connection")
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            psycopg.connect(address)
        yield
