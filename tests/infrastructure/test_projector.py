"""The projector: every event folded exactly once into every read model, whatever breaks."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from domain.kinds import Fact
from projections import ALL
from tests.support.counting import Counting, create_tables
from tests.support.folded import FACTS, counted, expected, same, truly
from tests.support.ledgers import Book, book


def test_pages_of_any_size_give_the_rows_of_a_plain_fold(shelf: Book):
    shelf.record(FACTS)
    shelf.projector(page=40).catch_up()
    assert same(shelf.rows(), expected(FACTS))


def test_a_new_projector_at_every_page_boundary_goes_on_where_the_last_one_stopped(shelf: Book):
    shelf.projector()
    shelf.record(FACTS)
    while shelf.projector(page=17).run_once():
        pass
    assert same(shelf.rows(), expected(FACTS))


def test_an_empty_ledger_has_nothing_to_fold(shelf: Book):
    projector = shelf.projector()
    assert (projector.run_once(), projector.lag(), projector.position()) == (0, 0, 0)


def test_a_page_that_cannot_be_committed_is_folded_again_and_counts_once(shelf: Book):
    shelf.record(FACTS[:10])
    projector = shelf.projector([Counting()])
    projector.catch_up()
    shelf.record(FACTS[10:20])
    with shelf.engine.begin() as conn:
        _break_tracking(conn, shelf.engine)
    with pytest.raises(Exception, match="no disk"):
        projector.run_once()
    with shelf.engine.begin() as conn:
        _mend_tracking(conn, shelf.engine)
    projector.catch_up()
    assert counted(shelf) == truly(FACTS[:20])


def _break_tracking(conn: object, engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        conn.execute(  # type: ignore[attr-defined]
            text("CREATE TRIGGER broken BEFORE UPDATE ON tracking BEGIN SELECT RAISE(ABORT, 'no disk'); END")
        )
        return
    for statement in (
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no disk'; END $$",
        "CREATE TRIGGER broken BEFORE UPDATE ON tracking FOR EACH ROW EXECUTE FUNCTION broken()",
    ):
        conn.execute(text(statement))  # type: ignore[attr-defined]


def _mend_tracking(conn: object, engine: Engine) -> None:
    conn.execute(text("DROP TRIGGER broken" + ("" if engine.dialect.name == "sqlite" else " ON tracking")))  # type: ignore[attr-defined]


def test_who_is_overtaken_throws_his_page_away(shelf: Book):
    shelf.projector([Counting()])
    shelf.record(FACTS[:60])
    faster = shelf.projector([Counting()], page=10)
    once = threading.Event()

    def overtaken(fact: Fact) -> None:
        if not once.is_set():
            once.set()
            faster.run_once()

    slower = shelf.projector([Counting(on_apply=overtaken)], page=10)
    assert slower.run_once() == 0
    assert slower.position() == 10
    while slower.run_once():
        pass
    assert counted(shelf) == truly(FACTS[:60])


def test_two_projectors_at_the_same_time_count_each_event_once(shelf: Book):
    projectors = [shelf.projector([Counting()], page=7) for _ in range(2)]
    shelf.record(FACTS[:150])
    threads = [threading.Thread(target=one.catch_up) for one in projectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counted(shelf) == truly(FACTS[:150])


def test_projections_that_stand_at_different_positions_each_fold_what_they_lack(shelf: Book):
    shelf.record(FACTS[:100])
    behind = shelf.projector([Counting()], page=20)
    behind.catch_up()
    shelf.record(FACTS[100:200])
    behind.run_once()
    shelf.projector(ALL).catch_up()
    both = shelf.projector([*ALL, Counting()], page=30)
    assert (both.position("counting"), both.position("timeline")) == (120, 200)
    both.run_once()
    assert (both.position("counting"), both.position("timeline")) == (150, 200)
    both.catch_up()
    assert counted(shelf) == truly(FACTS[:200])
    assert same(shelf.rows(), expected(FACTS[:200]))


def test_ledgers_are_folded_apart(database: str, tmp_path: Path):
    with book(database, tmp_path, "north") as north, book(database, tmp_path, "south") as south:
        create_tables(north.engine)
        north.record(FACTS[:30])
        south.record(FACTS[30:40])
        north.projector([Counting()]).catch_up()
        assert north.projector([Counting()]).position() == 30
        assert south.projector([Counting()]).position() == 0


def test_a_row_may_be_taken_away(shelf: Book):
    shelf.record(FACTS[:60])
    shelf.projector([Counting(forget=frozenset({FACTS[59].event.TOPIC}))]).catch_up()
    assert str(FACTS[59].stream_id) not in counted(shelf)


def test_lag_is_measured_against_the_true_head(shelf: Book):
    projector = shelf.projector([Counting()], page=30)
    shelf.record(FACTS[:100])
    assert projector.lag() == 100
    projector.run_once()
    assert (projector.lag(), projector.position()) == (70, 30)
