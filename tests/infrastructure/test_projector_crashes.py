"""What a crash of PostgreSQL may take back from the projector, and what it may not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select

from domain.kinds import Fact
from infrastructure import checkpoints
from infrastructure.tables import tracking
from tests.support.counting import Counting, counts, create_tables, seen
from tests.support.folded import FACTS, Misunderstood, counted, truly
from tests.support.ledgers import Book, book

Kept = dict[Table, list[dict[str, object]]]
"""Everything that a page writes, as it was at a moment."""


@pytest.fixture
def on_postgresql(postgres_database: str, tmp_path: Path) -> Iterator[Book]:
    """An empty ledger on PostgreSQL, with the tables of a counting read model."""
    with book(postgres_database, tmp_path) as one:
        create_tables(one.engine)
        yield one


@contextmanager
def waited_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """How PostgreSQL was told to commit, whenever a checkpoint was moved."""
    told: list[str] = []
    move = checkpoints.move

    def look(conn: Connection, *moved: Any) -> None:
        move(conn, *moved)
        told.append(conn.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    with monkeypatch.context() as watched:
        watched.setattr(checkpoints, "move", look)
        yield told


def test_nobody_waits_for_the_disk_with_a_page_that_can_be_folded_again(
    on_postgresql: Book, monkeypatch: pytest.MonkeyPatch
):
    on_postgresql.record(FACTS[:60])
    projector = on_postgresql.projector([Counting()], page=20)
    with on_postgresql.engine.connect() as conn:
        conn.exec_driver_sql(f'ALTER DATABASE "{on_postgresql.engine.url.database}" SET synchronous_commit = on')
        conn.commit()
    on_postgresql.engine.dispose()
    with waited_for(monkeypatch) as told:
        projector.catch_up()
    # The last page of a rebuild, which makes its rows the ones that are read, is waited for.
    assert told == ["off", "off", "on"]
    on_postgresql.record(FACTS[60:100])
    with waited_for(monkeypatch) as told:
        projector.catch_up()
    assert told == ["off", "off"]
    with on_postgresql.engine.connect() as conn:
        assert conn.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"


def test_pages_that_a_crash_took_back_are_folded_again_and_count_once(shelf: Book):
    projector = shelf.projector([Counting()], page=20)
    shelf.record(FACTS[:60])
    projector.run_once()
    kept = remembered(shelf)
    projector.run_once()
    projector.run_once()
    assert projector.position() == 60
    take_back(shelf, kept)
    assert projector.position() == 20
    projector.catch_up()
    assert counted(shelf) == truly(FACTS[:60])


def test_who_folded_a_page_that_a_crash_took_back_remembers_nothing_of_a_stream_that_another_parked(shelf: Book):
    """The other one reaches the same position, so that this alone does not tell that the rows are others."""
    last = FACTS[59]
    passing = Counting(on_apply=failing_on(last))
    ours, other = shelf.projector([Counting()], page=20), shelf.projector([passing], page=20)
    shelf.record(FACTS[:60])
    ours.run_once()
    ours.run_once()
    kept = remembered(shelf)
    ours.run_once()
    take_back(shelf, kept)
    other.run_once()
    assert [one.stream_id for one in ours.parked()] == [last.stream_id]
    shelf.record(FACTS[60:100])
    ours.run_once()
    assert ours.release() == 1
    shelf.record(FACTS[100:140])
    ours.catch_up()
    assert counted(shelf) == truly(FACTS[:140])


def failing_on(fact: Fact) -> Callable[[Fact], None]:
    def fail(one: Fact) -> None:
        if one.event_id == fact.event_id:
            raise Misunderstood

    return fail


def remembered(shelf: Book) -> Kept:
    with shelf.engine.connect() as conn:
        return {
            table: [dict(row._mapping) for row in conn.execute(select(table))]
            for table in (counts, seen, tracking)
        }


def take_back(shelf: Book, kept: Kept) -> None:
    """As after a crash: whole transactions are gone, those before them are there, and we live on."""
    with shelf.engine.begin() as conn:
        for table, rows in kept.items():
            conn.execute(table.delete())
            conn.execute(insert(table), rows)
