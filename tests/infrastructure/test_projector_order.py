"""What is seen first: the first read model of all, before the others are even folded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.kinds import Fact
from infrastructure.projector import Projector
from infrastructure.readmodels import AT_ONCE
from projections.satisfaction import SatisfactionState
from tests.support.counting import Counting, create_tables
from tests.support.folded import FACTS, counted, expected, same, truly
from tests.support.ledgers import Book, book


@pytest.fixture
def shelf(database: str, tmp_path: Path) -> Iterator[Book]:
    """An empty ledger, with the tables of a counting read model."""
    with book(database, tmp_path) as one:
        create_tables(one.engine)
        yield one


@pytest.fixture
def on_postgresql(postgres_database: str, tmp_path: Path) -> Iterator[Book]:
    """The same on PostgreSQL."""
    with book(postgres_database, tmp_path) as one:
        create_tables(one.engine)
        yield one


class Killed(BaseException):
    """The end of the process, as far as a fold can tell."""


def test_a_small_page_is_seen_in_the_first_read_model_while_the_others_are_folded(shelf: Book):
    meanwhile: list[tuple[int, int]] = []

    def look(fact: Fact) -> None:
        meanwhile.append((projector.position("satisfaction"), projector.position("counting")))

    projector = shelf.projector([SatisfactionState(), Counting(on_apply=look)])
    shelf.record(FACTS[:40])
    assert projector.run_once() == 40
    assert set(meanwhile) == {(40, 0)}
    assert projector.position() == 40


def test_a_crash_between_the_first_and_the_others_leaves_nothing_out_and_folds_nothing_twice(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([SatisfactionState(), Counting()]).catch_up()
    shelf.record(FACTS[100:150])

    def end(fact: Fact) -> None:
        raise Killed

    killed = shelf.projector([SatisfactionState(), Counting(on_apply=end)])
    with pytest.raises(Killed):
        killed.run_once()
    assert (killed.position("satisfaction"), killed.position("counting")) == (150, 100)

    shelf.record(FACTS[150:])
    next_one = shelf.projector([SatisfactionState(), Counting()])
    next_one.catch_up()
    assert next_one.position() == 300
    assert counted(shelf) == truly(FACTS)
    assert same(_satisfaction(shelf), expected(FACTS, SatisfactionState()))


def test_whoever_remembers_rows_from_before_such_a_crash_folds_on_from_the_right_ones(shelf: Book):
    shelf.record(FACTS[:100])
    deadly = [False]

    def end(fact: Fact) -> None:
        if deadly[0]:
            raise Killed

    projector = shelf.projector([SatisfactionState(), Counting(on_apply=end)])
    projector.catch_up()
    for first, last in ((100, 150), (150, 151), (151, 260)):
        shelf.record(FACTS[first:last])
        deadly[0] = True
        with pytest.raises(Killed):
            projector.run_once()
        deadly[0] = False
    shelf.record(FACTS[260:])
    _to_the_end(projector)
    assert counted(shelf) == truly(FACTS)
    assert same(_satisfaction(shelf), expected(FACTS, SatisfactionState()))


def test_whoever_catches_up_writes_all_read_models_together(shelf: Book):
    positions: set[int] = set()

    def look(fact: Fact) -> None:
        positions.add(projector.position("satisfaction"))

    projector = shelf.projector([SatisfactionState(), Counting(on_apply=look)], page=100)
    shelf.record(FACTS)
    assert AT_ONCE > 100
    assert [projector.run_once(), projector.run_once()] == [100, 100]
    assert positions == {0, 100}


def test_a_page_leaves_postgresql_the_statements_it_has_prepared(on_postgresql: Book):
    projector = on_postgresql.projector([SatisfactionState(), Counting()])
    for first in range(0, 60, 5):
        on_postgresql.record(FACTS[first : first + 5])
        assert projector.run_once() == 5
    known = _prepared(on_postgresql)
    assert any(b"satisfaction_state" in one.encode() for one in known)
    on_postgresql.record(FACTS[60:65])
    projector.run_once()
    assert known <= _prepared(on_postgresql)


def _prepared(shelf: Book) -> set[str]:
    """The statements that are prepared in the one connection there is."""
    with shelf.engine.begin() as conn:
        return set(conn.scalars(text("SELECT name || ' ' || statement FROM pg_prepared_statements")))


def _satisfaction(shelf: Book) -> dict[str, list[dict[str, object]]]:
    names = {table.name for table in SatisfactionState.tables}
    return {name: rows for name, rows in shelf.rows().items() if name in names}


def _to_the_end(projector: Projector) -> None:
    while projector.lag():
        projector.run_once()
