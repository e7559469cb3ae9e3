"""Columns as PostgreSQL's arrays: what is sent is what the driver itself would have sent."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, exc

from infrastructure.arrays import ArrayOf
from infrastructure.rows import insert_rows
from infrastructure.tables import commands
from tests.support.ledgers import book

PLUM = UUID("7b7e3f5c-0000-4000-8000-00000000a11c")
SUMMER = datetime(2026, 7, 1, 14, 30, 5, 123456, tzinfo=timezone(timedelta(hours=2)))
VALUES: dict[str, list[Any]] = {
    "BOOLEAN": [True, None, False],
    "BYTEA": [b"", b"\x00plum", None, psycopg.Binary(b"wrapped")],
    "SMALLINT": [-(2**15), None, 0, 2**15 - 1],
    "INTEGER": [-(2**31), 2**31 - 1, None],
    "BIGINT": [-(2**63), 2**63 - 1, None],
    "TEXT": ["", "plum", "δαμάσκηνο", None, 'a "quoted", {braced} \\ NULL', "NULL", "plum"],
    "TIMESTAMP WITH TIME ZONE": [SUMMER, None, datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)],
    "UUID": [PLUM, None, UUID(int=0)],
}


@pytest.fixture
def conn(postgres_database: str, tmp_path: Path) -> Any:
    """A connection to an empty ledger on PostgreSQL."""
    with book(postgres_database, tmp_path) as shelf, shelf.engine.connect() as one:
        yield one


def _driver(conn: Connection) -> "psycopg.Connection[Any]":
    driver: psycopg.Connection[Any] = conn.connection.driver_connection  # type: ignore[assignment]
    return driver


@pytest.mark.parametrize("sql_type", VALUES)
def test_an_array_comes_back_as_the_values_it_was_made_of(conn: Connection, sql_type: str):
    sent = VALUES[sql_type]
    [(back,)] = _driver(conn).execute(f"SELECT %b::{sql_type}[]", [ArrayOf(sql_type)(sent)]).fetchall()
    assert back == [one.obj if isinstance(one, psycopg.Binary) else one for one in sent]


@pytest.mark.parametrize("sql_type", VALUES)
def test_an_array_of_nothing_is_empty(conn: Connection, sql_type: str):
    [(back,)] = _driver(conn).execute(f"SELECT %b::{sql_type}[]", [ArrayOf(sql_type)([])]).fetchall()
    assert back == []


@pytest.mark.parametrize(
    ("sql_type", "value"), [("SMALLINT", 2**15), ("INTEGER", 2**31), ("BIGINT", -(2**63) - 1), ("INTEGER", "1")]
)
def test_a_number_out_of_range_is_refused_before_it_is_sent(sql_type: str, value: object):
    with pytest.raises(struct.error):
        ArrayOf(sql_type)([1, value])


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(TypeError):
        ArrayOf("TIMESTAMP WITH TIME ZONE")([datetime(2026, 7, 1)])  # noqa: DTZ001 - that is the point


def test_what_is_worked_out_of_a_value_is_stored_and_nothing_stays_nothing(conn: Connection):
    array = ArrayOf("TEXT", ",".join)
    [(back,)] = _driver(conn).execute("SELECT %b::TEXT[]", [array([["red", "blue"], None, ["red", "blue"]])])
    assert back == ["red,blue", None, "red,blue"]


@pytest.mark.parametrize("spoilt", [{"n": 2**31}, {"n": "one"}, {"customer_id": "no id"}, {"source": 7}])
def test_a_row_that_cannot_be_sent_names_its_table_and_none_of_its_values(
    conn: Connection, spoilt: dict[str, object]
):
    row = {"ledger": "main", "source": "urn:test", "key": "k", "customer_id": PLUM, "position": 1, "n": 1}
    with pytest.raises(exc.StatementError, match="a row of commands cannot be written") as told:
        insert_rows(conn, commands, [row | spoilt])
    assert str(next(iter(spoilt.values()))) not in str(told.value)
