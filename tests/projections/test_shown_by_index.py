"""What is read page by page is found by its own index, on either database."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event

from infrastructure.engine import make_engine
from projections import (
    authority_latency,
    compensation_spend,
    deadlines,
    feed,
    follow_ups,
    invitations,
    playbook_effects,
    process_load,
    recoveries,
    satisfaction,
    signs,
    speed_vs_retention,
    standing,
    told_first,
    workload,
)
from projections.base import Source
from projections.period import Period
from projections.revenue_rows import _totals

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SOME = [UUID(int=n) for n in range(9)]
_FINDS = re.compile("SEARCH|SCAN|Index Cond|Seq Scan")
"""What a plan says where it looks rows up."""
READS: dict[str, Callable[[Source], Any]] = {
    "ix_feed_items_told": feed.page,
    "ix_recoveries_open": lambda source: recoveries.queue(source, as_of=NOW),
    "ix_recovery_streams_next_due_at": lambda source: recoveries.due_streams(source, NOW),
    "ix_signs_position": lambda source: signs.page(source, 5, 10, 100),
}


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """An engine on a migrated database."""
    made = make_engine(database)
    yield made
    made.dispose()


@pytest.mark.parametrize("index", READS)
def test_a_page_is_found_by_its_index(engine: Engine, index: str) -> None:
    with engine.connect() as conn:
        statement, values = _asked(conn, READS[index])
        assert index in _plan(conn, statement, values)


STANDING: dict[str, Callable[[Source], Any]] = {
    "satisfaction": lambda source: satisfaction.of_customers(source, SOME, NOW),
    "recoveries": lambda source: recoveries.of_customers(source, SOME, NOW),
    "standing": lambda source: standing.of_customers(source, SOME, NOW),
}


@pytest.mark.parametrize("read", STANDING)
def test_how_customers_stand_is_found_by_who_they_are(engine: Engine, read: str) -> None:
    """In a database that knows nothing of its tables, one was read whole for each customer to join another."""
    with engine.connect() as conn:
        for statement, values in _all_asked(conn, STANDING[read]):
            found = [line for line in _plan(conn, statement, values).splitlines() if _FINDS.search(line)]
            assert found
            assert all("stream_id" in line for line in found)


EVER = Period(None, None, NOW)
REPORTS: dict[str, Callable[[Source], Any]] = {
    "authority-latency": lambda source: authority_latency.report(source, EVER),
    "compensation": lambda source: compensation_spend.report(source, EVER),
    "deadlines": lambda source: deadlines.report(source, EVER),
    "follow-ups": lambda source: follow_ups.report(source, EVER),
    "invitations": lambda source: invitations.report(source, EVER),
    "playbooks": lambda source: playbook_effects.report(source, EVER),
    "process-load": lambda source: process_load.report(source, EVER),
    "speed-vs-retention": lambda source: speed_vs_retention.report(source, EVER),
    "told-first": lambda source: told_first.report(source, EVER),
    "workload": lambda source: workload.report(source, EVER),
}


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_asks_each_table_by_itself(engine: Engine, report: str) -> None:
    """In a database that knows nothing of its tables, a join read all of one for each row of another."""
    with engine.connect() as conn:
        asked = _all_asked(conn, REPORTS[report])
        assert len(asked) > 1
        for statement, values in asked:
            assert len(_FINDS.findall(_plan(conn, statement, values))) == 1


def test_where_everybody_stood_then_is_read_in_the_order_of_the_key(engine: Engine) -> None:
    """Ranked with all columns, a million terms took half a minute."""
    with engine.connect() as conn:
        statement, values = _asked(conn, lambda source: list(_totals(source, 9)))
        assert not re.search("WindowAgg|Sort|TEMP B-TREE", _plan(conn, statement, values))


def _asked(conn: Connection, read: Callable[[Source], Any]) -> tuple[str, Any]:
    """The statement that this reading sends, with its values."""
    [one] = _all_asked(conn, read)
    return one


def _all_asked(conn: Connection, read: Callable[[Source], Any]) -> list[tuple[str, Any]]:
    asked: list[tuple[str, Any]] = []
    conn.begin()  # SQLite is told so in a statement of its own

    def note(conn: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(conn, "before_cursor_execute", note)
    read(Source(conn, "main", 1))
    event.remove(conn, "before_cursor_execute", note)
    return asked


def _plan(conn: Connection, statement: str, values: Any) -> str:
    if conn.dialect.name == "sqlite":
        rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(str(row[-1]) for row in rows)
    # A table with nothing in it would be read whole.
    conn.exec_driver_sql("SET enable_seqscan = off")
    return "\n".join(row[0] for row in conn.exec_driver_sql(f"EXPLAIN {statement}", values))
