"""Kept states: what others appended is noted under the ledger's lock, and folded when it is asked for or later."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from domain.moves.apology import Apologise
from domain.relationship import Relationship
from infrastructure.record import Told
from infrastructure.recorder import read_records, read_told
from infrastructure.states import States, load
from tests.support.writing import Desk, crm, desk, late

AMELIA, BASIL = "C-1", "C-2"


@pytest.fixture
def amends(database: str, tmp_path: Path):
    with desk(database, tmp_path) as amends:
        yield amends


def loaded(amends: Desk, customer: UUID) -> Relationship:
    """The state as somebody finds it who kept nothing."""
    with amends.engine.connect() as conn:
        return load(conn, amends.mapper, "main", [customer], Relationship)[customer]


def news(amends: Desk, after: int) -> list[Told]:
    """What was appended after this position."""
    with amends.engine.connect() as conn:
        return read_told(conn, "main", after, 100)


def two_behind(amends: Desk, size: int = 10) -> tuple[States, UUID, UUID]:
    """States of two customers, and one more event of each that they have only been told of."""
    one, other = (amends.post(late(), crm(name)).customer_id for name in (AMELIA, BASIL))
    states = States(size)
    kept = {customer: loaded(amends, customer) for customer in (one, other)}
    states.keep(kept, max(state.position for state in kept.values()))
    amends.post(Apologise(said="regret"), one)
    last = amends.post(Apologise(said="regret"), other)
    states.catch_up(news(amends, states.seen), amends.mapper, last.position)
    assert states.seen == last.position
    return states, one, other


@pytest.mark.parametrize("when", [lambda states: None, States.fold_news], ids=["when asked for", "before"])
def test_what_others_appended_counts(amends: Desk, when: Callable[[States], None]):
    states, one, other = two_behind(amends)
    when(states)
    assert states.get(one) == loaded(amends, one)
    assert states.get(other) == loaded(amends, other)


def test_news_that_come_in_several_pages_count_in_their_order(amends: Desk):
    states, one, _ = two_behind(amends)
    last = amends.post(Apologise(said="admits"), one)
    states.catch_up(news(amends, states.seen), amends.mapper, last.position)
    assert states.get(one) == loaded(amends, one)


def test_a_state_that_had_to_go_takes_its_news_along(amends: Desk):
    states, one, other = two_behind(amends, size=2)
    carol = amends.post(late(), crm("C-3")).customer_id
    states.keep({carol: loaded(amends, carol)}, states.seen)
    assert states.get(one) is None
    states.fold_news()
    assert states.get(other) == loaded(amends, other)


def test_news_that_cannot_be_read_cost_only_the_state_they_are_about(amends: Desk):
    states, one, other = two_behind(amends)
    damaged = Told._make([*news(amends, 0)[-1][:-1], b"no JSON"])
    states.catch_up([damaged], amends.mapper, states.seen)
    states.fold_news()
    assert states.get(one) == loaded(amends, one)
    assert states.get(other) is None


def test_what_is_forgotten_is_not_brought_up_to_date(amends: Desk):
    states, one, _ = two_behind(amends)
    states.clear(0)
    states.fold_news()
    assert (states.get(one), len(states), states.seen) == (None, 0, 0)


def test_what_deciding_needs_of_a_record_is_what_the_record_holds(amends: Desk):
    amends.post(late(), crm(AMELIA))
    with amends.engine.connect() as conn:
        records = read_records(conn, "main", 0, 100)
        told = read_told(conn, "main", 0, 100)
        assert told == [Told._make(getattr(one, name) for name in Told._fields) for one in records]
        assert read_told(conn, "main", 1, 2) == told[1:3]
        assert read_told(conn, "other", 0, 100) == []
