"""Several real processes on one ledger: what they acknowledge is there once, in order, and read alike."""

from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import text

from tests.support.inspection import inspect, reading, rolled_back_inserts
from tests.support.load import Answer, Load, Plan, customers_of
from tests.support.processes import House, Serving, eventually

SEED: Final = 20_260_302
CLIENTS: Final = 16


@dataclass(frozen=True, slots=True)
class Size:
    """How much is posted: each customer opened at least twice, then so many moves."""

    customers: int
    moves: int


SIZES: Final = (
    pytest.param(Size(customers=200, moves=1_000), id="short"),
    pytest.param(Size(customers=1_000, moves=20_000), id="long", marks=pytest.mark.soak),
)


def told(servers: list[Serving], size: Size) -> list[Answer]:
    """What the clients of these servers were told."""
    plan = Plan(SEED, size.customers)
    with Load(servers, CLIENTS) as load:
        load.start(plan.openings())
        opened = load.finish()
        load.start(plan.moves(customers_of(opened), size.moves))
        return opened + load.finish()


@pytest.mark.parametrize("size", SIZES)
def test_two_processes_on_one_ledger_lose_nothing_double_nothing_and_roll_nothing_back(
    postgres_house: House, size: Size
) -> None:
    with postgres_house.serving() as one, postgres_house.serving() as other:
        answers = told([one, other], size)
        inspect(postgres_house, [one, other], answers)
        logs = one.log.read_text() + other.log.read_text()

    assert {answer.attempts for answer in answers} == {1}
    assert any(answer.replayed for answer in answers)
    assert "page_failed" not in logs
    assert "page_split" not in logs
    assert rolled_back_inserts(postgres_house) == 0


def test_a_server_that_is_told_to_stop_gives_back_its_leases_and_ends_well(sqlite_house: House) -> None:
    leases = text("SELECT count(*) FROM leases")
    with sqlite_house.serving() as server:
        with reading(sqlite_house) as conn:
            eventually(lambda: conn.execute(leases).scalar() == 1, "the projector holds its lease")
        assert server.stop() == 0
    with reading(sqlite_house) as conn:
        assert conn.execute(leases).scalar() == 0
