"""What was recorded stays as it was: the database itself refuses to change or delete it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import IntegrityError

from infrastructure.engine import make_engine, writing
from infrastructure.recorder import COLUMNS, insert_records
from infrastructure.tables import events
from tests.support.rows import record

OTHER = {
    "ledger": "other",
    "position": 7,
    "stream_id": UUID(int=7),
    "version": 7,
    "event_id": UUID(int=7),
    "topic": "apology.made",
    "occurred_at": datetime(2020, 1, 1, tzinfo=UTC),
    "recorded_at": datetime(2020, 1, 1, tzinfo=UTC),
    "header": b"{}",
    "public": b"{}",
    "salt": bytes(range(16)),
    "personal": b"other words",
    "personal_2": b"other words",
}


@pytest.fixture
def recorded(engine: Engine) -> Engine:
    with writing(engine) as conn:
        insert_records(conn, [record(1, personal=b"her words", personal_2=b"his name")])
    return engine


@pytest.mark.parametrize("column", OTHER)
def test_no_column_can_be_rewritten(recorded: Engine, column: str):
    with pytest.raises(IntegrityError, match="only appended"), writing(recorded) as conn:
        conn.execute(update(events).values({column: OTHER[column]}))


def test_every_column_is_tried():
    assert set(OTHER) == set(COLUMNS)


@pytest.mark.parametrize("column", ["personal", "personal_2"])
def test_a_personal_part_can_be_erased_and_never_comes_back(recorded: Engine, column: str):
    with writing(recorded) as conn:
        conn.execute(update(events).values({column: None}))
    with pytest.raises(IntegrityError, match="only appended"), writing(recorded) as conn:
        conn.execute(update(events).values({column: b"back again"}))
    left = {"personal": b"her words", "personal_2": b"his name"} | {column: None}
    assert one_row(recorded).personal == left["personal"]
    assert one_row(recorded).personal_2 == left["personal_2"]


def test_erasing_hides_no_other_change(recorded: Engine):
    with pytest.raises(IntegrityError, match="only appended"), writing(recorded) as conn:
        conn.execute(update(events).values(personal=None, public=b"{}"))
    assert one_row(recorded).personal == b"her words"


def test_nothing_can_be_deleted(recorded: Engine):
    with pytest.raises(IntegrityError, match="only appended"), writing(recorded) as conn:
        conn.execute(events.delete())
    assert one_row(recorded).position == 1


@pytest.mark.parametrize("statement", ["INSERT OR REPLACE", "REPLACE"])
def test_nothing_can_be_replaced(sqlite_database: str, statement: str):
    engine = make_engine(sqlite_database)
    with writing(engine) as conn:
        insert_records(conn, [record(1)])
    with pytest.raises(IntegrityError, match="only appended"), writing(engine) as conn:
        replace(conn, statement)
    assert one_row(engine).public == b'{"grams":1200}'
    engine.dispose()


def replace(conn: Connection, statement: str) -> None:
    columns = ", ".join(name for name in COLUMNS if name != "public")
    conn.execute(text(f"{statement} INTO events ({columns}, public) SELECT {columns}, x'00' FROM events"))


def test_nothing_can_be_truncated(postgres_database: str):
    engine = make_engine(postgres_database)
    with pytest.raises(IntegrityError, match="only appended"), writing(engine) as conn:
        conn.execute(text("TRUNCATE events"))
    engine.dispose()


def one_row(engine: Engine):
    with engine.connect() as conn:
        return conn.execute(select(events)).one()
