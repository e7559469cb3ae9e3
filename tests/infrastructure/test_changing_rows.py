"""Changed columns: written alone into rows that are there, found by their keys, while others stay as they are."""

from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text

from infrastructure.engine import make_engine
from infrastructure.rows import RowsGone, change_rows, insert_rows
from infrastructure.statements import BY_KEY, change_arrays
from infrastructure.tables import commands

PLUM, PEAR = UUID(int=1), UUID(int=2)
ROWS = [
    {"ledger": "main", "source": "urn:test", "key": key, "customer_id": PLUM, "position": 1, "n": 1}
    for key in ("one", "two", "three")
]
KEY = [one.name for one in commands.primary_key]


def test_columns_are_written_and_others_stay_as_they_are(engine: Engine) -> None:
    with engine.begin() as conn:
        insert_rows(conn, commands, ROWS)
        new = [
            {"key": "one", "customer_id": PEAR, "position": 7},
            {"key": "three", "customer_id": PEAR, "position": 8},
        ]
        place = {"ledger": ["main", "main"], "source": ["urn:test", "urn:test"]}
        change_rows(conn, commands, ("customer_id", "position"), new, place)
        found = conn.execute(select(commands.c.key, commands.c.customer_id, commands.c.position, commands.c.n))
        assert sorted(map(tuple, found)) == [("one", PEAR, 7, 1), ("three", PEAR, 8, 1), ("two", PLUM, 1, 1)]


def test_no_rows_change_nothing(engine: Engine) -> None:
    with engine.begin() as conn:
        insert_rows(conn, commands, ROWS)
        change_rows(conn, commands, ("position",), [])
        assert set(conn.scalars(select(commands.c.position))) == {1}


def test_a_row_that_is_not_there_is_missed(engine: Engine) -> None:
    with engine.begin() as conn:
        insert_rows(conn, commands, ROWS[:2])
        with pytest.raises(RowsGone):
            change_rows(conn, commands, ("position",), [{**one, "position": 9} for one in ROWS])


def test_rows_are_found_by_their_keys_while_the_table_is_still_empty(postgres_database: str) -> None:
    engine = make_engine(postgres_database)
    with engine.connect() as conn:
        statement = change_arrays(conn.dialect, commands, ("position",)).decode()
        arrays = ", ".join(["NULL"] * (1 + len(KEY)))
        conn.exec_driver_sql(f"PREPARE changing AS {statement}")
        plans = []
        for settings in ("SET LOCAL plan_cache_mode = force_generic_plan", BY_KEY):
            conn.exec_driver_sql(settings)
            plans.append("\n".join(conn.scalars(text(f"EXPLAIN EXECUTE changing ({arrays})"))))
            conn.exec_driver_sql("DISCARD PLANS")
    assert "Seq Scan on commands" in plans[0]  # left to itself, it would keep to this as the table grows
    assert "Seq Scan on commands" not in plans[1]
    assert "Index Scan using" in plans[1]
    engine.dispose()
