"""Turns: the lock with the first answer, page and commit with the last, and always known whether it was kept."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from psycopg import pq
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from domain.errors import Unavailable
from domain.moves.apology import Apologise
from infrastructure import turns
from infrastructure.engine import begin_writing, make_engine, writing
from infrastructure.record import Record
from infrastructure.recorder import Head, insert_records, lock_head, move_head, read_head, read_records
from infrastructure.tables import EPOCH
from tests.support.rows import NOON, record
from tests.support.writing import Desk, crm, desk, late

WAITED_SECONDS = 30.0


@contextmanager
def turn(engine: Engine) -> Iterator[Connection]:
    conn = turns.connect(engine)
    try:
        with begin_writing(conn):
            yield conn
    finally:
        conn.invalidate()
        conn.close()


class Refused(Exception):
    """The database would not take the page, and it is known that nothing of it was kept."""


def write(engine: Engine, *rows: Record, meanwhile: Callable[[Connection], None] = lambda conn: None) -> None:
    with turn(engine) as conn:
        turns.begin(conn, "main")
        meanwhile(conn)
        refused = turns.end(conn, "main", rows)
        if refused is not None:
            raise Refused from refused


@pytest.fixture
def postgres(postgres_database: str) -> Iterator[Engine]:
    engine = make_engine(postgres_database)
    yield engine
    engine.dispose()


def test_a_page_is_kept_and_the_head_stands_behind_it(engine: Engine):
    rows = [record(1), record(2)]

    write(engine, *rows)

    with engine.connect() as conn:
        assert read_records(conn, "main", 0, 10) == rows
        assert read_head(conn, "main") == Head(2, rows[-1].recorded_at)
    with turn(engine) as conn:
        assert turns.begin(conn, "main") == Head(2, rows[-1].recorded_at)


def test_a_page_larger_than_what_is_handed_over_at_once_is_kept_whole(engine: Engine):
    rows = [record(n)._replace(public=bytes(40_000)) for n in range(1, 21)]

    write(engine, *rows)

    with engine.connect() as conn:
        assert read_records(conn, "main", 0, 100) == rows


def test_of_a_page_with_a_row_that_cannot_be_nothing_is_kept(engine: Engine):
    taken = record(1)
    with writing(engine) as conn:
        lock_head(conn, "main")
        insert_records(conn, [taken])
        move_head(conn, "main", 1, NOON)

    with pytest.raises(Refused) as told:
        write(engine, record(2), record(3)._replace(event_id=taken.event_id))

    assert isinstance(told.value.__cause__, IntegrityError)
    with engine.connect() as conn:
        assert read_records(conn, "main", 0, 10) == [taken]
        assert read_head(conn, "main") == Head(1, NOON)


def test_who_begins_a_turn_waits_for_the_one_before(engine: Engine):
    together = Barrier(4)

    def take_one() -> int:
        together.wait(WAITED_SECONDS)
        with turn(engine) as conn:
            head = turns.begin(conn, "main")
            assert turns.end(conn, "main", [record(head.position + 1)]) is None
            return head.position

    with ThreadPoolExecutor(4) as pool:
        heads = [future.result() for future in [pool.submit(take_one) for _ in range(4)]]
    assert sorted(heads) == [0, 1, 2, 3]


def test_a_turn_without_events_moves_nothing_and_lets_go(engine: Engine):
    with turn(engine) as conn:
        turns.begin(conn, "main")

    with turn(engine) as conn:
        assert turns.begin(conn, "main") == Head(0, EPOCH)


def test_of_a_page_whose_connection_had_ended_nothing_is_kept(postgres: Engine):
    def ends(conn: Connection) -> None:
        pid = conn.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        with postgres.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    with pytest.raises((Refused, OperationalError)):
        write(postgres, record(1), meanwhile=ends)

    with postgres.connect() as other:
        assert read_records(other, "main", 0, 10) == []


def test_a_fault_of_the_commit_itself_is_not_told_as_a_refusal(postgres: Engine):
    with postgres.begin() as conn:
        conn.execute(text("ALTER TABLE heads ADD UNIQUE (position) DEFERRABLE INITIALLY DEFERRED"))
        conn.execute(text("INSERT INTO heads VALUES ('other', 1, now())"))

    with pytest.raises(DBAPIError):
        write(postgres, record(1))


def test_a_connection_that_was_rolled_back_before_can_be_used(postgres_database: str):
    engine = make_engine(postgres_database, pool_size=1, max_overflow=0)
    with engine.connect() as conn:
        for _ in range(10):  # until the driver prepares it
            conn.execute(text("SELECT :n"), {"n": 1})
        conn.rollback()

    with turn(engine) as conn:
        turns.begin(conn, "main")
        conn.execute(text("SELECT 1"))
        assert turns.end(conn, "main", [record(1)]) is None
    engine.dispose()


def forgets(conn: Connection) -> None:
    """The server loses what was prepared, as with a pooler's DISCARD ALL: nobody tells the driver."""
    driver = conn.connection.driver_connection
    assert driver is not None
    assert driver.pgconn.exec_(b"DEALLOCATE ALL").status == pq.ExecStatus.COMMAND_OK


