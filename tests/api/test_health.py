"""Health as operators and load balancers see it: true even when the one who projects is dead."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from domain.kinds import Fact
from infrastructure.engine import make_engine
from infrastructure.leases import Lease
from infrastructure.projector import Projector
from projections import ALL
from projections.satisfaction import SatisfactionState
from tests.support.exposition import Exposition
from tests.support.http import Service, service
from tests.support.processes import eventually

NOBODY = {"Authorization": ""}
THREADS = 40
"""In how many threads an application answers its reads."""
LATE = {"what": "late", "description": "the parcel did not come"}


class Misread(SatisfactionState):
    """The same read model with a fault in it: it cannot fold apologies."""

    def apply(self, rows: Any, fact: Fact) -> Any:
        if fact.event.TOPIC == "apology.made":
            raise ArithmeticError("canary-words")
        return super().apply(rows, fact)


@pytest.fixture
def any_amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service, once on each database."""
    with service(database, tmp_path) as made:
        yield made


def ready(amends: Service, status: int = 200) -> dict[str, Any]:
    """What /readyz says to somebody without a key."""
    answer = amends.http.get("/readyz", headers=NOBODY)
    assert answer.status_code == status, answer.text
    return answer.json()


def snapshot_and_warnings(amends: Service) -> tuple[float, list[str]]:
    """The age of the oldest open transaction, and what somebody should look at."""
    told = ready(amends)
    return told["oldest_snapshot_seconds"], told["warnings"]


def late(amends: Service) -> str:
    """The customer whose parcel is late."""
    customer = amends.customer()
    amends.post(f"/v1/customers/{customer}/report-failure", LATE)
    return customer


@dataclass
class Worker:
    """Some other process that has the right to project."""

    amends: Service
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        self.lease = Lease(self.amends.container.engine, "main", "projector", "another", self.amends.clock)

    def lives(self) -> None:
        """Holds the right, or renews it."""
        assert self.lease.hold()


def figures(amends: Service) -> Exposition:
    """What Prometheus is told."""
    return Exposition(amends.http.get("/metrics").text)


