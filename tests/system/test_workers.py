"""Several workers on one ledger: one works, and when it dies another takes over; nothing is ever done twice."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from signal import SIGKILL
from typing import Final, NamedTuple

from sqlalchemy import Connection, select, text, update

from infrastructure.engine import make_engine, writing
from infrastructure.passing import REACHED
from infrastructure.tables import EPOCH, leases
from tests.support.inspection import reading
from tests.support.load import Load, Plan, customers_of
from tests.support.processes import House, Serving, Working, eventually
from tests.support.soak import sqlite_in_soak

SEED: Final = 20_261_004
TAKEN_OVER_WITHIN_SECONDS: Final = 10.0
"""From the kill until another has the lease: eight at most for it to run out, one until somebody looks again."""
STEALS: Final = 2
PROJECTING: Final = leases.c.name == "projector"
# What the database itself writes down, whoever asks it and whatever he believes.
NOTES: Final = (
    "CREATE TABLE moves (name text, was bigint, became bigint)",
    "CREATE TABLE writes (stream text, position bigint)",
)
SQLITE: Final = (
    """CREATE TRIGGER note_move AFTER UPDATE ON tracking WHEN OLD.position <> NEW.position
    BEGIN INSERT INTO moves VALUES (NEW.name, OLD.position, NEW.position); END""",
    """CREATE TRIGGER note_insert AFTER INSERT ON satisfaction_state
    BEGIN INSERT INTO writes VALUES (NEW.stream_id, NEW.position); END""",
    """CREATE TRIGGER note_update AFTER UPDATE ON satisfaction_state
    BEGIN INSERT INTO writes VALUES (NEW.stream_id, NEW.position); END""",
)
POSTGRESQL: Final = (
    """CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO moves VALUES (NEW.name, OLD.position, NEW.position); RETURN NEW; END$$""",
    """CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO writes VALUES (NEW.stream_id, NEW.position); RETURN NEW; END$$""",
    """CREATE TRIGGER note_move AFTER UPDATE ON tracking FOR EACH ROW
    WHEN (OLD.position <> NEW.position) EXECUTE FUNCTION note_move()""",
    """CREATE TRIGGER note_write AFTER INSERT OR UPDATE ON satisfaction_state
    FOR EACH ROW EXECUTE FUNCTION note_write()""",
)


class Move(NamedTuple):
    """One move of a read model's checkpoint."""

    name: str
    was: int
    became: int


def doubled(moves: Sequence[Move], writes: Sequence[tuple[str, int]]) -> list[str]:
    """Every event that was folded twice or passed over, and every row that was written twice for one event."""
    found = []
    at: dict[str, int] = defaultdict(int)
    for move in sorted(moves):
        if move.was != at[move.name] or move.became <= move.was:
            found.append(f"{move.name} went from {move.was} to {move.became}, and stood at {at[move.name]}")
        at[move.name] = move.became
    times = Counter(writes)
    return found + [f"{stream} was written {n} times at {at}" for (stream, at), n in times.items() if n > 1]


def test_a_page_that_is_folded_twice_or_passed_over_is_seen() -> None:
    once = [Move("feed", 0, 3), Move("feed", 3, 7), Move("state", 0, 7)]
    assert doubled(once, [("plum", 3), ("pear", 3), ("plum", 7)]) == []
    assert len(doubled([*once, Move("feed", 3, 7)], [])) == 1
    assert len(doubled([once[1]], [])) == 1
    assert len(doubled(once, [("plum", 3), ("plum", 3)])) == 1


def take_notes(house: House) -> None:
    """Has the database write down every move of a checkpoint and every write of a row."""
    engine = make_engine(house.database)
    with engine.begin() as conn:
        for statement in (*NOTES, *(SQLITE if engine.dialect.name == "sqlite" else POSTGRESQL)):
            conn.exec_driver_sql(statement)
    engine.dispose()


def notes(conn: Connection) -> tuple[list[Move], list[tuple[str, int]]]:
    """What it wrote down."""
    # How far the house has learned is no read model's: it begins wherever there was something to learn.
    query = text("SELECT name, was, became FROM moves WHERE name <> :learner")
    moves = [Move(*row) for row in conn.execute(query, {"learner": REACHED})]
    writes = [(row.stream, row.position) for row in conn.execute(text("SELECT stream, position FROM writes"))]
    return moves, writes


def holder(house: House) -> str | None:
    """Who has the right to project."""
    with reading(house) as conn:
        return conn.execute(select(leases.c.holder).where(PROJECTING)).scalar()


def stolen(house: House) -> None:
    """Lets whoever stands by take over, while the one at work still believes that it is alone."""
    before = holder(house)

    def lost() -> bool:
        now = holder(house)
        if now == before:  # still, or again: it may have renewed it meanwhile
            run_out(house)
        return now not in (None, before)

    eventually(lost, "the other takes over")


def run_out(house: House) -> None:
    """Ends the lease's time."""
    engine = make_engine(house.database)
    with writing(engine) as conn:
        conn.execute(update(leases).where(PROJECTING).values(expires_at=EPOCH))
    engine.dispose()


def lag(server: Serving) -> int:
    """How far the read models are behind, as /readyz says."""
    with server.http() as http:
        return int(http.get("/readyz").json()["lag"])


def strike_dead(worker: Working) -> None:
    """Kill -9, without waiting until nothing is left of it."""
    assert worker.process is not None
    worker.process.send(SIGKILL)


@sqlite_in_soak
def test_a_killed_worker_is_replaced_and_two_at_work_fold_every_event_once(any_house: House) -> None:
    plan = Plan(SEED, customers=8)
    take_notes(any_house)
    with any_house.serving("--no-worker") as server, any_house.working() as first:
        eventually(lambda: holder(any_house) is not None, "the first works")
        with any_house.working() as second, Load([server], clients=8) as load:
            openings, dead = plan.openings(), holder(any_house)
            strike_dead(first)
            eventually(
                lambda: holder(any_house) not in (None, dead), "the second takes over", TAKEN_OVER_WITHIN_SECONDS
            )
            load.start(openings[:1])
            opened = load.finish()
            eventually(lambda: lag(server) == 0, "the second folds what is told")

            first.kill()
            first.start()
            load.start(openings[1:])
            opened += load.finish()
            moves = plan.moves(customers_of(opened), STEALS * 40)
            told = list(opened)
            for n in range(STEALS):
                load.start(moves[n * 40 : (n + 1) * 40])
                stolen(any_house)
                told += load.finish()
            server.project(max(answer.document["position"] for answer in told if answer.status == 201))
            assert [first.stop(), second.stop()] == [0, 0]
            with reading(any_house) as conn:
                moved, written = notes(conn)
            assert doubled(moved, written) == []
            assert len(moved) > STEALS