def test_of_a_page_whose_last_statement_the_server_lost_nothing_is_kept_and_the_next_is(postgres: Engine):
    with pytest.raises(Refused) as told:
        write(postgres, record(1), meanwhile=forgets)

    assert isinstance(told.value.__cause__, DBAPIError)
    assert isinstance(told.value.__cause__.orig, psycopg.errors.InvalidSqlStatementName)
    with postgres.connect() as other:
        assert (read_records(other, "main", 0, 10), read_head(other, "main").position) == ([], 0)
    write(postgres, record(1))
    with postgres.connect() as other:
        assert read_head(other, "main").position == 1


def test_a_lock_that_the_server_lost_is_told_and_prepared_anew_for_the_next_turn(postgres: Engine):
    conn = turns.connect(postgres)
    forgets(conn)
    with pytest.raises(DBAPIError), begin_writing(conn):
        turns.begin(conn, "main")
    conn.close()  # back to those that wait to be used again

    write(postgres, record(1))

    with postgres.connect() as other:
        assert read_head(other, "main").position == 1


def test_a_writer_whose_statements_the_server_lost_acknowledges_nothing_wrongly_and_goes_on(
    postgres_database: str, tmp_path: Path
):
    with desk(postgres_database, tmp_path) as first:
        customer = first.post(late(), crm("C-1")).customer_id
    # One that has nothing to tell: whoever has is at work on his connection after he has answered.
    with desk(postgres_database, tmp_path) as amends:
        before = heard(amends)
        for lost in (b"DEALLOCATE ALL", b"DEALLOCATE amends_lock", b"DEALLOCATE amends_move"):
            conn = amends.writer._connection()
            conn.connection.driver_connection.pgconn.exec_(lost)  # type: ignore[union-attr]
            with pytest.raises(Unavailable) as told:
                amends.post(Apologise(said="regret"), customer)
            assert told.value.recorded == "no"
            assert heard(amends) == before
        amends.post(Apologise(said="regret"), customer)
        assert heard(amends) > before


def heard(amends: Desk) -> int:
    """How far the ledger goes by now."""
    with amends.engine.connect() as conn:
        return read_head(conn, "main").position


def test_whoever_listens_is_told_the_word_as_it_is(postgres: Engine, postgres_database: str):
    url = make_url(postgres_database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as listening:
        listening.execute("LISTEN amends")
        with turns.connect(postgres) as conn:
            turns.tell_listeners(conn, "it's:7")
            [heard] = listening.notifies(timeout=WAITED_SECONDS, stop_after=1)

    assert heard.payload == "it's:7"
