"""Several real processes on one ledger: what they acknowledge is there once, in order, and read alike."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import text

from infrastructure.recorder import read_head
from tests.bench.pens import all_told, pens
from tests.support import checker
from tests.support.inspection import inspect, reading, rollbacks, rolled_back_inserts
from tests.support.load import Answer, Load, Plan, customers_of
from tests.support.processes import PATIENCE_SECONDS, PROGRAM, House, Serving, eventually

SEED: Final = 20_260_302
CLIENTS: Final = 16


@dataclass(frozen=True, slots=True)
class Size:
    """How much is posted: each customer opened at least twice, then so many moves."""

    customers: int
    moves: int


LONG: Final = Size(customers=1_000, moves=20_000)


def told(servers: list[Serving], size: Size) -> list[Answer]:
    """What the clients of these servers were told."""
    plan = Plan(SEED, size.customers)
    with Load(servers, CLIENTS) as load:
        load.start(plan.openings())
        opened = load.finish()
        load.start(plan.moves(customers_of(opened), size.moves))
        return opened + load.finish()


COMMANDS: Final = 1_200


@pytest.mark.parametrize("processes", [2, 4])
def test_several_writing_processes_on_one_ledger_take_turns_and_roll_nothing_back(
    postgres_house: House, processes: int
) -> None:
    key_file, log = postgres_house.folder / "amends.key", postgres_house.folder / "pens.log"
    before = rollbacks(postgres_house)
    with pens(1, postgres_house.database, key_file, log) as [alone]:
        customers = alone.opened("main", 40)
    by_connecting = rollbacks(postgres_house) - before

    turns = [customers[n % len(customers)] for n in range(COMMANDS)]
    with pens(processes, postgres_house.database, key_file, log) as several:
        shares = [{"main": turns[n::processes]} for n in range(processes)]
        assert all_told(several, shares, callers=64) == COMMANDS

    assert rollbacks(postgres_house) - before == (1 + processes) * by_connecting
    assert rolled_back_inserts(postgres_house) == 0
    assert log.read_text() == ""  # no page_failed, no page_split, nothing at all
    with reading(postgres_house) as conn:
        ledger = checker.in_headers(conn)
        assert checker.disorder(ledger, read_head(conn, "main").position) == []
    assert sum(entry.topic == "customer.updated" for entry in ledger) == COMMANDS


@pytest.mark.soak
def test_two_servers_on_one_ledger_lose_nothing_double_nothing_and_roll_nothing_back(
    postgres_house: House,
) -> None:
    with postgres_house.serving() as one, postgres_house.serving() as other:
        answers = told([one, other], LONG)
        inspect(postgres_house, [one, other], answers)
        logs = one.log.read_text() + other.log.read_text()

    assert {answer.attempts for answer in answers} == {1}
    assert any(answer.replayed for answer in answers)
    assert "page_failed" not in logs
    assert "page_split" not in logs
    assert rolled_back_inserts(postgres_house) == 0


def leases_held(house: House) -> int:
    """How many leases there are now: each look is a transaction of its own, as one alone would never see more."""
    with reading(house) as conn:
        return int(conn.execute(text("SELECT count(*) FROM leases")).scalar_one())


def test_a_server_that_is_told_to_stop_gives_back_its_leases_and_ends_well(sqlite_house: House) -> None:
    with sqlite_house.serving() as server:
        # As it begins it takes a lease of each read model for a moment. The second customer is folded after that.
        for customers in (1, 2):
            with server.http() as http:
                assert http.post("/v1/customers", json={}).status_code == 201
            server.project(customers)
        eventually(lambda: leases_held(sqlite_house) == 1, "the projector holds its lease")
        assert server.stop() == 0
    assert leases_held(sqlite_house) == 0


FAULTY: Final = f"""
import uvicorn

def run(*_, **__):
    raise ValueError("Maria Papadopoulou")

uvicorn.Server.run = run
{PROGRAM}
"""


def test_a_fault_that_ends_a_process_is_a_line_of_its_log_without_its_words(sqlite_house: House) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTY, "serve", "--port", "0"],
        env=sqlite_house.environment(),
        cwd=sqlite_house.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout[:13]) == (1, "Amends serves")
    [line] = [json.loads(one) for one in done.stderr.splitlines()]
    assert (line["event"], line["fault"], line["level"]) == ("process_ended", "ValueError", "critical")
    assert line["at"]
    assert "Maria" not in done.stderr