@contextmanager
def read_only(database: str) -> Iterator[None]:
    """Every session from now on is of a server that takes no writes; those there were have ended."""
    engine = make_engine(database, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        name = make_url(database).database
        conn.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        conn.execute(text(f"{ended} WHERE datname = current_database() AND pid <> pg_backend_pid()"))
        try:
            yield
        finally:
            conn.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    engine.dispose()


def broken(amends: Service) -> Projector:
    """A projector of a faulty program on the same ledger."""
    parts = amends.container
    return Projector(parts.engine, parts.mapper, (Misread(), *ALL[1:]), clock=amends.clock)


def test_a_service_that_is_well_says_so(any_amends: Service) -> None:
    late(any_amends)
    any_amends.project()
    told = ready(any_amends)
    assert (told["status"], told["lag"], told["waiting_seconds"]) == ("ready", 0, 0)
    assert (told["parked"], told["parked_in"], told["rebuilding"], told["warnings"]) == (0, {}, [], [])


def test_a_projector_that_died_is_seen_against_the_true_head(any_amends: Service) -> None:
    worker = Worker(any_amends)
    worker.lives()
    late(any_amends)
    told = ready(any_amends)
    assert (told["projector"], told["lag"]) == ("held", told["head"])
    any_amends.clock.forward(seconds=38)
    assert (ready(any_amends)["projector"], ready(any_amends)["waiting_seconds"]) == ("absent", 38)
    any_amends.clock.forward(seconds=1)
    problem = ready(any_amends, 503)
    assert problem["type"].endswith("/problems/projection_behind")
    assert (problem["lag"], problem["waiting_seconds"]) == (told["lag"], 39)


def test_somebody_who_takes_over_makes_it_ready_again(any_amends: Service) -> None:
    late(any_amends)
    any_amends.clock.forward(minutes=5)
    assert ready(any_amends, 503)["lag"] > 0
    Worker(any_amends).lives()
    assert ready(any_amends)["projector"] == "held"
    any_amends.project()
    assert ready(any_amends)["lag"] == 0


def test_a_projector_that_works_through_a_long_backlog_is_not_taken_for_dead(amends: Service) -> None:
    late(amends)
    worker = Worker(amends)
    for _ in range(30):
        amends.clock.forward(seconds=5)
        worker.lives()
    told = ready(amends)
    assert (told["status"], told["projector"], told["waiting_seconds"]) == ("ready", "held", 150)


def test_a_ledger_where_nothing_waits_needs_no_projector(amends: Service) -> None:
    late(amends)
    amends.project()
    amends.clock.forward(days=2)
    assert (ready(amends)["status"], ready(amends)["projector"]) == ("ready", "absent")


def test_a_parked_stream_is_told_and_the_service_stays_in_rotation(any_amends: Service) -> None:
    customer = late(any_amends)
    any_amends.post(f"/v1/customers/{customer}/apologise", {"said": "regret"})
    broken(any_amends).catch_up()
    answer = any_amends.http.get("/readyz", headers=NOBODY)
    told = answer.json()
    assert answer.status_code == 200
    assert (told["status"], told["lag"], told["warnings"]) == ("degraded", 0, ["parked_streams"])
    assert (told["parked"], told["parked_in"]) == (1, {"satisfaction": 1})
    shown = figures(any_amends)
    assert shown.each("amends_parked_streams", "projection") == {"satisfaction": 1}
    assert customer not in answer.text
    assert "canary" not in answer.text
    assert any_amends.container.projector.release() == 1
    assert (ready(any_amends)["status"], ready(any_amends)["parked"]) == ("ready", 0)
    assert figures(any_amends).value("amends_parked_streams", projection="satisfaction") == 0


def test_a_rebuild_under_way_is_told_and_nothing_is_behind_because_of_it(any_amends: Service) -> None:
    late(any_amends)
    any_amends.project()
    parts = any_amends.container
    told: list[dict[str, Any]] = []
    shown: list[dict[str, float]] = []

    def look(_position: int, _head: int) -> None:
        told.append(ready(any_amends))
        shown.append(figures(any_amends).each("amends_rebuild_ratio", "projection"))

    slow = Projector(parts.engine, parts.mapper, ALL, clock=any_amends.clock, page=2)
    slow.rebuild("timeline", look)
    (halfway, *_, last) = told
    head = halfway["head"]
    assert halfway["rebuilding"] == [{"projection": "timeline", "position": 2, "share": round(2 / head, 4)}]
    assert (halfway["status"], halfway["lag"]) == ("ready", 0)
    assert last["rebuilding"] == []
    # Prometheus is told the same share, to more places.
    shares = [{one["projection"]: one["share"] for one in each["rebuilding"]} for each in told]
    assert [{name: round(ratio, 4) for name, ratio in each.items()} for each in shown] == shares


def test_a_transaction_that_stays_open_is_told(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.readiness.OLD_SNAPSHOT_SECONDS", 0)
    with service(postgres_database, tmp_path) as amends:
        # What the program asks by itself, as of the head, is over in a moment.
        eventually(lambda: snapshot_and_warnings(amends) == (0, []), "no transaction is open")
        elsewhere = amends.container.engine.connect().execution_options(isolation_level="REPEATABLE READ")
        with elsewhere as conn, conn.begin():
            conn.execute(text("SELECT count(*) FROM events"))
            told = ready(amends)
            assert told["oldest_snapshot_seconds"] > 0
            assert (told["status"], told["warnings"]) == ("degraded", ["old_snapshot"])
        eventually(lambda: ready(amends)["status"] == "ready", "no transaction is open any more")
        assert ready(amends)["wal_bytes"] is None


def test_writes_that_the_database_does_not_take_are_told_until_one_is_taken(any_amends: Service) -> None:
    def full(_conn: Connection) -> None:
        raise OperationalError("BEGIN", None, Exception("no space is left"))

    event.listen(any_amends.container.working, "begin", full)
    any_amends.post("/v1/customers", {}, status=503)
    told = ready(any_amends)
    assert (told["status"], told["warnings"]) == ("degraded", ["writes_fail"])
    assert figures(any_amends).value("amends_writes_failing") == 1

    event.remove(any_amends.container.working, "begin", full)
    any_amends.post("/v1/customers", {})
    assert (ready(any_amends)["status"], ready(any_amends)["warnings"]) == ("ready", [])
    assert figures(any_amends).value("amends_writes_failing") == 0


def test_a_server_that_takes_no_writes_is_told_before_anybody_posts_and_named_in_the_log(
    postgres_database: str, tmp_path: Path
) -> None:
    with service(postgres_database, tmp_path) as amends:
        with read_only(postgres_database), capture_logs() as lines:
            told = ready(amends)
            assert (told["status"], told["warnings"]) == ("degraded", ["writes_fail"])
            assert figures(amends).value("amends_database_read_only") == 1
            for _ in range(2):  # the first may find no more than that its connection is gone
                amends.post("/v1/customers", {}, status=503)
        failed = [line for line in lines if line["event"] == "page_failed"]
        assert failed[-1]["sqlstate"] == "25006"

        amends.post("/v1/customers", {})
        assert (ready(amends)["status"], ready(amends)["warnings"]) == ("ready", [])
        assert figures(amends).value("amends_database_read_only") == 0


def test_slow_reads_that_take_every_thread_do_not_keep_health_and_metrics_waiting(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.container.KEPT_OPEN", THREADS)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'")
    other = make_engine(postgres_database)
    with service(postgres_database, tmp_path) as amends, ThreadPoolExecutor(THREADS) as readers:
        amends.customer()
        amends.project()
        with ExitStack() as connections:  # so that nobody has to connect while the time of the others runs
            for _ in range(THREADS):
                connections.enter_context(amends.container.engine.connect())
        with other.connect() as look, other.connect() as lock, lock.begin():
            lock.execute(text("LOCK TABLE feed_items IN ACCESS EXCLUSIVE MODE"))
            asked = [readers.submit(amends.http.get, "/v1/feed") for _ in range(THREADS)]
            eventually(lambda: look.execute(waiting).scalar() == THREADS, "every thread waits for the database")
            told, shown = ready(amends), figures(amends)
            assert not [one for one in asked if one.done()]
        assert {one.result().status_code for one in asked} == {200}
    other.dispose()
    assert told["status"] == "ready"
    assert shown.value("amends_database_up") == 1
    assert shown.value("amends_read_connections") == THREADS


def test_a_log_that_cannot_be_folded_into_the_file_is_told(
    amends: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    late(amends)
    assert ready(amends)["wal_bytes"] > 0
    assert ready(amends)["oldest_snapshot_seconds"] is None
    monkeypatch.setattr("api.readiness.LARGE_WAL_BYTES", ready(amends)["wal_bytes"] - 1)
    assert (ready(amends)["status"], ready(amends)["warnings"]) == ("degraded", ["old_snapshot"])
