"""Relationships that are not in memory: what is read of them, by how many questions, and what of it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import DBAPIError

from domain.recovery import Recovery
from domain.relationship import Relationship, evolve
from infrastructure import cold
from infrastructure.asking import Asking
from infrastructure.cold import read_cold
from infrastructure.engine import writing
from infrastructure.ledger import Ledger
from infrastructure.rows import fetched
from infrastructure.states import load, save_snapshots, shape_of
from infrastructure.tables import snapshots
from tests.support.folded import FACTS
from tests.support.ledgers import Book, book

FORMAT = shape_of(Relationship).format
STREAMS = sorted({fact.stream_id for fact in FACTS})
PLANNED_ANEW = 5
"""So often PostgreSQL plans a prepared statement for what it is asked with, before it tries one plan for all."""


def folded(shelf: Book) -> dict[UUID, Relationship]:
    """The states that all facts of the ledger give."""
    states = {stream: Relationship(stream) for stream in STREAMS}
    for fact in Ledger(shelf.engine, shelf.mapper, "main").facts(0, 10_000):
        states[fact.stream_id] = evolve(states[fact.stream_id], fact)
    return states


def some_at(shelf: Book, version: int) -> None:
    """Stores snapshots of all but the last stream as they stood at this version."""
    states = {stream: Relationship(stream) for stream in STREAMS[:-1]}
    for fact in Ledger(shelf.engine, shelf.mapper, "main").facts(0, 10_000):
        if fact.stream_id in states and fact.version <= version:
            states[fact.stream_id] = evolve(states[fact.stream_id], fact)
    with writing(shelf.engine) as conn:
        save_snapshots(conn, "main", states.values())


@pytest.fixture
def told(shelf: Book) -> Book:
    """A ledger with five customers' stories; four of them have a snapshot."""
    shelf.record(FACTS)
    some_at(shelf, 20)
    return shelf


