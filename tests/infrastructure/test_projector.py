"""The projector: every event folded exactly once into every read model, whatever breaks."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, LargeBinary, event, literal, select, text, update

from domain.kinds import Fact
from infrastructure.bell import Bell
from infrastructure.engine import writing
from infrastructure.generations import Generation, NewerGeneration, Wanted, number_of_live, switch
from infrastructure.leases import LASTS, Lease
from infrastructure.recorder import insert_records, lock_head, move_head, read_records
from infrastructure.tables import generations
from projections import ALL
from projections.base import Projection, fold
from projections.recoveries import recovery_streams
from tests.support.counting import Counting, counts, create_tables, seen
from tests.support.histories import relationships
from tests.support.ledgers import Book, Rows, book, mixed
from tests.support.soak import examples
from tests.support.writing import Clock

FACTS = mixed(streams=5, tellings=60)[:300]
"""Five customers' stories, mixed: 300 facts, enough for several pages of 40."""
assert len(FACTS) == 300


@pytest.fixture
def shelf(database: str, tmp_path: Path) -> Iterator[Book]:
    """An empty ledger, with the tables of a counting read model."""
    with book(database, tmp_path) as one:
        create_tables(one.engine)
        yield one


def expected(facts: list[Fact], *projections: Projection) -> Rows:
    """The rows that a plain fold of each stream gives, as they come back from a database."""
    streams: dict[object, list[Fact]] = {}
    for fact in facts:
        streams.setdefault(fact.stream_id, []).append(fact)
    rows: Rows = {table.name: [] for one in projections or ALL for table in one.tables}
    for one in projections or ALL:
        for stream, told in streams.items():
            for key, row in fold(one, told).items():
                rows[key[0]].append({"stream_id": stream, **row})
    return rows


def same(found: Rows, wanted: Rows) -> bool:
    """Whether both hold the same rows; structures of codes are compared as they are written."""
    return _plain(found) == _plain(wanted)


def _plain(rows: Rows) -> dict[str, list[str]]:
    tables = {table.name: table for one in ALL for table in one.tables}
    return {
        name: sorted(
            repr({c.name: _bound(c, row[c.name]) for c in tables[name].c if c.name in row}) for row in these
        )
        for name, these in rows.items()
    }


def _bound(column: object, value: object) -> object:
    kind = column.type  # type: ignore[attr-defined]
    if type(kind).__name__ in ("Codes", "Folded"):
        return kind.process_bind_param(value, None)
    return value.isoformat() if hasattr(value, "isoformat") else value


def counted(shelf: Book) -> dict[str, int]:
    """How many events of each stream the counting read model has counted."""
    live = select(generations.c.live).where(generations.c.name == "counting").scalar_subquery()
    with shelf.engine.connect() as conn:
        rows = conn.execute(select(counts.c.stream_id, counts.c.n).where(counts.c.generation == live))
        return {str(stream): n for stream, n in rows}


def truly(facts: list[Fact]) -> dict[str, int]:
    """How many events each stream has."""
    streams = [str(fact.stream_id) for fact in facts]
    return {stream: streams.count(stream) for stream in streams}


# Exactly once.


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


# Rebuilding.


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
        elif "FROM events" in statement:
            turns.append("look")
        elif statement.startswith("DELETE FROM tracking"):
            gone.set()

    projector = shelf.projector([Counting(version=2)])
    projector.start()
    try:
        assert gone.wait(20)
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


# Streams that get stuck.

POISON = next(fact for fact in FACTS[30:] if fact.event.TOPIC == "apology.made")


class Misunderstood(Exception):
    """What a faulty read model raises."""


def poisoned(fact: Fact) -> None:
    """A read model that fails on one event, and says what the customer said."""
    if fact.event_id == POISON.event_id:
        raise Misunderstood("canary-words")


def test_a_poison_event_parks_its_stream_and_nobody_else(shelf: Book):
    shelf.record(FACTS)
    projector = shelf.projector([*ALL, Counting(on_apply=poisoned)], page=40)
    projector.catch_up()
    assert projector.lag() == 0
    (stuck,) = projector.parked()
    assert (stuck.projection, stuck.stream_id, stuck.position) == ("counting", POISON.stream_id, POISON.position)
    assert "Misunderstood" in stuck.error
    assert "canary" not in stuck.error
    found, wanted = counted(shelf), truly(FACTS)
    before = [fact for fact in FACTS[: POISON.position - 1] if fact.stream_id == POISON.stream_id]
    assert found.pop(str(POISON.stream_id)) == len(before)
    wanted.pop(str(POISON.stream_id))
    assert found == wanted
    assert same(shelf.rows(), expected(FACTS))


