"""The inspection after a run: everything a ledger and its read models must be once all posts were answered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, make_url

from infrastructure.engine import make_engine
from tests.support import checker
from tests.support.checker import Acknowledged
from tests.support.load import Answer, Load, badly_answered
from tests.support.processes import House, Serving, eventually


def inspect(
    house: House, servers: Sequence[Serving], answers: Sequence[Answer], others: Sequence[Acknowledged] = ()
) -> int:
    """Asks the servers, stops them, reads the rows, and makes every read model anew. Fails on any fault.

    `others` is what was recorded by somebody else than these servers. Gives the number of events.
    """
    # A few of each kind are enough to see what went wrong.
    assert badly_answered(answers)[:5] == []
    let_it_learn(house, servers[0])
    shown, head = _shown_alike(servers)
    servers[0].project(head)
    assert [server.stop() for server in servers] == [0] * len(servers)
    with reading(house) as conn:
        stored, live, before = checker.in_headers(conn), checker.live_rows(conn), checker.generations(conn)
        assert checker.parked(conn) == []
        duties = checker.by_duty(conn)
    assert checker.disagreements(shown, stored)[:5] == []
    told = [*others, *duties, *(answer.acknowledged for answer in answers)]
    assert checker.faults(stored, told, head)[:5] == []

    house.run("rebuild", "all")
    with reading(house) as conn:
        assert checker.generations(conn) == {name: number + 1 for name, number in before.items()}
        assert checker.differences(live, checker.live_rows(conn))[:5] == []
    return head


def asked_again(servers: Sequence[Serving], answers: Sequence[Answer], clients: int = 8) -> list[Answer]:
    """The answers to every post of these sent once more; whoever was acknowledged is told that it is a repetition.

    Whether it is the same answer is for `inspect` to see, with the first ones.
    """
    posts = {answer.post.key: answer.post for answer in answers}
    with Load(servers, clients) as load:
        load.start(posts.values())
        again = load.finish()
    assert [one for one in again if one.status == 201 and not one.replayed][:5] == []
    return again


def let_it_learn(house: House, server: Serving) -> None:
    """Waits until the duties that look at everybody have seen everything.

    What they post comes up to some seconds after what it follows from; from then on only callers append.
    """
    with server.http() as http:
        server.project(checker.over_http(http)[1])
    with reading(house) as conn:

        def looked() -> bool:
            conn.rollback()
            return checker.left_to_learn(conn) == 0

        eventually(looked, "everything has been looked at")


def _shown_alike(servers: Sequence[Serving]) -> tuple[list[checker.Entry], int]:
    """What every one of them shows of the ledger."""
    found = []
    for server in servers:
        with server.http() as http:
            found.append(checker.over_http(http))
    assert all(one == found[0] for one in found), "two servers show different ledgers"
    return found[0]


def rolled_back_inserts(house: House) -> int:
    """How many events PostgreSQL took in and threw away again, counted when the servers have gone."""
    _wait_until_alone(house)
    with reading(house) as conn:
        return checker.rolled_back_inserts(conn)


def rollbacks(house: House) -> int:
    """How many transactions PostgreSQL rolled back in this database, counted when everybody has gone."""
    _wait_until_alone(house)
    with _watching(house) as conn:
        query = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        return int(conn.execute(query).fetchone()[0])  # type: ignore[index]


def _wait_until_alone(house: House) -> None:
    # A connection counts what it did when it ends.
    others = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
    """
    with _watching(house) as conn:
        eventually(lambda: conn.execute(others).fetchone() == (1,), "the others' connections are gone")


@contextmanager
def _watching(house: House) -> "Iterator[psycopg.Connection[Any]]":
    """A connection that rolls nothing back itself."""
    address = make_url(house.database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as conn:
        yield conn


@contextmanager
def reading(house: House) -> Iterator[Connection]:
    """A connection to the house's database."""
    engine = make_engine(house.database)
    try:
        with engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()
