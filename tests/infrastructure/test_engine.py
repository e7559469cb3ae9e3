"""Connections behave the same on both databases, and keep what they confirmed."""

import socket
import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from infrastructure.engine import UnknownDatabase, begin_writing, make_engine, out_of_reach, unmoving, writing
from infrastructure.patience import hang_up
from infrastructure.tables import heads
from tests.support.faults import proxied
from tests.support.processes import eventually

CHATHAM = timezone(timedelta(hours=13, minutes=45))


def test_sqlite_keeps_what_it_confirmed(sqlite_database: str):
    engine = make_engine(sqlite_database)
    with engine.connect() as conn:
        said = {
            name: conn.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2}
    engine.dispose()


def test_errors_do_not_show_the_values(engine: Engine):
    with pytest.raises(DBAPIError) as refused, engine.connect() as conn:
        conn.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "Mrs Plum"})
    assert "Plum" not in str(refused.value)


@pytest.mark.parametrize("moment", [
    datetime(2026, 11, 21, 23, 26, 38, 123456, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 11, 22, 13, 11, 38, 123456, tzinfo=CHATHAM),
])  # fmt: skip
def test_a_moment_comes_back_to_the_microsecond_in_utc(engine: Engine, moment: datetime):
    with writing(engine) as conn:
        conn.execute(insert(heads).values(ledger="main", position=0, recorded_at=moment))
        kept = conn.execute(select(heads.c.recorded_at)).scalar_one()
    assert kept == moment
    assert kept.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(engine: Engine):
    with pytest.raises(StatementError, match="time zone"), writing(engine) as conn:
        conn.execute(insert(heads).values(ledger="main", position=0, recorded_at=datetime(2026, 1, 1)))  # noqa: DTZ001 (the point)


def test_the_session_speaks_utc_whatever_the_server_does(postgres_database: str):
    engine = make_engine(postgres_database)
    with engine.connect() as conn:
        assert conn.execute(text("SHOW timezone")).scalar_one() == "UTC"
    engine.dispose()


def test_a_session_at_rest_is_not_ended_whatever_the_server_does(postgres_database: str):
    resting = make_engine(f"{postgres_database}&options=-c%20idle_session_timeout=1000", patience_seconds=4)
    with resting.connect() as conn:
        assert conn.execute(text("SHOW idle_session_timeout")).scalar_one() == "0"
    resting.dispose()


def test_two_writing_transactions_take_turns(sqlite_database: str):
    engine = make_engine(sqlite_database)
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with writing(engine):
            order.append("second")

    with writing(engine):
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    engine.dispose()


def test_a_connection_reads_again_without_the_write_lock_after_writing(sqlite_database: str):
    engine = make_engine(sqlite_database, connect_args={"timeout": 0})
    with engine.connect() as reader, engine.connect() as writer:
        with begin_writing(reader):
            pass
        with begin_writing(writer):
            assert reader.execute(text("SELECT count(*) FROM events")).scalar_one() == 0
    engine.dispose()


def test_whoever_reads_at_length_sees_one_moment_and_rows_a_few_at_a_time(database: str):
    reader, writer = make_engine(database, reading=True), make_engine(database)
    seen = select(heads.c.ledger).order_by(heads.c.ledger)
    row = {"position": 0, "recorded_at": datetime(2026, 3, 2, tzinfo=UTC)}
    with writing(writer) as conn:
        conn.execute(insert(heads), [row | {"ledger": name} for name in ("a", "b", "c")])
    with unmoving(reader) as conn:
        first, *others = conn.execute(seen.execution_options(yield_per=1)).scalars()
        with writing(writer) as elsewhere:
            elsewhere.execute(insert(heads), row | {"ledger": "d"})
        again = list(conn.scalars(seen))
    with reader.connect() as conn:
        assert list(conn.scalars(seen)) == ["a", "b", "c", "d"]
        if conn.dialect.name == "postgresql":
            # Back in the pool, the connection lets statements stand alone again.
            driver: Any = conn.connection.driver_connection
            assert driver.autocommit is True
    assert [first, *others] == again == ["a", "b", "c"]
    for engine in (reader, writer):
        engine.dispose()


def test_a_failing_block_writes_nothing(engine: Engine):
    with pytest.raises(IntegrityError):
        begin_the_same_ledger_twice(engine)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM heads")).scalar_one() == 0


