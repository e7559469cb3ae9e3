"""Vitals: the truth about read models, whoever asks and whoever is dead."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, Engine, event, text

from infrastructure.engine import WAL_KEPT_BYTES, make_engine, writing
from infrastructure.leases import LASTS, Lease
from infrastructure.vitals import Holder, Vitals, vitals
from tests.support.counting import Counting
from tests.support.folded import FACTS, POISON, poisoned
from tests.support.ledgers import Book
from tests.support.writing import NOON


def seen(shelf: Book, *names: str) -> Vitals:
    """What an operator is told of these read models (else of the counting one)."""
    with shelf.engine.connect() as conn:
        return vitals(conn, "main", names or ("counting",), shelf.clock())


@contextmanager
def held_open(engine: Engine, level: str) -> Iterator[Connection]:
    """A transaction of somebody else that has read, and stays open."""
    with engine.connect().execution_options(isolation_level=level) as conn, conn.begin():
        conn.execute(text("SELECT count(*) FROM heads"))
        yield conn


def test_a_ledger_that_nobody_folded_lags_by_everything_in_it(shelf: Book) -> None:
    shelf.projector([Counting()])
    shelf.record(FACTS[:30])
    found = seen(shelf)
    assert (found.head, found.position, found.lag) == (30, 0, 30)
    assert found.projector == Holder(held=False)
    assert found.waiting == shelf.clock.now - FACTS[0].recorded_at
    assert found.abandoned_seconds == found.waiting.total_seconds()


def test_a_read_model_that_has_no_books_yet_stands_at_the_beginning(shelf: Book) -> None:
    shelf.record(FACTS[:30])
    shelf.projector([Counting()]).catch_up()
    assert seen(shelf, "counting", "unheard_of").positions == {"counting": 30, "unheard_of": 0}
    assert seen(shelf, "counting", "unheard_of").lag == 30


def test_an_empty_ledger_is_well(shelf: Book) -> None:
    shelf.projector([Counting()])
    found = seen(shelf)
    assert (found.head, found.lag, found.waiting, found.abandoned_seconds) == (0, 0, timedelta(0), 0.0)
    assert (found.parked, found.rebuilds) == ({"counting": 0}, [])


def test_the_lag_grows_with_the_head_when_the_one_who_folds_is_dead(shelf: Book) -> None:
    shelf.record(FACTS[:10])
    shelf.projector([Counting()]).catch_up()
    shelf.clock.now = FACTS[29].recorded_at
    lease = Lease(shelf.engine, "main", "projector", "somebody", shelf.clock)
    assert lease.hold()
    assert seen(shelf).projector == Holder(held=True)
    shelf.record(FACTS[10:30])
    assert (seen(shelf).lag, seen(shelf).abandoned_seconds) == (20, 0.0)
    shelf.clock.now += LASTS + timedelta(seconds=40)
    found = seen(shelf)
    assert (found.lag, found.projector) == (20, Holder(held=False, gone_seconds=40.0))
    assert found.abandoned_seconds == 40.0


def test_what_a_clock_ahead_of_ours_recorded_does_not_hide_that_nobody_folds(shelf: Book) -> None:
    shelf.projector([Counting()])
    assert Lease(shelf.engine, "main", "projector", "somebody", shelf.clock).hold()
    shelf.record([replace(FACTS[0], recorded_at=shelf.clock.now + timedelta(days=365))])
    shelf.clock.now += LASTS + timedelta(hours=1)
    assert (seen(shelf).waiting, seen(shelf).abandoned_seconds) == (timedelta(0), 3600.0)


def test_nobody_is_missed_where_nothing_waits(shelf: Book) -> None:
    shelf.record(FACTS[:10])
    shelf.projector([Counting()]).catch_up()
    shelf.clock.forward(days=3)
    assert (seen(shelf).projector.held, seen(shelf).abandoned_seconds) == (False, 0.0)


def test_a_lease_far_ahead_of_the_clock_is_nobodys(shelf: Book) -> None:
    now = shelf.clock.now
    shelf.clock.forward(days=1)
    assert Lease(shelf.engine, "main", "projector", "somebody", shelf.clock).hold()
    shelf.clock.now = now
    assert seen(shelf).projector == Holder(held=False)


def test_a_rebuild_is_seen_beside_the_read_model_that_is_read(shelf: Book) -> None:
    shelf.record(FACTS[:100])
    shelf.projector([Counting()]).catch_up()
    shares: list[float] = []

    def progress(position: int, head: int) -> None:
        found = seen(shelf)
        assert found.positions == {"counting": 100}
        shares.extend(one.share for one in found.rebuilds)

    shelf.projector([Counting()], page=20).rebuild("counting", progress)
    assert shares == [0.2, 0.4, 0.6, 0.8]
    assert seen(shelf).rebuilds == []


def test_parked_streams_are_counted_where_they_are_read_and_where_they_are_built(shelf: Book) -> None:
    shelf.record(FACTS)
    shelf.projector([Counting(on_apply=poisoned)]).catch_up()
    assert seen(shelf).parked == {"counting": 1}
    parked: list[tuple[int, int]] = []

    def progress(position: int, head: int) -> None:
        found = seen(shelf)
        parked.extend((found.parked["counting"], one.parked) for one in found.rebuilds)

    shelf.projector([Counting(on_apply=poisoned)], page=100).rebuild("counting", progress)
    assert parked == [(1, int(position >= POISON.position)) for position in (100, 200)]
    shelf.projector([Counting()]).release()
    assert seen(shelf).parked == {"counting": 0}


def test_it_takes_few_queries_and_they_do_not_grow_with_the_ledger(shelf: Book) -> None:
    def asked() -> int:
        statements: list[str] = []

        def note(conn: object, cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(shelf.engine, "before_cursor_execute", note)
        seen(shelf)
        event.remove(shelf.engine, "before_cursor_execute", note)
        return len(statements)

    shelf.projector([Counting()])
    before = asked()
    shelf.record(FACTS)
    shelf.projector([Counting(on_apply=poisoned)]).catch_up()
    assert asked() == before <= 6


# What slows appending: an old snapshot.


def test_an_open_snapshot_is_as_old_as_its_transaction(postgres_database: str) -> None:
    engine = make_engine(postgres_database)
    with engine.connect() as conn:
        assert _age(conn) == 0.0
        with held_open(engine, "REPEATABLE READ") as other:
            own = "SELECT extract(epoch FROM clock_timestamp() - xact_start) FROM pg_stat_activity "
            before = other.execute(text(own + "WHERE pid = pg_backend_pid()")).scalar_one()
            found = _age(conn)
            after = other.execute(text(own + "WHERE pid = pg_backend_pid()")).scalar_one()
            assert float(before) <= found <= float(after)
        assert _age(conn) == 0.0
    engine.dispose()


def test_the_oldest_of_several_counts_and_one_that_wrote_is_among_them(postgres_database: str) -> None:
    engine = make_engine(postgres_database)
    with engine.connect() as conn, writing(engine) as wrote:
        wrote.execute(text("INSERT INTO heads VALUES ('elsewhere', 0, now())"))
        first = _age(conn)
        with held_open(engine, "REPEATABLE READ"):
            assert _age(conn) > first > 0
        wrote.rollback()
        assert _age(conn) == 0.0
    engine.dispose()


def test_a_client_at_rest_that_keeps_no_snapshot_does_no_harm(postgres_database: str) -> None:
    engine = make_engine(postgres_database)
    with engine.connect() as conn, held_open(engine, "READ COMMITTED"):
        assert _age(conn) == 0.0
    engine.dispose()


def _age(conn: Connection) -> float:
    """The age of the oldest snapshot, asked at the end of one moment: nothing of ours stays open."""
    found = vitals(conn, "main", (), NOON).oldest_snapshot_seconds
    conn.rollback()
    assert found is not None
    return found


def test_on_sqlite_a_reader_that_does_not_end_shows_in_the_size_of_the_log(sqlite_database: str) -> None:
    engine = make_engine(sqlite_database)
    with engine.connect() as conn:
        with held_open(engine, "SERIALIZABLE"):
            _write_megabytes(engine, 20)
            starved = vitals(conn, "main", (), NOON)
            conn.rollback()
        _write_megabytes(engine, 8)
        fed = vitals(conn, "main", (), NOON)
    engine.dispose()
    assert starved.wal_bytes is not None
    assert fed.wal_bytes is not None
    assert starved.wal_bytes > 20 * 2**20 > WAL_KEPT_BYTES >= fed.wal_bytes
    assert fed.oldest_snapshot_seconds is None


def _write_megabytes(engine: Engine, megabytes: int) -> None:
    for _ in range(megabytes):
        with writing(engine) as conn:
            conn.execute(text("CREATE TABLE IF NOT EXISTS ballast (b BLOB)"))
            conn.execute(text("INSERT INTO ballast VALUES (randomblob(1048576))"))
