"""The inspection after a run: everything a ledger and its read models must be once all posts were answered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from infrastructure.engine import make_engine
from tests.support import checker
from tests.support.load import Answer, badly_answered
from tests.support.processes import House, Serving, eventually


def inspect(house: House, servers: Sequence[Serving], answers: Sequence[Answer]) -> None:
    """Asks the servers, stops them, reads the rows, and makes every read model anew. Fails on any fault."""
    # A few of each kind are enough to see what went wrong.
    assert badly_answered(answers)[:5] == []
    shown, head = _shown_alike(servers)
    servers[0].project(head)
    assert [server.stop() for server in servers] == [0] * len(servers)
    with reading(house) as conn:
        stored, live, before = checker.in_headers(conn), checker.live_rows(conn), checker.generations(conn)
        assert checker.parked(conn) == []
    assert checker.disagreements(shown, stored)[:5] == []
    assert checker.faults(stored, [answer.acknowledged for answer in answers], head)[:5] == []

    house.run("rebuild", "all")
    with reading(house) as conn:
        assert checker.generations(conn) == {name: number + 1 for name, number in before.items()}
        assert checker.differences(live, checker.live_rows(conn))[:5] == []


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
    others = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with reading(house) as conn:
        # A connection counts what it did when it ends.
        eventually(lambda: conn.execute(others).scalar() == 1, "the servers' connections are gone")
        conn.rollback()
        return checker.rolled_back_inserts(conn)


@contextmanager
def reading(house: House) -> Iterator[Connection]:
    """A connection to the house's database."""
    engine = make_engine(house.database)
    try:
        with engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()
