"""Appending: positions without gaps in the order of commits, whoever else writes, and nothing half done."""

import json
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError as LibraryIntegrityError
from eventsourcing.persistence import ProgrammingError, StoredEvent
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from infrastructure.bell import Bell, Listener
from infrastructure.engine import make_engine, out_of_reach, writing
from infrastructure.library import SQLAlchemyRecorder
from infrastructure.record import read_header
from infrastructure.recorder import (
    Head,
    insert_records,
    lock_head,
    move_head,
    read_head,
    read_records,
)
from infrastructure.tables import EPOCH, events
from tests.support.databases import patient
from tests.support.rows import NOON, PLUM, record

WAITED_SECONDS = 30.0


def stored(version: int = 1, stream: UUID | None = None, state: bytes = b"state") -> StoredEvent:
    return StoredEvent(stream or uuid4(), version, "school:Dog.Registered", state)


class TestHead:
    def test_a_new_ledger_stands_at_zero(self, engine: Engine):
        with writing(engine) as conn:
            assert lock_head(conn, "main") == Head(0, EPOCH)

    def test_it_is_where_it_was_moved(self, engine: Engine):
        with writing(engine) as conn:
            lock_head(conn, "main")
            move_head(conn, "main", 7, NOON)
        with writing(engine) as conn:
            assert lock_head(conn, "main") == Head(7, NOON)

    def test_ledgers_do_not_know_each_other(self, engine: Engine):
        with writing(engine) as conn:
            lock_head(conn, "main")
            move_head(conn, "main", 7, NOON)
            assert lock_head(conn, "other") == Head(0, EPOCH)

    def test_a_second_writer_waits_and_sees_what_the_first_did(self, engine: Engine):
        locked, seen = threading.Event(), []

        def second() -> None:
            locked.wait(WAITED_SECONDS)
            with writing(engine) as conn:
                seen.append(lock_head(conn, "main"))

        thread = threading.Thread(target=second)
        thread.start()
        with writing(engine) as conn:
            lock_head(conn, "main")
            locked.set()
            move_head(conn, "main", 1, NOON)
        thread.join(WAITED_SECONDS)
        assert seen == [Head(1, NOON)]

    def test_two_who_begin_a_ledger_together_both_succeed(self, engine: Engine):
        together = threading.Barrier(4)

        def begin() -> int:
            together.wait(WAITED_SECONDS)
            with writing(engine) as conn:
                head = lock_head(conn, "main")
                move_head(conn, "main", head.position + 1, NOON)
                return head.position

        with ThreadPoolExecutor(4) as pool:
            assert sorted(future.result() for future in [pool.submit(begin) for _ in range(4)]) == [0, 1, 2, 3]

    def test_a_connection_that_was_told_to_be_read_only_is_given_up(self, postgres_database: str):
        engine = make_engine(postgres_database, pool_size=1, max_overflow=0)
        with writing(engine) as conn:
            lock_head(conn, "main")
        with engine.connect() as conn:
            conn.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
            conn.commit()
        with pytest.raises(DBAPIError) as refused, writing(engine) as conn:
            lock_head(conn, "main")
        assert out_of_reach(refused.value)
        with writing(engine) as conn:
            assert lock_head(conn, "main") == Head(0, EPOCH)
        engine.dispose()

    def test_one_ledger_does_not_wait_for_another(self, postgres_database: str):
        engine = make_engine(postgres_database)
        with writing(engine) as one, writing(engine) as another:
            lock_head(one, "main")
            assert lock_head(another, "other") == Head(0, EPOCH)
        engine.dispose()


class TestRecords:
    def test_a_record_comes_back_as_it_was(self, engine: Engine):
        whole = record(
            1, personal=b"\x00\xff her words", personal_2=b"his name", recorded_at=NOON + timedelta(microseconds=1)
        )
        bare = record(2)
        with writing(engine) as conn:
            insert_records(conn, [whole, bare])
        with engine.connect() as conn:
            assert read_records(conn, "main", 0, 10) == [whole, bare]

    def test_pages_begin_after_a_position_and_end_where_asked(self, engine: Engine):
        with writing(engine) as conn:
            insert_records(conn, [record(n) for n in range(1, 8)])
        with engine.connect() as conn:
            assert [one.position for one in read_records(conn, "main", 2, 3)] == [3, 4, 5]
            assert [one.position for one in read_records(conn, "main", 2, 30, upto=4)] == [3, 4]
            assert read_records(conn, "other", 0, 10) == []

    @pytest.mark.parametrize(
        "taken",
        [
            record(1, version=2, event_id=UUID(int=2)),
            record(2, version=1, event_id=UUID(int=2)),
            record(2, version=2, event_id=UUID(int=1)),
        ],
        ids=["position", "version", "event_id"],
    )
    def test_a_second_of_the_same_is_refused_on_both_databases_alike(self, engine: Engine, taken):
        with writing(engine) as conn:
            insert_records(conn, [record(1)])
        with pytest.raises(IntegrityError), writing(engine) as conn:
            insert_records(conn, [taken])

    def test_the_same_ids_may_stand_in_another_ledger(self, engine: Engine):
        with writing(engine) as conn:
            insert_records(conn, [record(1), record(1, ledger="other")])
        with engine.connect() as conn:
            assert conn.execute(select(func.count()).select_from(events)).scalar_one() == 2

    def test_no_records_are_no_work(self, engine: Engine):
        with writing(engine) as conn:
            insert_records(conn, [])
            assert read_head(conn, "main") == Head(0, EPOCH)


