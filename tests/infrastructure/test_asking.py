"""Questions asked over and over: prepared once, asked anew when the server was told to forget them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import pq
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from infrastructure.asking import Asking, Forgetful
from infrastructure.engine import make_engine, out_of_reach
from infrastructure.rows import fetched

PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'amends_%%'"


@pytest.fixture
def engine(postgres_database: str) -> Iterator[Engine]:
    """An engine of the program's on PostgreSQL, with one connection."""
    made = make_engine(postgres_database, patience_seconds=20, pool_size=1, max_overflow=0)
    yield made
    made.dispose()


@contextmanager
def begun(engine: Engine) -> Iterator[Connection]:
    """A connection within a transaction that has asked something already: the driver began it."""
    with engine.connect() as conn, conn.begin():
        conn.execute(text("SELECT 1"))
        yield conn


@pytest.fixture
def reading(postgres_database: str) -> Iterator[Engine]:
    """One for reading, on which every statement stands alone."""
    made = make_engine(postgres_database, reading=True, pool_size=1, max_overflow=0)
    yield made
    made.dispose()


def behind_its_back(conn: Connection, *statements: bytes) -> None:
    """Has the server do this on the connection without a word to the driver, as a pooler in between would."""
    driver = conn.connection.driver_connection
    assert driver is not None
    for statement in statements:
        assert driver.pgconn.exec_(statement).status == pq.ExecStatus.COMMAND_OK


def prepared(conn: Connection) -> int:
    """How many of our statements the server knows on this connection."""
    found: int = conn.exec_driver_sql(PREPARED).scalar_one()
    return found


def test_a_question_is_prepared_once_however_often_it_is_asked(engine: Engine):
    with begun(engine) as conn:
        answers = [fetched(conn, "SELECT %b::int + 1", [number]) for number in range(10)]
        assert answers == [[(number + 1,)] for number in range(10)]
        assert prepared(conn) == 1


def test_values_of_another_type_are_another_question(engine: Engine):
    stream = uuid4()
    with begun(engine) as conn:
        asked: list[Any] = [7, 2**40, "plum", None, stream, [stream], b"\x00"]
        for value in asked:
            assert fetched(conn, "SELECT %b", [value]) == [(value,)]


def test_what_comes_is_as_the_driver_reads_it(engine: Engine):
    query = "SELECT 'plum'::text, %b::uuid, '\\x00ff'::bytea, 5::bigint, NULL::text, true"
    one = UUID(int=7)
    with begun(engine) as conn, conn.connection.driver_connection.cursor(binary=True) as cursor:  # type: ignore[union-attr]
        found = fetched(conn, query, [one])
        assert found == cursor.execute(query, [one]).fetchall() == [("plum", one, b"\x00\xff", 5, None, True)]


def test_the_first_question_of_a_transaction_begins_it(engine: Engine):
    with engine.connect() as conn, conn.begin():
        assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]
        driver = conn.connection.driver_connection
        assert driver is not None
        assert driver.pgconn.transaction_status == pq.TransactionStatus.INTRANS


def test_after_a_rollback_the_question_is_prepared_anew(engine: Engine):
    with engine.connect() as conn:
        for _ in range(3):
            # So often that the driver has prepared statements of its own, and makes the server forget all of them.
            for _ in range(8):
                conn.execute(text("SELECT 1"))
            assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]
            conn.rollback()
        assert isinstance(conn.connection.driver_connection, Forgetful)
        assert conn.connection.driver_connection.forgot == 3


def test_a_rollback_to_a_savepoint_within_the_transaction_is_noticed_too(engine: Engine):
    with begun(engine) as conn:
        for _ in range(8):
            conn.execute(text("SELECT 1"))
        assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]
        conn.begin_nested().rollback()
        assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]


def test_a_question_that_the_server_refuses_is_told_as_by_sqlalchemy_and_the_next_is_answered(engine: Engine):
    with engine.connect() as conn:
        for _ in range(2):
            with pytest.raises(DBAPIError) as refused, conn.begin():
                fetched(conn, "SELECT 1 / %b::int", [0])
            assert isinstance(refused.value.orig, psycopg.errors.DivisionByZero)
        with conn.begin():
            conn.execute(text("SELECT 1"))
            assert fetched(conn, "SELECT 1 / %b::int", [1]) == [(1,)]


def test_a_question_that_cannot_be_prepared_is_told_each_time(engine: Engine):
    with engine.connect() as conn:
        for _ in range(2):
            with pytest.raises(DBAPIError) as refused, conn.begin():
                fetched(conn, "SELECT nobody(%b)", [0])
            assert isinstance(refused.value.orig, psycopg.errors.UndefinedFunction)


