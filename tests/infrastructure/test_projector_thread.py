"""The projector as a thread, and beside others."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import select

from infrastructure.bell import Bell
from infrastructure.leases import Lease
from infrastructure.tables import generations
from projections import ALL
from tests.support.counting import Counting
from tests.support.folded import FACTS, counted, truly
from tests.support.ledgers import Book, book
from tests.support.processes import PATIENCE_SECONDS


def test_the_thread_folds_what_is_appended_and_tells_who_waits(shelf: Book):
    bell = Bell()
    projector = shelf.projector([Counting()], bell=bell)
    projector.start()
    try:
        shelf.record(FACTS[:100])
        bell.ring()
        assert projector.wait(100, PATIENCE_SECONDS)
        assert not projector.wait(101, 0)
    finally:
        projector.stop()
    assert counted(shelf) == truly(FACTS[:100])


def test_the_thread_rebuilds_what_is_of_an_older_version(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([Counting()]).catch_up()
    projector = shelf.projector([*ALL, Counting(version=3)], page=20)
    projector.start()
    try:
        assert projector.wait(100, PATIENCE_SECONDS)
    finally:
        projector.stop()
    assert counted(shelf) == {stream: 3 * n for stream, n in truly(FACTS[:100]).items()}


def test_one_stands_by_while_another_holds_the_lease(shelf: Book):
    held = Lease(shelf.engine, "main", "projector", "somebody", shelf.clock)
    assert held.hold()
    bell = Bell()
    projector = shelf.projector([Counting()], bell=bell)
    shelf.record(FACTS[:10])
    projector.start()
    try:
        assert not projector.wait(10, 0.3)
        held.release()
        assert projector.wait(10, PATIENCE_SECONDS)
    finally:
        projector.stop()


def test_processes_that_start_together_make_the_books_once(database: str, tmp_path: Path):
    with book(database, tmp_path) as shelf, ThreadPoolExecutor(4) as pool:
        entered = [pool.submit(shelf.projector) for _ in range(4)]
        assert [one.exception() for one in entered] == [None] * 4
        with shelf.engine.connect() as conn:
            assert conn.scalars(select(generations.c.live)).all() == [1] * len(ALL)
