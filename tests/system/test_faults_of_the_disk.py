"""A disk that is full or takes no writes: writes are put off, reads go on, and everything recovers by itself."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.support.attempts import Attempt, answers_of, attempt, read, refusals, sent_again, slugs
from tests.support.broken_disks import BEGINS_ANEW, FAILING, Failing, NoCompiler, broken_disk
from tests.support.clusters import Cluster
from tests.support.databases import DURABLE, IMMEDIATE, NoPostgres, Server
from tests.support.disks import Disk, NoMount, disk
from tests.support.faults import TunedHouse
from tests.support.inspection import inspect
from tests.support.load import Plan, Post, customers_of
from tests.support.processes import PROGRAM, House, Serving, eventually, house

SEED = 20_260_611
CLIENTS = 8
CUSTOMERS = 10
MOST_POSTS = 6_000
"""More than any disk of these tests takes."""


@dataclass(frozen=True)
class Fault:
    """Something that happens to the disk under a running server, and its end."""

    begin: Callable[[Serving], object]
    end: Callable[[Serving], object]


def survives(house: House, fault: Fault, program: str = PROGRAM) -> None:
    """While the fault lasts writes are put off and reads answered; afterwards nothing is lost or doubled."""
    plan = Plan(SEED, CUSTOMERS)
    with house.serving(program=program) as server:
        answers = sent_again(server, plan.openings(), CLIENTS)
        moves = plan.moves(customers_of(answers), MOST_POSTS)
        fault.begin(server)
        attempts = until_refused(server, moves)
        reads = [read(server, path) for path in ("/v1/events", "/v1/feed", "/healthz")]
        fault.end(server)
        posts = [one.post for one in attempts]
        # Nobody starts anything anew.
        eventually(lambda: attempt(server, posts[-1:], 1)[0].answered, "the server recovers by itself")
        answers += answers_of(attempts) + sent_again(server, posts, CLIENTS)
        inspect(house, [server], answers)

    assert slugs(refusals(attempts)) == {"unavailable"}
    assert [one.status_code for one in reads] == [200, 200, 200]


def until_refused(server: Serving, posts: list[Post]) -> list[Attempt]:
    """What came of posts sent a few at a time until one of them was put off."""
    attempts: list[Attempt] = []
    while not refusals(attempts):
        some, posts = posts[: 4 * CLIENTS], posts[4 * CLIENTS :]
        assert some, "the disk takes everything"
        attempts += attempt(server, some, CLIENTS)
    return attempts


@contextmanager
def small(folder: Path, megabytes: int, owner: int = 0) -> Iterator[Disk]:
    """A small disk, or the test is left out and says why."""
    try:
        with disk(folder, megabytes, owner) as made:
            yield made
    except NoMount as why:
        pytest.skip(f"no disk of our own: {why}")


def test_a_full_disk_under_sqlite(tmp_path: Path) -> None:
    with small(tmp_path / "small", megabytes=32) as made:
        on_it = house(f"sqlite:///{made.folder / 'amends.db'}", tmp_path)
        survives(on_it, Fault(lambda _: made.fill(), lambda _: made.empty()))


def test_a_disk_that_takes_no_writes_at_all(sqlite_house: House) -> None:
    """As when a file system is made read-only after a fault: also the log of the server cannot be written."""

    def limit(server: Serving, most: int) -> None:
        assert server.process is not None
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    survives(sqlite_house, Fault(lambda one: limit(one, 0), lambda one: limit(one, resource.RLIM_INFINITY)))


@pytest.mark.soak
@pytest.mark.parametrize("what", FAILING)
def test_a_device_that_fails_under_sqlite(sqlite_house: House, tmp_path: Path, what: Failing) -> None:
    """EIO where SQLite writes its log, or where it asks that it be kept."""
    try:
        broken = broken_disk(tmp_path / "broken")
    except NoCompiler as why:
        pytest.skip(str(why))
    on_it = TunedHouse(sqlite_house.database, sqlite_house.folder, sqlite_house.bearer, broken.environment)
    fault = Fault(lambda _: broken.begin(what), lambda _: broken.end(what))
    survives(on_it, fault, BEGINS_ANEW.format(program=PROGRAM))


def test_a_full_disk_under_the_tables_of_postgresql(durable_postgres_server: Server, tmp_path: Path) -> None:
    server = durable_postgres_server
    if server.cluster is None:
        pytest.skip("this PostgreSQL runs elsewhere, and so do its disks")
    home = server.cluster.home
    with small(home / "small", megabytes=32, owner=home.stat().st_uid) as made:
        execute(server.url("postgres"), f"CREATE TABLESPACE small LOCATION '{made.folder}'")
        name = server.create()
        execute(server.url("postgres"), f"ALTER DATABASE {name} SET TABLESPACE small")
        try:
            on_it = house(server.url(name), tmp_path)
            survives(on_it, Fault(lambda _: made.fill(), lambda _: made.empty()))
        finally:
            server.drop(name)
            execute(server.url("postgres"), "DROP TABLESPACE small")


def test_a_postgresql_that_takes_no_writes(postgres_house: House) -> None:
    """A replica, or a primary that no longer is one; and again when it is one."""
    name = str(make_url(postgres_house.database).database)

    def read_only(_: Serving) -> None:
        execute(postgres_house.database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        execute(
            postgres_house.database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )

    def writable(_: Serving) -> None:
        server = make_url(postgres_house.database).set(database="postgres").render_as_string(hide_password=False)
        execute(server, f"ALTER DATABASE {name} RESET default_transaction_read_only")

    survives(postgres_house, Fault(read_only, writable))


@pytest.mark.soak
def test_a_full_disk_under_the_log_of_postgresql(tmp_path: Path) -> None:
    """PostgreSQL itself ends then, and comes back when there is room: with our help if it gave up."""
    plan = Plan(SEED, CUSTOMERS)
    with TemporaryDirectory(prefix="amends-full-") as folder:
        Path(folder).chmod(0o755)
        with small(Path(folder) / "disk", megabytes=200) as made, running(made) as server:
            on_it = house(server.url(server.create()), tmp_path)
            with on_it.serving() as serving:
                answers = sent_again(serving, plan.openings(), CLIENTS)
                moves = plan.moves(customers_of(answers), MOST_POSTS)
                made.fill()
                with pytest.raises(psycopg.Error):
                    use_up_the_log(server.url("postgres"))
                attempts = until_refused(serving, moves)
                made.empty()
                revive(server)
                posts = [one.post for one in attempts]
                eventually(lambda: attempt(serving, posts[-1:], 1)[0].answered, "the server recovers by itself")
                answers += answers_of(attempts) + sent_again(serving, posts, CLIENTS)
                inspect(on_it, [serving], answers)
    assert slugs(refusals(attempts)) == {"unavailable"}


@contextmanager
def running(on: Disk) -> Iterator[Server]:
    """A PostgreSQL all of whose files are on this disk."""
    try:
        cluster = Cluster(on.folder, DURABLE)
        cluster.start()
    except NoPostgres as why:
        pytest.skip(f"no PostgreSQL: {why}")
    try:
        yield Server(URL.create("postgresql+psycopg", "postgres", query={"host": str(cluster.home)}), cluster)
    finally:
        cluster.end(IMMEDIATE)


def use_up_the_log(database: str) -> None:
    """Begins one file of the log after the other, for ever."""
    while True:
        execute(database, "SELECT pg_logical_emit_message(true, 'amends', 'one more')")
        execute(database, "SELECT pg_switch_wal()")


def revive(server: Server) -> None:
    """Starts it again if it gave up, as an operator's service manager does."""
    assert server.cluster is not None
    process = server.cluster.process
    if process is not None and process.poll() is not None:
        server.start()


def execute(database: str, statement: str) -> None:
    """Runs one statement of the operator's."""
    address = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as conn:
        conn.execute(sql.SQL(statement))  # type: ignore[arg-type]  # our own names only
