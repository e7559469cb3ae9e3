"""What holds for every read model: the same rows however they are folded, and nobody's data in them."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from pydantic import TypeAdapter
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite

from domain.kinds import Fact
from domain.relationship import Relationship, evolve
from projections import ALL
from projections.base import Instant, Key, Projection, Row, fold, metadata, written
from projections.recovery_cases import Cases
from tests.support.histories import histories
from tests.support.ledgers import Book, book, mixed
from tests.support.soak import examples

CANARIES = ("canary-words", "canary@example.org", "Ώρα-καναρίνι", "canary-order")
EVERY = pytest.mark.parametrize("projection", ALL, ids=lambda one: one.name)


@EVERY
def test_a_projection_is_named_once_and_its_tables_begin_with_ledger_generation_and_stream(
    projection: Projection,
):
    assert [one.name for one in ALL].count(projection.name) == 1
    assert set(projection.loaded) <= set(projection.tables)
    for table in projection.tables:
        assert [column.name for column in table.primary_key][:3] == ["ledger", "generation", "stream_id"]


def test_every_table_belongs_to_one_projection():
    owned = [table for projection in ALL for table in projection.tables]
    assert sorted(table.name for table in owned) == sorted(metadata.tables)


@EVERY
@examples(40, many=2_000)
@given(facts=histories())
def test_stopping_anywhere_and_going_on_from_stored_rows_changes_nothing(
    projection: Projection, facts: list[Fact]
):
    stored: dict[Key, Row] = {}
    loaded = {table.name for table in projection.loaded}
    for fact in facts:
        rows = {key: _again(projection, key[0], row) for key, row in stored.items() if key[0] in loaded}
        for key, row in projection.apply(rows, fact).items():
            if row is None:
                stored.pop(key, None)
            else:
                stored[key] = projection.stored(key, row)
    assert stored == fold(projection, facts)


def _again(projection: Projection, table: str, row: Row) -> Row:
    """The row as it comes back from a database."""
    (found,) = (one for one in projection.tables if one.name == table)
    return {
        name: column.type.process_result_value(column.type.process_bind_param(row[name], None), None)
        if type(column.type).__name__ == "Folded"
        else row[name]
        for name, column in found.c.items()
        if name in row
    }


@examples(40, many=2_000)
@given(facts=histories())
def test_a_state_has_one_form_on_disk_and_comes_back_equal(facts: list[Fact]):
    state = Relationship(facts[0].stream_id)
    for fact in facts:
        state = evolve(state, fact)
    cases = Cases(state)
    again = TypeAdapter(Cases).validate_json(written(cases))
    assert again == cases
    assert written(again) == written(cases)


def test_moments_are_written_as_headers_write_them():
    assert written({"at": datetime(2026, 3, 2, 12, 0, tzinfo=UTC)}) == b'{"at":"2026-03-02T12:00:00Z"}'


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
    ],
)
def test_a_moment_that_could_not_be_read_again_is_not_written(moment: datetime, dialect: Dialect):
    with pytest.raises(OverflowError):
        Instant().process_bind_param(moment, dialect)


def test_sets_are_written_in_order():
    assert written({"these": frozenset("edcba")}) == b'{"these":["a","b","c","d","e"]}'


def test_no_personal_datum_reaches_any_row(module_database: str, tmp_path: Path):
    with book(module_database, tmp_path, "canary") as one:
        one.record(_with_canaries(mixed(streams=6, tellings=60)))
        one.projector().catch_up()
        assert sum(map(len, one.rows().values())) > 300
        everything = _everything(one)
    for canary in CANARIES:
        assert canary.encode() not in everything
        assert canary.encode("unicode_escape") not in everything


def _with_canaries(facts: list[Fact]) -> list[Fact]:
    """The same facts, with a canary in every personal field that holds words."""
    told = []
    for n, fact in enumerate(facts):
        words = {
            name: f"{CANARIES[n % len(CANARIES)]} {n}"
            for name in fact.event.PERSONAL
            if isinstance(getattr(fact.event, name), str)
        }
        event = fact.event.model_copy(update=words)
        told.append(Fact(event, *(getattr(fact, name) for name in Fact.__slots__[1:])))
    assert any(vars(fact.event).get("description", "").startswith("canary") for fact in told)
    return told


def _everything(one: Book) -> bytes:
    """Every byte of every table of read models, as the database keeps it."""
    found = []
    with one.engine.connect() as conn:
        for table in metadata.sorted_tables:
            for row in conn.exec_driver_sql(f'SELECT * FROM "{table.name}"'):
                found += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(found)
