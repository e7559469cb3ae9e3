"""Probes: rows are found by their keys through the index, however little the database knows about its tables."""

from uuid import UUID

from sqlalchemy import Connection, Engine, select, text

from infrastructure.engine import make_engine
from infrastructure.probes import probe
from infrastructure.rows import insert_rows
from infrastructure.tables import commands

BY = (commands.c.source, commands.c.key)
WANTED = (commands.c.key, commands.c.position)
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'commands'"


def fill(conn: Connection, n: int, ledger: str = "main") -> None:
    rows = [
        {"source": "urn:test", "key": f"K-{one}", "customer_id": UUID(int=one), "position": one, "n": 1}
        for one in range(n)
    ]
    insert_rows(conn, commands, [{"ledger": ledger, "fingerprint": b"f"} | row for row in rows])


def test_rows_are_found_by_keys_of_several_parts(engine: Engine) -> None:
    with engine.begin() as conn:
        fill(conn, 10)
        fill(conn, 10, ledger="other")
        keys = [("urn:test", "K-3"), ("urn:other", "K-4"), ("urn:test", "K-7"), ("urn:test", "absent")]
        assert sorted(probe(conn, WANTED, "main", BY, keys)) == [("K-3", 3), ("K-7", 7)]


def test_no_keys_find_nothing(engine: Engine) -> None:
    with engine.begin() as conn:
        fill(conn, 1)
        assert probe(conn, WANTED, "main", BY, []) == []


def test_a_table_that_was_never_analysed_is_not_read_through_for_a_page_of_keys(postgres_database: str) -> None:
    engine = make_engine(postgres_database)
    keys = [f"N-{one}" for one in range(256)]
    with engine.begin() as conn:
        fill(conn, 5_000)
    with engine.begin() as conn:
        assert probe(conn, WANTED, "main", BY, [("urn:test", key) for key in keys]) == []
        assert conn.execute(text(READ)).scalar_one() == 0
    with engine.begin() as conn:
        # The check sees it: the same question as a list is answered by reading the whole ledger.
        among = (commands.c.ledger == "main", commands.c.source == "urn:test", commands.c.key.in_(keys))
        assert conn.execute(select(*WANTED).where(*among)).all() == []
        assert conn.execute(text(READ)).scalar_one() == 5_000
    engine.dispose()