class TestOtherPrograms:
    def test_positions_have_no_gaps_after_refusals(self, engine: Engine):
        recorder, stream = SQLAlchemyRecorder(engine), uuid4()
        assert recorder.insert_events([stored(1, stream)]) == [1]
        with pytest.raises(LibraryIntegrityError):
            recorder.insert_events([stored(2, stream), stored(1, stream)])
        assert recorder.insert_events([stored(2, stream), stored(3, stream)]) == [2, 3]

    def test_a_reader_never_misses_an_event_of_many_writers(self, engine: Engine):
        patient(engine)
        recorder, bell = SQLAlchemyRecorder(engine), Bell()
        reader = SQLAlchemyRecorder(engine, bell=bell)
        seen: list[int] = []

        def read() -> None:
            with reader.subscribe() as subscription:
                for notification in subscription:
                    seen.append(notification.id)
                    bell.ring()
                    if notification.id == 400:
                        return

        thread = threading.Thread(target=read)
        thread.start()
        with ThreadPoolExecutor(8) as pool:
            done = [pool.submit(recorder.insert_events, [stored(), stored()]) for _ in range(200)]
            given = Counter(position for one in done for position in one.result(WAITED_SECONDS))
        thread.join(WAITED_SECONDS)
        assert given == Counter(range(1, 401))
        assert seen == list(range(1, 401))

    def test_recorded_times_never_fall(self, engine: Engine):
        clock = iter([NOON, NOON - timedelta(days=1), NOON + timedelta(days=1)])
        recorder = SQLAlchemyRecorder(engine, clock=lambda: next(clock))
        for _ in range(3):
            recorder.insert_events([stored()])
        with engine.connect() as conn:
            times = [one.recorded_at for one in read_records(conn, "main", 0, 10)]
        assert times == [NOON, NOON, NOON + timedelta(days=1)]

    def test_what_they_write_is_a_leaf_of_the_log_too(self, engine: Engine):
        recorder = SQLAlchemyRecorder(engine)
        recorder.insert_events([stored(3, PLUM, b"\x80 not JSON")])
        with engine.connect() as conn:
            [kept] = read_records(conn, "main", 0, 10)
        header = read_header(kept.header)
        assert (header.pos, header.ver, header.stream, header.actor) == (1, 3, str(PLUM), "s:eventsourcing")
        assert header.pub.n == 10
        assert json.loads(kept.header)["type"] == (
            "foreign.1f7aedbbc5a791a4efacf41c3d637aa9ee7cb1485992fb85074ac9d088b2eac4"
        )

    def test_streams_are_uuids(self, engine: Engine):
        with pytest.raises(ProgrammingError, match="UUID"):
            SQLAlchemyRecorder(engine).insert_events([StoredEvent("rex", 1, "topic", b"")])

    def test_ledgers_keep_their_own_count(self, engine: Engine):
        stream = uuid4()
        assert SQLAlchemyRecorder(engine, "one").insert_events([stored(1, stream)]) == [1]
        assert SQLAlchemyRecorder(engine, "two").insert_events([stored(1, stream)]) == [1]
        assert SQLAlchemyRecorder(engine, "three").select_events(stream) == []


class TestSubscriptions:
    def test_a_waiting_one_wakes_at_once_when_something_is_appended(self, engine: Engine):
        recorder = SQLAlchemyRecorder(engine)
        with recorder.subscribe() as subscription, ThreadPoolExecutor(1) as pool:
            first = pool.submit(next, subscription)
            recorder.insert_events([stored()])
            assert first.result(WAITED_SECONDS).id == 1

    def test_a_waiting_one_ends_when_it_is_stopped(self, engine: Engine):
        subscription = SQLAlchemyRecorder(engine).subscribe()
        with ThreadPoolExecutor(1) as pool:
            rest: Sequence[object] = pool.submit(list, subscription)
            subscription.stop()
            assert rest.result(WAITED_SECONDS) == []

    def test_it_finds_what_another_process_appended_without_being_told(self, engine: Engine):
        theirs, ours = SQLAlchemyRecorder(engine), SQLAlchemyRecorder(engine)
        with ours.subscribe() as subscription, ThreadPoolExecutor(1) as pool:
            first = pool.submit(next, subscription)
            theirs.insert_events([stored()])
            assert first.result(WAITED_SECONDS).id == 1


class TestListener:
    def test_it_rings_for_its_own_ledger_and_connects_again(self, postgres_database: str):
        engine, bell = make_engine(postgres_database), Bell()
        listener = Listener(engine, "main", bell)
        listener.start()
        try:
            assert bell.wait(0, WAITED_SECONDS)  # it listens
            for _ in range(2):
                heard = bell.rings
                tell(engine, "other:5")
                tell(engine, "main:6")
                assert bell.wait(heard, WAITED_SECONDS)
                assert bell.rings == heard + 1
                heard = bell.rings
                cut_off(engine)
                assert bell.wait(heard, WAITED_SECONDS)  # it listens again
        finally:
            listener.stop()
            engine.dispose()

    def test_it_does_nothing_on_sqlite(self, sqlite_database: str):
        engine = make_engine(sqlite_database)
        listener = Listener(engine, "main", Bell())
        listener.start()
        listener.stop()
        engine.dispose()


def tell(engine: Engine, payload: str) -> None:
    with engine.begin() as conn:
        conn.execute(select(func.pg_notify("amends", payload)))


def cut_off(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
