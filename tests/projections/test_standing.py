"""Standing: what one question says of many customers is what the read models say of each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, event

from infrastructure.projector import Projector
from projections import ALL, recoveries, satisfaction, standing
from projections.base import Source
from projections.recovery_rows import recovery_streams
from tests.support.folded import FACTS
from tests.support.ledgers import Book, book

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STREAMS = sorted({fact.stream_id for fact in FACTS})


@pytest.fixture
def shelf(database: str, tmp_path: Path) -> Iterator[Book]:
    """The read models of some customers' stories; once on each kind of database."""
    with book(database, tmp_path) as one:
        projector = Projector(one.engine, one.mapper, ALL)
        projector.enter()
        one.record(FACTS)
        projector.catch_up()
        yield one


def expected(source: Source, ids: list[UUID]) -> dict[UUID, standing.Standing]:
    """The same, read model by read model and customer by customer."""
    found = {one: satisfaction.of_customer(source, one, NOW) for one in ids}
    return {
        one: (content, recoveries.of_customer(source, one, NOW))
        for one, content in found.items()
        if content is not None
    }


def test_everybody_stands_as_the_read_models_say(shelf: Book):
    with shelf.engine.connect() as conn:
        source = Source(conn, "main", 1)
        told = standing.of_customers(source, [*STREAMS, uuid4()], NOW)
        assert told == expected(source, STREAMS)
    assert list(map(len, (told, STREAMS))) == [len(STREAMS)] * 2
    # Somebody has several recoveries, so that their order and the sum of their steps were looked at.
    assert max(len(cases) for _, cases in told.values()) > 1
    assert {content.coverage for content, _ in told.values()} - {None, 0}


def test_a_customer_without_cases_stands_too(shelf: Book):
    with shelf.engine.connect() as conn:
        source = Source(conn, "main", 1)
        # As while the read model of recoveries is built for the first time.
        conn.execute(delete(recovery_streams))
        conn.execute(delete(recoveries.recoveries))
        told = standing.of_customers(source, STREAMS, NOW)
        assert told == expected(source, STREAMS)
    assert {content.status for content, _ in told.values()} == {None}
    assert all(cases == [] for _, cases in told.values())


def test_another_ledger_and_another_generation_are_not_looked_at(shelf: Book):
    with shelf.engine.connect() as conn:
        assert standing.of_customers(Source(conn, "other", 1), STREAMS, NOW) == {}
        assert standing.of_customers(Source(conn, "main", 2), STREAMS, NOW) == {}
        assert len(standing.of_customers(Source(conn, "main", 1), STREAMS, NOW)) == len(STREAMS)


def test_postgresql_is_asked_once_however_many_are_looked_up(postgres_database: str, tmp_path: Path):
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    with book(postgres_database, tmp_path) as one, one.engine.connect() as conn:
        event.listen(conn, "before_cursor_execute", note)
        for n in (1, 2, len(STREAMS)):
            standing.of_customers(Source(conn, "main", 1), STREAMS[:n], NOW)
    # The same words each time, so that PostgreSQL need not plan anew.
    assert len(asked) == 3
    assert len(set(asked)) == 1
