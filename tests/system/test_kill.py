"""Servers, workers and databases crashed again and again: what was confirmed is kept, and nothing is doubled."""

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.support import checker
from tests.support.databases import DURABLE, NotOurs, Server, postgres
from tests.support.inspection import asked_again, inspect, reading
from tests.support.load import Load, Plan, customers_of
from tests.support.nemesis import Nemesis
from tests.support.processes import PROGRAM, House, house

SEED: Final = 20_260_717
CLIENTS: Final = 8
KEPT: Final = Path(__file__).resolve().parents[2] / "build" / "crashes.json"
"""Where the long form says how much it did."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is posted, and how many crashes there are while customers are opened and while moves are told.

    Each crash has a share of the posts: it strikes in the midst of it, and the next share waits until it is over.
    """

    customers: int
    moves: int
    crashes_at_openings: int
    crashes_at_moves: int
    workers: int


SHORT: Final = Size(customers=20, moves=170, crashes_at_openings=1, crashes_at_moves=4, workers=1)
LONG: Final = Size(customers=360, moves=5_120, crashes_at_openings=20, crashes_at_moves=80, workers=2)
"""A hundred crashes. What takes its time is starting a process after each, two to three seconds on two idle cores:
five to eight minutes for each kind of database. No wait is longer than the twenty minutes of `Load.finish`."""
SIZES: Final = (pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.soak))


@contextmanager
def manned(house: House, database: Server | None, workers: int) -> Iterator[Nemesis]:
    """Servers and workers of this house, and who will crash them; one server where that is what is supported."""
    with ExitStack() as open_:
        servers = [open_.enter_context(house.serving("--no-worker")) for _ in range(2 if database else 1)]
        working = [open_.enter_context(house.working()) for _ in range(workers)]
        yield Nemesis(random.Random(SEED), servers, working, database)


def database_of(house: House, request: pytest.FixtureRequest) -> Server | None:
    """The process behind the house's database, if it has one that is ours to crash."""
    if house.database.startswith("sqlite"):
        return None
    server: Server = request.getfixturevalue("durable_postgres_server")
    if server.pid is None:
        pytest.skip("somebody else runs this PostgreSQL: it is not ours to crash")
    return server


@pytest.mark.parametrize("size", SIZES)
def test_whatever_crashes_under_load_what_was_confirmed_is_there_once_and_in_order(
    any_house: House, size: Size, request: pytest.FixtureRequest
) -> None:
    plan = Plan(SEED, size.customers)
    with manned(any_house, database_of(any_house, request), size.workers) as nemesis:
        with Load(nemesis.servers, CLIENTS) as load:
            kinds = nemesis.some(size.crashes_at_openings + size.crashes_at_moves)
            at_openings, at_moves = kinds[: size.crashes_at_openings], kinds[size.crashes_at_openings :]
            opened = nemesis.during(load, plan.openings(), at_openings)
            moves = plan.moves(customers_of(opened), size.moves)
            answers = opened + nemesis.during(load, moves, at_moves)
        again = asked_again(nemesis.servers, answers)
        assert nemesis.at_work > len(kinds) / 2, "most crashes came when everything had been answered"
        assert any(answer.attempts > 1 for answer in answers)
        events = inspect(any_house, nemesis.servers, answers + again)
        kept(
            request.node.name,
            {"posts": len(answers), "events": events, "at_work": nemesis.at_work, **nemesis.crashed},
        )


def kept(name: str, did: dict[str, int]) -> None:
    """Writes down what a run did."""
    KEPT.parent.mkdir(exist_ok=True)
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    KEPT.write_text(json.dumps(known | {name: did}, indent=2) + "\n")


# The same, with something wrong: it must be seen.

FORGETFUL: Final = """
from infrastructure import page
class Forgetful(page.Idempotency):
    def answer(self, order): return None
    def write(self): pass
page.Idempotency = Forgetful
"""


def test_a_server_that_forgets_which_commands_it_took_is_found_out(sqlite_house: House) -> None:
    with sqlite_house.serving(program=FORGETFUL + PROGRAM) as server, Load([server], CLIENTS) as load:
        load.start(Plan(SEED, customers=4).openings())
        told = [answer.acknowledged for answer in load.finish()]
        with server.http() as http:
            ledger, head = checker.over_http(http)
    assert any("got two answers" in fault for fault in checker.faults(ledger, told, head))


def test_a_database_that_confirms_before_it_has_written_is_found_out(tmp_path: Path) -> None:
    # Else a mebibyte of what read models write makes it write everything, just before it crashes for one.
    seldom = {"wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
    try:
        with postgres(DURABLE | {"synchronous_commit": "off"} | seldom) as hasty:
            # It comes by every ten seconds even so: perhaps just before a crash, but not before each of three.
            told = (fault for _ in range(3) for fault in told_before_a_crash(hasty, tmp_path))
            found = any("is lost" in fault for fault in told)
    except NotOurs as reason:
        pytest.skip(str(reason))
    assert found


def written_out(database: Server) -> None:
    """Has the database write everything to the disk."""
    address = database.admin.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as conn:
        conn.execute("CHECKPOINT")


def told_before_a_crash(database: Server, folder: Path) -> list[str]:
    """What the checker finds after a crash of this database under a server's load."""
    home = house(database.url(database.create()), folder)
    written_out(database)  # the tables at least are there afterwards
    with home.serving() as server, Load([server], CLIENTS) as load:
        load.start(Plan(SEED, customers=10).openings())
        told = [answer.acknowledged for answer in load.finish()]
        database.crash()
        database.start()
    with reading(home) as conn:
        ledger = checker.in_headers(conn)
    return checker.faults(ledger, told, len(ledger))
