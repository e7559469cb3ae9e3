"""Rebuilding: a read model made anew beside the one that is read, then switched to at once."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from domain.kinds import Fact
from infrastructure import generations as books
from infrastructure.checkpoints import Generation
from infrastructure.engine import writing
from infrastructure.generations import NewerGeneration, Wanted, number_of_live, switch
from infrastructure.leases import Lease
from infrastructure.ledger import Ledger
from infrastructure.tables import generations
from projections import ALL
from tests.support.counting import Counting, counts, seen
from tests.support.folded import FACTS, counted, expected, same, truly
from tests.support.glances import glance, never_true, one_moment
from tests.support.histories import relationships
from tests.support.ledgers import Book, book
from tests.support.processes import PATIENCE_SECONDS
from tests.support.soak import examples


@examples(12, many=300)
@given(facts=relationships(), data=st.data())
def test_live_rows_equal_rebuilt_rows(sqlite_template: Path, facts: list[Fact], data: st.DataObject):
    page = data.draw(st.integers(1, 30))
    with _fresh(sqlite_template) as shelf:
        projector = shelf.projector(page=page)
        half = data.draw(st.integers(0, len(facts)))
        shelf.record(facts[:half])
        projector.catch_up()
        shelf.record(facts[half:])
        projector.catch_up()
        live = shelf.rows()
        for one in ALL:
            projector.rebuild(one.name)
        assert same(shelf.rows(), live)
        assert same(live, expected(facts))


@contextmanager
def _fresh(template: Path) -> Iterator[Book]:
    """An empty ledger for one example of a property."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "amends.db"
        shutil.copyfile(template, path)
        with book(f"sqlite:///{path}", Path(folder)) as one:
            yield one


def test_a_rebuild_tells_how_far_it_is_and_reads_go_on_until_the_switch(shelf: Book):
    shelf.record(FACTS)
    projector = shelf.projector(page=50)
    projector.catch_up()
    before = shelf.rows()
    told: list[tuple[int, int]] = []

    def progress(position: int, head: int) -> None:
        told.append((position, head))
        assert same(shelf.rows(), before)

    assert projector.rebuild("satisfaction", progress) == len(FACTS)
    assert [position for position, _ in told] == sorted(position for position, _ in told)
    assert told[-1] == (len(FACTS), len(FACTS))
    assert len(told) > 3
    assert same(shelf.rows(), before)


def test_events_that_arrive_during_a_rebuild_are_in_it(shelf: Book):
    shelf.record(FACTS[:200])
    projector = shelf.projector([Counting()], page=20)
    projector.catch_up()
    rest = [FACTS[200:230], FACTS[230:240]]

    def progress(position: int, head: int) -> None:
        if rest:
            shelf.record(rest.pop(0))
            projector.run_once()

    projector.rebuild("counting", progress)
    projector.catch_up()
    assert counted(shelf) == truly(FACTS[:240])


def test_the_old_rows_are_gone_after_the_switch(shelf: Book):
    shelf.record(FACTS[:100])
    projector = shelf.projector([Counting()])
    projector.catch_up()
    projector.rebuild("counting")
    with shelf.engine.connect() as conn:
        assert set(conn.scalars(select(counts.c.generation))) == {2}
        assert set(conn.scalars(select(seen.c.generation))) == {2}
        names = conn.exec_driver_sql("SELECT name FROM tracking").scalars().all()
    assert names == ["projection:counting:2"]


