"""Standing: how many customers stand, looked up together, and what one question owes to the others."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

from api.standing import MOST, Standing, Standings
from infrastructure.engine import writing
from tests.support.http import Service, service

UNKNOWN = UUID("0192e4a0-0000-7000-8000-00000000dead")


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, empty; once on each kind of database."""
    with service(database, tmp_path) as made:
        yield made


@pytest.fixture
def customers(amends: Service) -> list[UUID]:
    """Three customers: the first has one open recovery, the second two, the third none."""
    found = [UUID(amends.customer(number)) for number in ("C-1", "C-2", "C-3")]
    for customer, what in ((0, "late"), (1, "late"), (1, "wrong_or_broken")):
        amends.post(f"/v1/customers/{found[customer]}/report-failure", {"what": what, "description": "plums"})
    amends.project()
    return found


def asked(amends: Service, *ids: UUID) -> list[Standing | BaseException | None]:
    """What those are told who ask about these customers at the same time."""

    async def together() -> list[Standing | BaseException | None]:
        standings = Standings(amends.container)
        return await asyncio.gather(*map(standings.of, ids), return_exceptions=True)

    return asyncio.run(together())


def test_everybody_who_asks_at_the_same_time_is_told_of_the_customer_he_asked_for(
    amends: Service, customers: list[UUID]
):
    told = asked(amends, *customers, UNKNOWN, *reversed(customers))
    assert [one and one.satisfaction.customer_id for one in told] == [*customers, None, *reversed(customers)]
    assert [one and len(one.recoveries) for one in told] == [1, 2, 0, None, 0, 2, 1]


def test_what_is_told_of_many_is_what_is_told_of_one(amends: Service, customers: list[UUID]):
    assert asked(amends, *customers) == [asked(amends, one)[0] for one in customers]


def test_a_hundred_questions_at_once_take_few_queries(amends: Service, customers: list[UUID]):
    queries: list[str] = []
    event.listen(amends.container.engine, "before_cursor_execute", lambda *told: queries.append(told[2]))
    one_look = (asked(amends, customers[0]), len(queries))[1]
    queries.clear()
    told = asked(amends, *(customers * 34)[:100])
    assert None not in told
    # The first takes as many as it may, the second the rest; a third on a machine that is very slow.
    assert MOST < 100
    assert len(queries) <= 3 * one_look


def test_a_look_that_fails_is_told_to_those_it_was_for_and_the_next_one_works(
    amends: Service, customers: list[UUID]
):
    hidden = "ALTER TABLE satisfaction_state RENAME TO hidden_state"
    with writing(amends.container.engine) as conn:
        conn.execute(text(hidden))
    assert all(isinstance(one, SQLAlchemyError) for one in asked(amends, *customers))
    with writing(amends.container.engine) as conn:
        conn.execute(text("ALTER TABLE hidden_state RENAME TO satisfaction_state"))
    assert None not in asked(amends, *customers)


def test_a_slow_look_keeps_nobody_else_waiting(amends: Service, customers: list[UUID]):
    clock, slow, go_on = amends.container.clock, threading.Event(), threading.Event()

    def stopping() -> datetime:
        if not slow.is_set():
            slow.set()
            assert go_on.wait(60)
        return clock()

    async def second_overtakes() -> list[Standing | None]:
        standings = Standings(amends.container)
        first = asyncio.create_task(standings.of(customers[0]))
        await asyncio.to_thread(slow.wait)
        second = await standings.of(customers[1])
        assert not first.done()
        go_on.set()
        return [await first, second]

    amends.container.clock = stopping
    told = asyncio.run(second_overtakes())
    assert [one and one.satisfaction.customer_id for one in told] == customers[:2]


def test_who_hangs_up_takes_nothing_from_the_others(amends: Service, customers: list[UUID]):
    async def one_goes() -> Standing | None:
        standings = Standings(amends.container)
        leaving = asyncio.create_task(standings.of(customers[0]))
        staying = asyncio.create_task(standings.of(customers[1]))
        await asyncio.sleep(0)  # both have asked
        leaving.cancel()
        return await staying

    told = asyncio.run(one_goes())
    assert told is not None
    assert told.satisfaction.customer_id == customers[1]


def test_the_plain_question_and_the_described_one_have_the_same_answer(amends: Service, customers: list[UUID]):
    path = f"/v1/customers/{customers[1]}"
    plain, described = amends.http.get(path), amends.http.get(path, params={"min_position": "1"})
    assert plain.json() == described.json()
    varying = {"request-id"}
    assert {name: one for name, one in plain.headers.items() if name not in varying} == {
        name: one for name, one in described.headers.items() if name not in varying
    }


@pytest.mark.parametrize("path", [f"/v1/customers/{UNKNOWN}", "/v1/customers/no-uuid"])
def test_the_plain_question_is_refused_as_the_described_one(amends: Service, customers: list[UUID], path: str):
    found = path.format(customers[0])
    assert amends.http.get(found, headers={"Authorization": "Bearer amk_wrong"}).status_code == 401
    assert amends.http.get(found, headers=amends.key("append")).status_code == 403
    assert amends.http.get(found).status_code == (404 if str(UNKNOWN) in path else 422)