def test_in_autocommit_nothing_is_begun(engine: Engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        for number in range(3):
            assert fetched(conn, "SELECT %b::int", [number]) == [(number,)]
            assert driver.pgconn.transaction_status == pq.TransactionStatus.IDLE


def test_a_connection_that_cannot_tell_is_asked_through_the_driver(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
):
    plain = make_url(postgres_database).set(drivername="postgresql").render_as_string(hide_password=False)
    made = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(plain))
    monkeypatch.setattr(Asking, "rows", lambda *_: pytest.fail("asked past the driver"))
    with made.connect() as conn, conn.begin():
        for number in range(2):
            assert fetched(conn, "SELECT %b::int", [number]) == [(number,)]
    made.dispose()


def test_on_an_engine_for_reading_nothing_is_begun_and_what_was_prepared_stays_so(postgres_database: str):
    made = make_engine(postgres_database, reading=True, pool_size=1, max_overflow=0)
    for number in range(3):
        with made.connect() as conn:
            assert conn.execute(text("SELECT 1")).scalar_one() == 1
            driver = conn.connection.driver_connection
            assert isinstance(driver, Forgetful)
            assert driver.pgconn.transaction_status == pq.TransactionStatus.IDLE
            assert fetched(conn, "SELECT %b::int", [number]) == [(number,)]
            assert (driver.forgot, prepared(conn)) == (0, 1)
    made.dispose()


LOSSES = [b"DEALLOCATE ALL", b"DISCARD ALL"]


@pytest.mark.parametrize("lost", LOSSES)
def test_on_an_engine_for_reading_what_the_server_lost_is_prepared_anew_at_once(reading: Engine, lost: bytes):
    with reading.connect() as conn:
        assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]
        assert fetched(conn, "SELECT %b::int + 1", [1]) == [(2,)]
        behind_its_back(conn, lost)
        assert prepared(conn) == 0
        for number in range(3):
            assert fetched(conn, "SELECT %b::int", [number]) == [(number,)]
            assert fetched(conn, "SELECT %b::int + 1", [number]) == [(number + 1,)]
        assert prepared(conn) == 2


def test_on_an_engine_for_reading_a_column_may_get_another_type_meanwhile(reading: Engine):
    with reading.connect() as conn:
        behind_its_back(conn, b"CREATE TABLE plums (weight int)", b"INSERT INTO plums VALUES (7)")
        asked = "SELECT weight FROM plums WHERE %b::int > 0"
        assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]
        assert fetched(conn, asked, [1]) == [(7,)]
        behind_its_back(conn, b"ALTER TABLE plums ALTER weight TYPE text")
        assert fetched(conn, asked, [1]) == fetched(conn, asked, [2]) == [("7",)]
        # No name is given a second time: those that nobody asks for any more stay with the server.
        assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]
        assert fetched(conn, "SELECT %b::int + 1", [1]) == [(2,)]


def test_what_the_server_lost_within_a_transaction_ends_it_and_is_prepared_anew_with_the_next(engine: Engine):
    with engine.connect() as conn:
        transaction = conn.begin()
        assert fetched(conn, "SELECT %b::int", [1]) == [(1,)]
        behind_its_back(conn, b"CREATE TABLE plums (weight int)", b"DEALLOCATE ALL")
        with pytest.raises(DBAPIError) as lost:
            fetched(conn, "SELECT %b::int", [2])
        assert isinstance(lost.value.orig, psycopg.errors.InvalidSqlStatementName)
        transaction.rollback()
        with conn.begin():
            assert fetched(conn, "SELECT %b::int", [3]) == [(3,)]
            # Nothing of what was done before was kept.
            assert fetched(conn, "SELECT to_regclass(%b::text) IS NULL", ["plums"]) == [(True,)]


def test_what_the_server_can_never_do_is_told_and_the_next_question_is_answered(reading: Engine):
    with reading.connect() as conn:
        behind_its_back(conn, b"CREATE TABLE plums (weight int)")
        for number in range(2):
            with pytest.raises(DBAPIError) as refused:
                fetched(conn, "SELECT count(*) FROM plums WHERE weight = %b::int FOR UPDATE", [number])
            assert isinstance(refused.value.orig, psycopg.errors.FeatureNotSupported)
            assert fetched(conn, "SELECT %b::int", [number]) == [(number,)]


@pytest.mark.parametrize("changed", [b"DEALLOCATE ALL", b"ALTER TABLE plums ALTER weight TYPE text"])
def test_a_connection_whose_driver_is_mistaken_about_what_is_prepared_is_given_up(reading: Engine, changed: bytes):
    asked = text("SELECT weight FROM plums WHERE weight IS NOT NULL")
    with reading.connect() as conn:
        behind_its_back(conn, b"CREATE TABLE plums (weight int)", b"INSERT INTO plums VALUES (7)")
        for _ in range(8):  # until the driver prepares it
            conn.execute(asked)
        behind_its_back(conn, changed)
        with pytest.raises(DBAPIError) as lost:
            conn.execute(asked)
    assert out_of_reach(lost.value)
    with reading.connect() as conn:
        assert str(conn.execute(asked).scalar_one()) == "7"