@contextmanager
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Everything that PostgreSQL is asked inside the block, through SQLAlchemy or not."""
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def heard(cursor: Any, statement: Any, *given: Any, **options: Any) -> Any:
        statements.append(str(statement))
        return execute(cursor, statement, *given, **options)

    rows = Asking.rows

    def also_heard(asking: Any, statement: Any, *given: Any) -> Any:
        statements.append(str(statement))
        return rows(asking, statement, *given)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", heard)
        patch.setattr(Asking, "rows", also_heard)
        yield statements


def test_streams_with_and_without_a_snapshot_and_unknown_ones_are_loaded_together(told: Book):
    nobody = uuid4()
    with told.engine.connect() as conn:
        loaded = load(conn, told.mapper, "main", [*STREAMS, nobody], Relationship)
    assert loaded == folded(told) | {nobody: Relationship(nobody)}


def test_of_a_stream_with_a_snapshot_only_the_events_since_are_read(told: Book):
    with told.engine.connect() as conn:
        kept, since = read_cold(conn, "main", STREAMS, FORMAT)
    first = {stream: min(one.version for one in since if one.stream_id == stream) for stream in STREAMS}
    assert [first[stream] for stream in STREAMS] == [20, 20, 20, 20, 1]
    assert sorted(one.stream_id for one in kept) == STREAMS[:-1]


def test_the_events_of_another_ledger_are_not_read(told: Book):
    with told.engine.connect() as conn:
        assert read_cold(conn, "other", STREAMS, FORMAT) == ([], [])


@pytest.fixture
def served(postgres_database: str, tmp_path: Path) -> Iterator[Book]:
    """The same on PostgreSQL alone."""
    with book(postgres_database, tmp_path) as shelf:
        shelf.record(FACTS)
        some_at(shelf, 20)
        yield shelf


def test_postgresql_is_asked_once_however_many_are_loaded(served: Book, monkeypatch: pytest.MonkeyPatch):
    with served.engine.connect() as conn, conn.begin(), asked(monkeypatch) as statements:
        load(conn, served.mapper, "main", STREAMS, Relationship)
    assert len(statements) == 1


def plans(conn: Connection) -> tuple[int, int]:
    """How often the one statement was answered by a plan for whatever is asked, and by one made anew."""
    query = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%% AS newest %%'"
    [(for_any, anew)] = conn.exec_driver_sql(query).all()
    return for_any, anew


def load_often(shelf: Book, few: int, many: int) -> tuple[int, int]:
    """Loads streams thirty times on a connection of its own, from `few` to `many` at once: see `plans`."""
    shelf.engine.dispose()
    with shelf.engine.connect() as conn, conn.begin():
        for n in range(30):
            load(conn, shelf.mapper, "main", STREAMS[: few + n % (many - few + 1)], Relationship)
        return plans(conn)


def test_postgresql_plans_for_any_number_of_streams_and_not_anew_each_time(
    served: Book, monkeypatch: pytest.MonkeyPatch
):
    for few, many in ((1, 1), (2, 4)):
        for_any, anew = load_often(served, few, many)
        assert anew <= PLANNED_ANEW < for_any
    # The check sees it: asked with an array that it can count, PostgreSQL never stops planning.
    monkeypatch.setattr(cold, "_MANY", cold._MANY.replace("(SELECT %b::uuid[])", "%b::uuid[]"))
    for_any, anew = load_often(served, 2, 2)
    assert for_any == 0 < PLANNED_ANEW < anew


def test_a_connection_that_was_lost_asks_again_through_a_new_one(served: Book):
    with served.engine.connect() as conn:
        before = load(conn, served.mapper, "main", STREAMS, Relationship)
        conn.rollback()
        conn.invalidate()
        assert load(conn, served.mapper, "main", STREAMS, Relationship) == before


def test_a_question_that_failed_does_not_spoil_the_next(served: Book):
    with served.engine.connect() as conn:
        with pytest.raises(DBAPIError), conn.begin():
            fetched(conn, "SELECT 1 / %b", [0])
        assert load(conn, served.mapper, "main", STREAMS, Relationship) == folded(served)


def test_damaged_and_sound_snapshots_are_told_apart(told: Book):
    with told.engine.begin() as conn:
        conn.execute(update(snapshots).where(snapshots.c.stream_id == STREAMS[0]).values(state=b"spoilt"))
        conn.execute(delete(snapshots).where(snapshots.c.stream_id == STREAMS[1]))
    with writing(told.engine) as conn:
        assert load(conn, told.mapper, "main", STREAMS, Relationship) == folded(told)
        replaced = {one.stream_id: one.version for one in read_cold(conn, "main", STREAMS, FORMAT).kept}
    assert replaced[STREAMS[0]] == folded(told)[STREAMS[0]].version
    assert replaced[STREAMS[2]] == 20


def defaults(kind: type[Any]) -> dict[str, Any]:
    """What the fields of a dataclass are when nothing is said of them."""
    return {one.name: one.default for one in fields(kind) if one.default is not MISSING}


@pytest.mark.parametrize("kind", [Relationship, Recovery])
def test_the_format_names_every_value_that_a_snapshot_leaves_out(kind: type[Any]):
    # A program in which one of them is another must not read a snapshot of this one.
    assert is_dataclass(kind)
    schema = shape_of(Relationship).state.json_schema()
    named = (schema if kind is Relationship else schema["$defs"][kind.__name__])["properties"]
    for name, default in defaults(kind).items():
        assert named[name]["default"] == (list(default) if isinstance(default, tuple | frozenset) else default)


def test_a_snapshot_says_only_what_is_not_as_it_always_is_at_first(told: Book):
    with told.engine.connect() as conn:
        written = read_cold(conn, "main", STREAMS, FORMAT).kept[0].packed
    assert b'"version":20' in written
    assert b'"status":"active"' not in written
    assert b"null" not in written
