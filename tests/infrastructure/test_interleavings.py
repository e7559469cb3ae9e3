"""Whatever order the steps of several transactions take, the ledger and what is read from it come out right.

In a soak all orders are tried, or 2,000 of them where there are more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from domain.errors import KeyReused, StaleVersion, Unavailable
from domain.moves.apology import Apologise
from domain.moves.contact import UpdateCustomer
from domain.relationship import Relationship
from infrastructure import states
from infrastructure.orders import Outcome
from infrastructure.states import SNAPSHOT_EVERY, load
from tests.support.interleaving import orders, pausing
from tests.support.lost_answers import lost_answers
from tests.support.soak import thorough_in_soak
from tests.support.theatre import (
    OPENING,
    PROJECTOR_STEPS,
    WRITER_STEPS,
    Projecting,
    Theatre,
    as_if_rebuilt,
    in_turn,
    projector_at,
    some,
)
from tests.support.writing import ANSWER_WITHIN_SECONDS, Desk, crm, late

pytestmark = thorough_in_soak
READER_STEPS: Final = 2
"""Where he connects, and where he has read what he folds."""


@dataclass(frozen=True)
class Reading:
    """Loads the state of a customer."""

    customer: UUID

    def __call__(self, d: Desk) -> Relationship:
        with d.engine.connect() as conn:
            return load(conn, d.mapper, "main", [self.customer], Relationship)[self.customer]


def of_two_or_three_alike() -> list[tuple[int, ...]]:
    """The orders of writers who all do the same."""
    return some((WRITER_STEPS,) * 2, alike=(0, 1)) + some((WRITER_STEPS,) * 3, alike=(0, 1, 2))


@pytest.fixture
def theatre(database: str, tmp_path: Path):
    with Theatre(database, tmp_path) as made:
        yield made


def test_two_parties_of_three_steps_have_twenty_orders():
    assert len(set(orders((3, 3)))) == 20
    assert sorted(orders((1, 2))) == [(0, 1, 1), (1, 0, 1), (1, 1, 0)]


def test_of_parties_that_do_alike_it_is_the_same_who_goes_first():
    assert [order for order in orders((1, 1, 1)) if in_turn(order, (1, 2))] == [(0, 1, 2), (1, 0, 2), (1, 2, 0)]
    assert sum(in_turn(order, (0, 1, 2)) for order in orders((3, 3, 3))) == 1_680 / 6


def test_several_who_append_to_one_customer_all_succeed_one_after_the_other(theatre: Theatre):
    for order in of_two_or_three_alike():
        customer = theatre.desk.post(late()).customer_id
        told = theatre.play(order, *[_apologises(customer)] * len(set(order)))
        versions = sorted(outcome.version for outcome in told)
        assert versions == list(range(versions[0], versions[0] + len(told)))
        theatre.sound(*told)


def test_of_two_who_decided_on_the_same_version_one_is_told_that_it_is_stale(theatre: Theatre):
    for order in some((WRITER_STEPS, WRITER_STEPS)):
        opened = theatre.desk.post(late())

        def apologise(d: Desk, opened: Outcome = opened) -> Outcome:
            return d.post(Apologise(said="regret"), opened.customer_id, if_match=opened.version)

        told = theatre.play(order, apologise, apologise)
        assert {type(one) for one in told} == {Outcome, StaleVersion}
        theatre.sound(*(one for one in told if isinstance(one, Outcome)))


def test_several_who_open_the_same_customer_open_one(theatre: Theatre):
    for n, order in enumerate(of_two_or_three_alike()):
        told = theatre.play(order, *[lambda d, n=n: d.post(late(), crm(f"C-{n}"))] * len(set(order)))
        assert len({outcome.customer_id for outcome in told}) == 1
        theatre.sound(*told)


def test_twins_with_one_key_get_one_answer_and_leave_one_trace(theatre: Theatre):
    for n, order in enumerate(of_two_or_three_alike()):
        told = theatre.play(order, *[lambda d, n=n: d.post(late(), key=f"plums-{n}")] * len(set(order)))
        assert sum(not outcome.replayed for outcome in told) == 1
        assert len({outcome.receipts for outcome in told}) == 1
        theatre.sound(*told)


def test_of_two_who_say_different_things_under_one_key_one_is_refused(theatre: Theatre):
    for n, order in enumerate(some((WRITER_STEPS, WRITER_STEPS))):
        told = theatre.play(
            order,
            lambda d, n=n: d.post(late(), key=f"plums-{n}", said="late"),
            lambda d, n=n: d.post(late(), key=f"plums-{n}", said="lost"),
        )
        assert {type(one) for one in told} == {Outcome, KeyReused}
        theatre.sound(*(one for one in told if isinstance(one, Outcome)))


def test_a_commit_that_is_lost_leaves_no_gap_whoever_works_beside_it(theatre: Theatre):
    def loses(d: Desk) -> object:
        with lost_answers(d.engine) as losses, losses.strike("before"):
            return d.writer.submit(d.order(late())).exception(ANSWER_WITHIN_SECONDS)

    for order in some((WRITER_STEPS,) * 2) + some((WRITER_STEPS,) * 3, alike=(1, 2)):
        others = [lambda d: d.post(late())] * (len(set(order)) - 1)
        lost, *told = theatre.play(order, loses, *others)
        assert isinstance(lost, Unavailable)
        theatre.sound(*told)


def test_a_state_read_beside_a_snapshot_being_written_is_one_that_the_customer_was_in(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(states, "read_cold", pausing(states.read_cold))
    before = SNAPSHOT_EVERY - 1
    for order in some((WRITER_STEPS, READER_STEPS)):
        customer = theatre.desk.post(late()).customer_id
        while theatre.desk.post(UpdateCustomer(kind="progress"), customer).version < before:
            pass
        grown, read = theatre.play(order, _apologises(customer), Reading(customer))
        assert grown.version == SNAPSHOT_EVERY
        assert read.version in (before, SNAPSHOT_EVERY)
        assert ("apology" in read.recoveries[next(iter(read.recoveries))].done) == (read.version != before)
        assert Reading(customer)(theatre.desk).version == SNAPSHOT_EVERY


def test_two_projectors_beside_a_writer_fold_every_event_once(theatre: Theatre, monkeypatch: pytest.MonkeyPatch):
    projector = projector_at(theatre.desk, monkeypatch)
    for order in some((2 * PROJECTOR_STEPS, PROJECTOR_STEPS, WRITER_STEPS), few=20):
        told = [theatre.desk.post(late()), theatre.desk.post(late())]
        assert [len(outcome.receipts) for outcome in told] == [OPENING, OPENING]
        theatre.play(order, Projecting(2), Projecting(), lambda d: d.post(late()))
        projector.catch_up()
    as_if_rebuilt(projector, theatre.desk)


def _apologises(customer: UUID) -> Callable[[Desk], Outcome]:
    return lambda d: d.post(Apologise(said="regret"), customer)
