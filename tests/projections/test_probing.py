"""How PostgreSQL finds a stream's rows: by the primary key, though it knows nothing of the table yet."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Engine, Table

from infrastructure.engine import make_engine
from projections import ALL

LOADED = [table for one in ALL for table in one.loaded]
READ = (
    "EXPLAIN SELECT found.* FROM unnest(%s::uuid[]) AS asked (stream_id) CROSS JOIN LATERAL (SELECT * FROM {}"
    " WHERE ledger = %s AND generation = %s AND stream_id = asked.stream_id OFFSET 0) AS found"
)


@pytest.fixture
def empty(postgres_database: str) -> Iterator[Engine]:
    """An engine on a database in which nothing was ever stored."""
    engine = make_engine(postgres_database)
    yield engine
    engine.dispose()


def plan(engine: Engine, table: Table) -> str:
    streams = [UUID(int=n) for n in range(9)]
    with engine.connect() as conn:
        # Made for any keys, as the plan is of who asks the same again and again.
        conn.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        rows = conn.exec_driver_sql(READ.format(table.name), (streams, "main", 1))
        return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("table", LOADED, ids=lambda one: one.name)
def test_a_streams_rows_are_found_by_the_primary_key_in_a_database_that_knows_nothing(empty: Engine, table: Table):
    assert f"pk_{table.name}" in plan(empty, table)


def test_an_index_of_all_rows_would_be_taken_instead(empty: Engine):
    """What went wrong: every probe read all rows of the generation, until the table was analysed."""
    (state,) = (one for one in LOADED if one.name == "satisfaction_state")
    with empty.begin() as conn:
        conn.exec_driver_sql("CREATE INDEX of_all ON satisfaction_state (ledger, generation, score)")
    assert "of_all" in plan(empty, state)
