"""Metrics of the store: what the writer, the sweeper and the database have to tell, by a real writer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from domain.errors import KeyReused, StaleVersion, Unavailable, UnknownRef
from infrastructure.ledger_metrics import LedgerMetrics
from infrastructure.metrics import Metrics
from infrastructure.sweeper import Sweeper
from infrastructure.vitals import Holder, Rebuild, Vitals
from tests.support.exposition import Exposition, told_by
from tests.support.writing import Desk, crm, desk, late


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("main")


@pytest.fixture
def counted(database: str, tmp_path: Path, metrics: Metrics) -> Iterator[Desk]:
    """A writer that tells these metrics; it starts when the test says so."""
    with desk(database, tmp_path, start=False, metrics=metrics) as made:
        yield made


def test_a_group_commit_is_counted_as_one_page_of_so_many_commands(counted: Desk, metrics: Metrics):
    futures = [counted.writer.submit(counted.order(late(), crm(f"C-{n}"))) for n in range(5)]
    counted.writer.start()
    events = sum(len(one.result(30).receipts) for one in futures)
    told = told_by(metrics.registry)
    assert told.value("amends_page_commands_sum") == 5
    assert told.value("amends_page_commands_count") == 1
    assert told.value("amends_page_commands_bucket", le="8.0") == 1
    assert told.value("amends_page_commands_bucket", le="4.0") == 0
    assert told.value("amends_events_appended_total", ledger="main") == events > 5
    assert told.each("amends_commands_total", "outcome") == {"recorded": 5}


def test_the_commit_is_a_part_of_the_page_and_both_take_time(counted: Desk, metrics: Metrics):
    counted.writer.start()
    counted.post(late(), crm("C-1"))
    told = told_by(metrics.registry)
    assert told.value("amends_page_seconds_count") == told.value("amends_commit_seconds_count") == 1
    assert 0 < told.value("amends_commit_seconds_sum") < told.value("amends_page_seconds_sum")


def test_every_answer_of_the_writer_is_counted_by_what_became_of_the_command(counted: Desk, metrics: Metrics):
    counted.writer.start()
    customer = counted.post(late(), crm("C-1"), key="k", said="one").customer_id
    counted.post(late(), crm("C-1"), key="k", said="one")
    counted.post(None, customer)
    with pytest.raises(UnknownRef):
        counted.post(late(), uuid4())
    with pytest.raises(StaleVersion):
        counted.post(late(), customer, if_match=1)
    with pytest.raises(KeyReused):
        counted.post(late(), crm("C-1"), key="k", said="other")
    told = told_by(metrics.registry)
    assert told.each("amends_commands_total", "outcome") == {
        "recorded": 1,
        "repeated": 1,
        "nothing": 1,
        "refused": 1,
        "conflict": 2,
    }
    assert told.each("amends_conflicts_total", "slug") == {"stale_version": 1, "key_reused": 1}
    assert told.each("amends_pages_rolled_back_total", "reason") == {}


def test_a_fault_of_ours_is_a_command_that_failed(counted: Desk, metrics: Metrics):
    counted.writer.start()
    with pytest.raises(AttributeError):
        counted.writer.submit(counted.order("no command", crm("C-1"))).result(30)  # type: ignore[arg-type]
    assert told_by(metrics.registry).each("amends_commands_total", "outcome") == {"failed": 1}


def test_a_page_that_was_undone_is_counted_and_so_are_its_callers(counted: Desk, metrics: Metrics):
    futures = [counted.writer.submit(counted.order(late(), crm(f"C-{n}"))) for n in range(3)]
    with counted.engine.begin() as conn:
        conn.execute(text("DROP TABLE heads"))
    counted.writer.start()
    for one in futures:
        assert isinstance(one.exception(30), Unavailable)
    told = told_by(metrics.registry)
    # SQLite cannot tell this from a database out of reach; elsewhere each order is tried alone.
    undone = {"failed": 1} if counted.engine.dialect.name == "sqlite" else {"split": 1, "failed": 3}
    assert told.each("amends_pages_rolled_back_total", "reason") == undone
    assert told.each("amends_commands_total", "outcome") == {"failed": 3}
    assert told.value("amends_events_appended_total") == 0


def test_the_queue_is_shown_as_it_is(counted: Desk, metrics: Metrics):
    metrics.watch_queue(lambda: counted.writer.waiting, 10)
    futures = [counted.writer.submit(counted.order(late(), crm("C-1"))) for _ in range(4)]
    assert told_by(metrics.registry).value("amends_writer_queue_commands") == 4
    assert told_by(metrics.registry).value("amends_writer_queue_limit_commands") == 10
    counted.writer.start()
    assert [one.result(30).position > 0 for one in futures] == [True] * 4
    assert told_by(metrics.registry).value("amends_writer_queue_commands") == 0


def test_the_bytes_in_the_queue_are_shown_as_they_are(counted: Desk, metrics: Metrics):
    metrics.watch_queue_bytes(lambda: counted.writer.waiting_bytes, 900)
    futures = [counted.writer.submit(replace(counted.order(late(), crm("C-1")), size=200)) for _ in range(4)]
    assert told_by(metrics.registry).value("amends_writer_queue_bytes") == 800
    assert told_by(metrics.registry).value("amends_writer_queue_limit_bytes") == 900
    counted.writer.start()
    assert [one.result(30).position > 0 for one in futures] == [True] * 4
    assert told_by(metrics.registry).value("amends_writer_queue_bytes") == 0


def test_when_time_last_took_effect_is_shown_from_the_start_of_a_sweeper_and_only_where_one_runs(
    counted: Desk, metrics: Metrics
):
    name = "amends_last_sweep_timestamp_seconds"
    sweeper = Sweeper(
        lambda now, limit: [], counted.writer.submit, counted.clock, every_seconds=60, metrics=metrics
    )
    assert [one for one in told_by(metrics.registry).samples() if one.name == name] == []
    sweeper.start()
    assert told_by(metrics.registry).value(name) == counted.clock.now.timestamp()
    sweeper.stop()


def test_a_round_of_the_sweeper_counts_whom_it_settled(counted: Desk, metrics: Metrics):
    counted.writer.start()
    overdue = counted.post(late(), crm("C-1")).customer_id
    counted.clock.forward(days=3)
    fresh = counted.post(late(), crm("C-2")).customer_id

    def due(now: Any, limit: int) -> list[UUID]:
        return [overdue, fresh]

    Sweeper(due, counted.writer.submit, counted.clock, metrics=metrics).run_once()
    told = told_by(metrics.registry)
    assert told.each("amends_sweeper_streams_total", "result") == {"settled": 1, "rested": 1}
    assert told.value("amends_last_sweep_timestamp_seconds") == counted.clock.now.timestamp()


# What is looked up.

FINE = Vitals(
    head=120,
    positions={"satisfaction": 120, "feed": 100},
    parked={"satisfaction": 0, "feed": 2},
    rebuilds=[Rebuild("recoveries", 30, 120, 1)],
    projector=Holder(held=False, gone_seconds=7.0),
    waiting=timedelta(seconds=9),
    oldest_snapshot_seconds=4.5,
    wal_bytes=None,
)


def looked_up(metrics: Metrics, vitals: Any) -> Exposition:
    metrics.registry.register(LedgerMetrics("main", vitals))
    return told_by(metrics.registry)


def test_the_vitals_of_the_ledger_are_told_by_read_model(metrics: Metrics):
    told = looked_up(metrics, lambda: FINE)
    assert told.value("amends_database_up", ledger="main") == 1
    assert told.value("amends_head_position") == 120
    assert told.each("amends_projection_position", "projection") == {"satisfaction": 120, "feed": 100}
    assert told.each("amends_projection_lag_events", "projection") == {"feed": 20}
    assert told.value("amends_projection_lag_seconds") == 9
    assert told.each("amends_parked_streams", "projection") == {"feed": 2}
    assert told.value("amends_parked_streams", projection="satisfaction") == 0
    assert told.each("amends_rebuild_ratio", "projection") == {"recoveries": 0.25}
    assert told.each("amends_rebuild_parked_streams", "projection") == {"recoveries": 1}
    assert told.value("amends_projector_abandoned_seconds") == 7
    assert told.value("amends_oldest_snapshot_age_seconds") == 4.5
    assert not told.has("amends_sqlite_wal_bytes")


def test_without_a_database_no_old_figure_is_shown(metrics: Metrics):
    def gone() -> Vitals:
        raise OperationalError("SELECT", {}, Exception("Maria"))

    told = looked_up(metrics, gone)
    assert told.value("amends_database_up") == 0
    assert not [one.name for one in told.families if one.name.startswith(("amends_head", "amends_proj"))]
    assert told.has("amends_events_appended")


def test_each_process_has_a_registry_of_its_own():
    one, other = Metrics("main"), Metrics("other")
    one.page_committed([], 3, 0.1, 0.1)
    assert told_by(one.registry).value("amends_events_appended_total", ledger="main") == 3
    assert told_by(other.registry).value("amends_events_appended_total", ledger="other") == 0