def test_released_after_a_fix_it_equals_a_clean_rebuild(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector([Counting(on_apply=poisoned)], page=40).catch_up()
    fixed = shelf.projector([Counting()])
    assert fixed.release() == 1
    assert fixed.parked() == []
    assert counted(shelf) == truly(FACTS[:200])
    shelf.record(FACTS[200:250])
    fixed.catch_up()
    assert counted(shelf) == truly(FACTS[:250])


def test_released_without_a_fix_it_stays_parked(shelf: Book):
    shelf.record(FACTS[:200])
    projector = shelf.projector([Counting(on_apply=poisoned)])
    projector.catch_up()
    stuck = projector.parked()
    assert projector.release() == 0
    assert [(one.stream_id, one.position) for one in projector.parked()] == [
        (one.stream_id, one.position) for one in stuck
    ]


def test_a_row_that_the_database_refuses_parks_its_stream_at_that_very_event(shelf: Book):
    def spoil(row: dict[str, object]) -> dict[str, object]:
        return row | ({"topic": None} if row.get("position") == POISON.position else {})

    shelf.record(FACTS)
    projector = shelf.projector([Counting(spoil=spoil)], page=40)
    projector.catch_up()
    assert [(one.stream_id, one.position) for one in projector.parked()] == [(POISON.stream_id, POISON.position)]
    others = {stream: n for stream, n in truly(FACTS).items() if stream != str(POISON.stream_id)}
    assert {stream: n for stream, n in counted(shelf).items() if stream in others} == others


def test_an_event_that_cannot_be_decoded_parks_its_stream_everywhere(shelf: Book):
    shelf.record(FACTS[:50])
    _record_damaged(shelf)
    projector = shelf.projector([*ALL, Counting()])
    projector.catch_up()
    damaged = stream_at(shelf, 51)
    assert {(one.projection, one.stream_id, one.position) for one in projector.parked()} == {
        (name, damaged, 52) for name in ("satisfaction", "recoveries", "timeline", "feed", "counting")
    }


def _record_damaged(shelf: Book) -> None:
    shelf.record(FACTS[50:51])
    with shelf.engine.connect() as conn:
        (good,) = read_records(conn, "main", 50, 1)
    bad = replace(good, position=52, public=b"not JSON", version=good.version + 1, event_id=UUID(int=99))
    with writing(shelf.engine) as conn:
        lock_head(conn, "main")
        insert_records(conn, [bad])
        move_head(conn, "main", 52, good.recorded_at)


def stream_at(shelf: Book, position: int) -> UUID:
    with shelf.engine.connect() as conn:
        return read_records(conn, "main", position - 1, 1)[0].stream_id


def test_stored_rows_that_cannot_be_read_park_their_stream_and_nobody_else(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector(page=40).catch_up()
    damaged = FACTS[200].stream_id
    streams = recovery_streams.c.stream_id
    with shelf.engine.begin() as conn:
        conn.execute(
            update(recovery_streams)
            .where(streams == damaged)
            .values(cases=literal(b"not what was written", LargeBinary))
        )
    shelf.record(FACTS[200:])
    projector = shelf.projector(page=40)
    projector.catch_up()
    assert projector.lag() == 0
    assert [(one.projection, one.stream_id, one.position) for one in projector.parked()] == [
        ("recoveries", damaged, 201)
    ]
    assert projector.release() == 0
    projector.rebuild("recoveries")
    assert projector.parked() == []
    assert same(shelf.rows(), expected(FACTS))


def test_a_parked_stream_is_gone_with_a_rebuild_of_the_fixed_projection(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector([Counting(on_apply=poisoned)]).catch_up()
    fixed = shelf.projector([Counting()])
    fixed.rebuild("counting")
    assert fixed.parked() == []
    assert counted(shelf) == truly(FACTS[:200])


# As a thread, and beside others.


def test_the_thread_folds_what_is_appended_and_tells_who_waits(shelf: Book):
    bell = Bell()
    projector = shelf.projector([Counting()], bell=bell)
    projector.start()
    try:
        shelf.record(FACTS[:100])
        bell.ring()
        assert projector.wait(100, 20)
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
        assert projector.wait(100, 20)
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
        assert projector.wait(10, 20)
    finally:
        projector.stop()


def test_a_lease_is_held_by_one_and_taken_over_when_it_has_run_out(engine: Engine):
    clock = Clock()
    first, second = (Lease(engine, "main", "job", name, clock) for name in ("first", "second"))
    assert first.hold()
    assert not second.hold()
    clock.now += LASTS + timedelta(seconds=1)
    assert second.hold()
    assert not first.hold()
    second.release()
    assert first.hold()


def test_a_lease_that_a_jump_of_the_clock_left_far_ahead_counts_as_run_out(engine: Engine):
    clock = Clock()
    first, second = (Lease(engine, "main", "job", name, clock) for name in ("first", "second"))
    now = clock.now
    clock.now = now + timedelta(days=400)
    assert first.hold()
    clock.now = now
    assert second.hold()
    assert not first.hold()


def test_clocks_that_differ_a_little_do_not_take_each_others_lease(engine: Engine):
    clock, ahead = Clock(), Clock()
    ahead.now = clock.now + LASTS / 2
    assert Lease(engine, "main", "job", "first", ahead).hold()
    assert not Lease(engine, "main", "job", "second", clock).hold()


def test_lag_is_measured_against_the_true_head(shelf: Book):
    projector = shelf.projector([Counting()], page=30)
    shelf.record(FACTS[:100])
    assert projector.lag() == 100
    projector.run_once()
    assert (projector.lag(), projector.position()) == (70, 30)


def test_processes_that_start_together_make_the_books_once(database: str, tmp_path: Path):
    with book(database, tmp_path) as shelf, ThreadPoolExecutor(4) as pool:
        entered = [pool.submit(shelf.projector) for _ in range(4)]
        assert [one.exception() for one in entered] == [None] * 4
        with shelf.engine.connect() as conn:
            assert conn.scalars(select(generations.c.live)).all() == [1] * len(ALL)