def test_a_rebuild_that_was_stopped_goes_on_where_it_was(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector([Counting()], page=20).catch_up()

    def stop(position: int, head: int) -> None:
        if position >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shelf.projector([Counting()], page=20).rebuild("counting", stop)
    applied: list[int] = []
    again = shelf.projector([Counting(on_apply=lambda fact: applied.append(fact.position))], page=20)
    again.rebuild("counting")
    assert 60 < min(applied) <= 100
    assert counted(shelf) == truly(FACTS[:200])


def building(shelf: Book) -> int | None:
    """The generation of the counting read model that is being built."""
    with shelf.engine.connect() as conn:
        return conn.scalar(select(generations.c.building).where(generations.c.name == "counting"))


def test_a_rebuild_begins_only_when_nobody_else_has_the_right_to(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([Counting()]).catch_up()
    held = Lease(shelf.engine, "main", "rebuild:counting", "somebody", shelf.clock)
    assert held.hold()
    begun: list[int | None] = []

    def clock() -> datetime:
        begun.append(building(shelf))
        if len(begun) == 2:
            held.release()
        return shelf.clock()

    shelf.projector([Counting()], clock=clock).rebuild("counting")
    assert begun[:2] == [None, None]
    assert counted(shelf) == truly(FACTS[:100])


def test_whoever_gets_the_right_after_a_rebuild_has_ended_does_not_rebuild_once_more(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([Counting()]).catch_up()
    faster = shelf.projector([Counting()])
    looks = 0

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        if looks == 1:
            faster.rebuild("counting")
        return shelf.clock()

    shelf.projector([Counting()], clock=clock).rebuild("counting")
    assert number_of_live_in(shelf) == 2
    assert counted(shelf) == truly(FACTS[:100])


def test_a_worker_that_gets_the_right_after_somebody_has_switched_builds_nothing(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([Counting()]).catch_up()
    faster, ended = shelf.projector([Counting(version=2)]), threading.Event()
    looks = 0

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        if looks == 2:  # first the lease to fold, then, with the old version seen, the one to rebuild
            faster.catch_up()
        if looks == 6:
            ended.set()
        return shelf.clock()

    slower = shelf.projector([Counting(version=2)], clock=clock)
    slower.start()
    try:
        assert ended.wait(PATIENCE_SECONDS)
    finally:
        slower.stop()
    assert number_of_live_in(shelf) == 2


def number_of_live_in(shelf: Book) -> int:
    """Which generation of the counting read model is read."""
    with shelf.engine.connect() as conn:
        return number_of_live(conn, "main", "counting").number


def test_an_older_program_leaves_the_rebuild_of_a_newer_one_alone(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector([Counting()]).catch_up()

    def stop(position: int, head: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shelf.projector([Counting(version=3)], page=20).rebuild("counting", stop)
    for version in (1, 2):
        with pytest.raises(NewerGeneration):
            shelf.projector([Counting(version=version)]).rebuild("counting")
    with pytest.raises(NewerGeneration):
        shelf.projector([Counting(version=2)]).catch_up()
    shelf.record(FACTS[200:210])
    assert shelf.projector([Counting(version=1)]).catch_up() == 10
    assert building(shelf) == 2


def test_a_generation_that_is_not_being_built_any_more_is_not_made_live(shelf: Book):
    shelf.projector([Counting()])
    with writing(shelf.engine) as conn:
        assert not switch(conn, "main", Wanted("counting", 1), Generation("counting", 7))
        assert number_of_live(conn, "main", "counting") == Generation("counting", 1)


def test_old_rows_are_deleted_a_batch_a_turn_while_events_are_looked_for(
    shelf: Book, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infrastructure.generations.DELETED_AT_ONCE", 20)
    shelf.record(FACTS[:100])
    shelf.projector([Counting()]).catch_up()
    turns, gone = [], threading.Event()

    @event.listens_for(shelf.engine, "after_cursor_execute")
    def seen_by_database(conn: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM test_") and cursor.rowcount:  # type: ignore[attr-defined]
            turns.append("batch")
        elif statement.startswith("DELETE FROM tracking"):
            gone.set()

    standing = books.standing

    def looking(*asked: Any) -> books.Standing:
        turns.append("look")  # where to read on; the driver asks that alone
        return standing(*asked)

    monkeypatch.setattr(books, "standing", looking)
    projector = shelf.projector([Counting(version=2)])
    projector.start()
    try:
        assert gone.wait(PATIENCE_SECONDS)
    finally:
        projector.stop()
    assert turns.count("batch") == 6
    assert ("batch", "batch") not in pairwise(turns)
    with shelf.engine.connect() as conn:
        assert set(conn.scalars(select(seen.c.generation))) == {2}


def test_a_projection_of_a_new_version_is_not_folded_before_it_is_rebuilt(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([Counting()]).catch_up()
    shelf.record(FACTS[100:120])
    newer = shelf.projector([Counting(version=2)], page=20)
    assert newer.run_once() == 0
    assert counted(shelf) == truly(FACTS[:100])
    newer.catch_up()
    assert counted(shelf) == {stream: 2 * n for stream, n in truly(FACTS[:120]).items()}


def test_an_older_program_leaves_newer_rows_alone(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([Counting(version=2)]).catch_up()
    older = shelf.projector([Counting(version=1)])
    assert older.run_once() == 0
    with pytest.raises(NewerGeneration):
        older.rebuild("counting")
    with pytest.raises(NewerGeneration):
        older.catch_up()


def test_a_projection_that_is_new_in_a_ledger_is_built_before_it_is_read(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector(ALL).catch_up()
    both = shelf.projector([*ALL, Counting()])
    assert both.position("counting") == 0
    assert both.run_once() == 0
    assert counted(shelf) == {}
    both.catch_up()
    assert counted(shelf) == truly(FACTS[:100])
    assert both.lag() == 0


def test_whoever_read_the_rows_being_built_would_be_seen_to_read_half_of_them(shelf: Book):
    shelf.record(FACTS)
    projector, seen_live, half_built = shelf.projector(page=50), [], []
    projector.catch_up()

    def progress(position: int, head: int) -> None:
        with one_moment(shelf.engine) as conn:
            seen_live.append(glance(conn, ALL[0]))
            half_built.append(glance(conn, ALL[0], lambda conn, ledger, name: Generation(name, 2)))

    projector.rebuild(ALL[0].name, progress)
    facts = Ledger(shelf.engine, shelf.mapper, "main").facts(0, 1_000)
    assert never_true(seen_live, facts) == []
    # The last look is after the switch: from then on they are what is read.
    assert len(never_true(half_built, facts)) == len(half_built) - 1 > 3