def begin_the_same_ledger_twice(engine: Engine) -> None:
    row = {"ledger": "main", "position": 0, "recorded_at": datetime(2026, 3, 2, tzinfo=UTC)}
    with writing(engine) as conn:
        conn.execute(insert(heads).values(row))
        conn.execute(insert(heads).values(row))


@pytest.mark.parametrize("address", ["mysql://root:secret@localhost/amends", "oracle+oracledb://scott:tiger@db"])
def test_a_database_that_we_do_not_know_is_refused_without_its_password(address: str):
    with pytest.raises(UnknownDatabase, match="postgresql://USER:PASSWORD@HOST/DATABASE") as refused:
        make_engine(address)
    assert "secret" not in str(refused.value)
    assert "tiger" not in str(refused.value)


def test_the_short_name_of_postgresql_is_known(postgres_database: str):
    engine = make_engine(postgres_database.replace("postgresql+psycopg://", "postgres://"))
    with engine.connect() as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


def hurried(conn: Connection) -> None:
    """What is asked next has a second, and nothing before or after it."""
    driver: Any = conn.connection.driver_connection
    driver.patience_seconds = 1.0


def test_a_server_that_does_not_answer_counts_as_lost_and_is_found_again(postgres_database: str):
    with proxied(postgres_database) as proxy:
        engine = make_engine(proxy.url, patience_seconds=20)
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
            conn.commit()
            hurried(conn)
            proxy.freeze()
            with pytest.raises(OperationalError) as lost:
                conn.execute(text("SELECT 2"))
        assert out_of_reach(lost.value)
        proxy.thaw()
        with engine.connect() as conn:
            assert conn.execute(text("SELECT 3")).scalar_one() == 3
        engine.dispose()


def test_a_question_that_takes_too_long_is_ended_by_the_server_too(postgres_database: str):
    engine, plain = make_engine(postgres_database, patience_seconds=3), make_engine(postgres_database)
    with engine.connect() as conn, pytest.raises(OperationalError) as ended:
        conn.execute(text("SELECT pg_sleep(3600)"))
    assert out_of_reach(ended.value)
    asking = text(
        "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)' AND state = 'active'"
    )
    with plain.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        eventually(lambda: conn.execute(asking).scalar_one() == 0, "the server has ended it")
    engine.dispose()
    plain.dispose()


def test_hanging_up_frees_whoever_waits_for_an_answer(postgres_database: str):
    engine, plain = make_engine(postgres_database, patience_seconds=3600), make_engine(postgres_database)
    faults: list[Exception] = []

    def ask() -> None:
        try:
            with engine.connect() as conn:
                conn.execute(text("SELECT pg_sleep(3600)"))
        except OperationalError as fault:
            faults.append(fault)

    thread = threading.Thread(target=ask)
    thread.start()
    asking = text("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'")
    with plain.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        eventually(lambda: conn.execute(asking).scalar_one() == 1, "the question was asked")
    hang_up(engine)
    thread.join(30)
    assert [out_of_reach(fault) for fault in faults] == [True]
    with pytest.raises(OperationalError), engine.connect():
        pass
    plain.dispose()
    engine.dispose()


def test_hanging_up_frees_whoever_waits_for_a_connection():
    faults: list[Exception] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/amends"
        engine = make_engine(address, patience_seconds=3600)

        def connect() -> None:
            try:
                engine.connect()
            except OperationalError as fault:
                faults.append(fault)

        thread = threading.Thread(target=connect)
        thread.start()
        with silent.accept()[0]:
            hang_up(engine)
            thread.join(30)
    assert [out_of_reach(fault) for fault in faults] == [True]
    engine.dispose()


def test_a_connection_that_was_told_to_be_read_only_is_given_up(postgres_database: str):
    engine = make_engine(postgres_database, pool_size=1, max_overflow=0)
    with engine.connect() as conn:
        conn.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
        conn.commit()
    with pytest.raises(DBAPIError) as refused, writing(engine) as conn:
        conn.execute(insert(heads).values(ledger="main", position=0, recorded_at=datetime(2026, 3, 2, tzinfo=UTC)))
    assert out_of_reach(refused.value)
    with writing(engine) as conn:
        conn.execute(insert(heads).values(ledger="main", position=0, recorded_at=datetime(2026, 3, 2, tzinfo=UTC)))
    engine.dispose()
