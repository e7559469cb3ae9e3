"""A primary that dies under load: its synchronous standby takes over, and nobody misses anything."""

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.support import checker
from tests.support.attempts import attempt, read, refusals, slugs
from tests.support.faults import tuned
from tests.support.inspection import asked_again, inspect, reading
from tests.support.load import Load, Plan, customers_of
from tests.support.processes import eventually, house
from tests.support.standbys import replicated

pytestmark = pytest.mark.soak
SEED: Final = 20_261_004
CUSTOMERS: Final = 30
MOVES: Final = 600
BEFORE: Final = 100
CLIENTS: Final = 8
PATIENCE_SECONDS: Final = 4


def test_t_73_after_a_failover_under_load_everybody_finds_the_new_primary_and_nothing_is_lost_or_there_twice(
    tmp_path: Path,
) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with replicated() as pair, ExitStack() as open_:
        home = house(pair.create(), tmp_path)
        servers = [open_.enter_context(home.serving()) for _ in range(2)]
        with Load(servers, CLIENTS) as load:
            load.start(plan.openings())
            opened = load.finish()
            load.start(plan.moves(customers_of(opened), MOVES))
            load.wait_for(BEFORE)
            pair.fail_over()
            assert load.working, "the failover came too late to show anything"
            answers = opened + load.finish()
        assert any(one.attempts > 1 for one in answers)
        again = asked_again(servers, answers)
        inspect(home, servers, answers + again)


def test_t_73_while_the_synchronous_standby_is_away_nothing_is_acknowledged_and_afterwards_it_is_there_once(
    tmp_path: Path,
) -> None:
    with replicated() as pair:
        home = house(pair.create(), tmp_path)
        opening = Plan(SEED, customers=1).openings()
        impatient = tuned(home, database_patience_seconds=PATIENCE_SECONDS)
        with impatient.serving() as server, Load([server], clients=1) as load:
            pair.standby.end(signal.SIGINT)
            assert slugs(refusals(attempt(server, opening, 1))) == {"unavailable"}
            # What waited for the standby is there from now on, on one machine: still nobody is told so.
            pair.primary.end(signal.SIGINT)
            pair.primary.start()
            with reading(home) as conn:
                assert {one.topic for one in checker.in_headers(conn)} > {"failure.reported"}
            # The first question finds no more than that its connection is gone.
            eventually(lambda: read(server, "/v1/events").status_code == 200, "it reads")
            for _ in range(2):
                assert slugs(refusals(attempt(server, opening, 1))) == {"unavailable"}
            load.start(opening)
            pair.standby.start()
            inspect(home, [server], load.finish())


def test_a_standby_that_nobody_waited_for_is_found_to_have_lost_something(tmp_path: Path) -> None:
    plan = Plan(SEED, CUSTOMERS)
    with replicated(settings={}) as pair:
        home = house(pair.create(), tmp_path)
        with home.serving() as server, Load([server], CLIENTS) as load:
            load.start(plan.openings())
            opened = load.finish()
            pair.wait_until_alike()
            pair.standby.end(signal.SIGINT)
            load.start(plan.moves(customers_of(opened), BEFORE))
            told = [one.acknowledged for one in opened + load.finish()]
            pair.primary.end(signal.SIGKILL)
            pair.standby.start()
            pair.standby.promote()
        with reading(home) as conn:
            ledger = checker.in_headers(conn)
    assert any("is lost" in fault for fault in checker.faults(ledger, told, len(ledger)))
