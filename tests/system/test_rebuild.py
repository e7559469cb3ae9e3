"""Read models made anew while everybody writes and reads: nobody sees half of one, and a kill only delays it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from signal import SIGKILL
from typing import Final, NamedTuple

import pytest
from sqlalchemy import Connection, select, text, update

from domain.kinds import Fact
from infrastructure.checkpoints import Generation
from infrastructure.engine import make_engine, writing
from infrastructure.keys import Keyring
from infrastructure.ledger import Ledger
from infrastructure.mapper import Mapper
from infrastructure.tables import generations, leases, tracking
from projections import ALL
from tests.support.checker import in_headers
from tests.support.glances import Onlookers, never_told, never_true
from tests.support.inspection import inspect, reading
from tests.support.load import Load, Plan, customers_of
from tests.support.processes import House, Serving, eventually
from tests.support.soak import sqlite_in_soak
from tests.support.writing import NOON

SEED: Final = 20_261_122
CLIENTS: Final = 4


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is before, how much is posted meanwhile, and how many rebuilds are killed."""

    customers: int
    batches: int
    moves: int
    kills: int


SIZES: Final = (
    pytest.param(Size(customers=15, batches=2, moves=80, kills=1), id="short"),
    pytest.param(Size(customers=300, batches=40, moves=6_000, kills=8), id="long", marks=pytest.mark.soak),
)


# What the database itself writes down of every checkpoint, whoever moves it.
NOTES: Final = {
    "sqlite": (
        "CREATE TABLE notes (n integer PRIMARY KEY AUTOINCREMENT, what text, name text, position bigint)",
        """CREATE TRIGGER note_begun AFTER INSERT ON tracking
        BEGIN INSERT INTO notes (what, name, position) VALUES ('INSERT', NEW.name, NEW.position); END""",
        """CREATE TRIGGER note_moved AFTER UPDATE ON tracking
        BEGIN INSERT INTO notes (what, name, position) VALUES ('UPDATE', NEW.name, NEW.position); END""",
        """CREATE TRIGGER note_gone AFTER DELETE ON tracking
        BEGIN INSERT INTO notes (what, name, position) VALUES ('DELETE', OLD.name, OLD.position); END""",
    ),
    "postgresql": (
        "CREATE TABLE notes (n bigserial, what text, name text, position bigint)",
        """CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        INSERT INTO notes (what, name, position)
        VALUES (TG_OP, coalesce(NEW.name, OLD.name), coalesce(NEW.position, OLD.position));
        RETURN NULL; END$$""",
        """CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON tracking
        FOR EACH ROW EXECUTE FUNCTION note()""",
    ),
}


def take_notes(house: House) -> None:
    """Has the database write down how every checkpoint begins, moves and ends."""
    engine = make_engine(house.database)
    with engine.begin() as conn:
        for statement in NOTES[engine.dialect.name]:
            conn.exec_driver_sql(statement)
    engine.dispose()


class Note(NamedTuple):
    """One thing that happened to a checkpoint: INSERT, UPDATE or DELETE, and where it stood then."""

    what: str
    position: int


def notes(conn: Connection, one: Generation) -> list[Note]:
    """What became of the checkpoint of this generation, in order."""
    conn.rollback()
    query = text("SELECT what, position FROM notes WHERE name = :name ORDER BY n")
    return [Note(*row) for row in conn.execute(query, {"name": one.checkpoint})]


def begun_again(noted: Sequence[Note]) -> bool:
    """Whether a generation was built from its beginning more than once, or from anywhere for a second time."""
    begun, *moved = noted if noted[-1].what != "DELETE" else noted[:-1]
    in_order = all(one.position <= other.position for one, other in pairwise(moved))
    return begun != ("INSERT", 0) or {one.what for one in moved} != {"UPDATE"} or not in_order


def test_a_rebuild_that_begins_again_is_seen() -> None:
    begun, moved, further = Note("INSERT", 0), Note("UPDATE", 3), Note("UPDATE", 7)
    assert not begun_again([begun, moved, further])
    assert not begun_again([begun, moved, further, Note("DELETE", 7)])
    assert begun_again([begun, moved, begun, moved, further])
    assert begun_again([begun, moved, Note("DELETE", 3), begun, further])
    assert begun_again([begun, moved, Note("UPDATE", 0), further])


@dataclass(frozen=True, slots=True)
class Building:
    """A generation that is being built."""

    number: int
    position: int


def being_built(conn: Connection, name: str) -> Building | None:
    """What is being built of this read model now."""
    conn.rollback()
    number = conn.scalar(select(generations.c.building).where(generations.c.name == name))
    if number is None:
        return None
    checkpoint = tracking.c.name == Generation(name, number).checkpoint
    return Building(number, conn.scalar(select(tracking.c.position).where(checkpoint)) or 0)


def live(conn: Connection, name: str) -> int:
    """The generation that is read."""
    conn.rollback()
    return int(conn.execute(select(generations.c.live).where(generations.c.name == name)).scalar_one())


def killed_in_the_middle(house: House, conn: Connection, name: str) -> Building:
    """Where a rebuild stood when its process was killed without warning; it had begun, and had not ended."""
    for _ in range(20):
        process = house.starting("rebuild", name, "--quiet", errors=house.folder / "rebuild.log")
        try:
            while process.running:
                built = being_built(conn, name)
                if built is not None and built.position:
                    process.send(SIGKILL)
        finally:
            process.end()
        stopped = being_built(conn, name)
        if stopped is not None and stopped.position:
            return stopped
    raise AssertionError("every rebuild ended before it could be killed")


def let_its_lease_run_out(house: House, name: str) -> None:
    """The time passes in which the dead one could still have been alive."""
    engine = make_engine(house.database)
    with writing(engine) as conn:
        conn.execute(update(leases).where(leases.c.name == f"rebuild:{name}").values(expires_at=NOON))
    engine.dispose()


def all_facts(house: House) -> Sequence[Fact]:
    """Every event of the ledger."""
    engine = make_engine(house.database)
    mapper = Mapper("main", Keyring(house.folder / "amends.key"))
    try:
        return Ledger(engine, mapper, "main").facts(0, 10**9)
    finally:
        engine.dispose()


def gone_on(conn: Connection, name: str, stopped: Building) -> bool:
    """Whether somebody built on where the dead one stopped."""
    built = being_built(conn, name)
    return live(conn, name) == stopped.number or (built is not None and built.position > stopped.position)


def rebuilt_through_kills(house: House, server: Serving, conn: Connection, name: str) -> Generation:
    """A rebuild whose first process is killed, then the server that goes on with it; its successor ends it."""
    stopped = killed_in_the_middle(house, conn, name)
    let_its_lease_run_out(house, name)
    eventually(lambda: gone_on(conn, name, stopped), "the server's own projector goes on with the rebuild")
    server.kill()
    let_its_lease_run_out(house, name)
    server.start()
    eventually(lambda: live(conn, name) == stopped.number, "the generation that was begun becomes live")
    return Generation(name, stopped.number)


def switches(names: Sequence[str]) -> set[tuple[str, int]]:
    """The generation that each of these read models has after so many rebuilds."""
    return {(name, names.count(name) + 1) for name in names}


def glanced_at(onlookers: Onlookers) -> set[tuple[str, int]]:
    """Every generation that was looked at."""
    return {(one.projection.name, one.generation) for one in onlookers.glances}


@sqlite_in_soak
@pytest.mark.parametrize("size", SIZES)
def test_rebuilds_killed_under_load_go_on_and_nobody_reads_half_of_one(any_house: House, size: Size) -> None:
    plan = Plan(SEED, size.customers)
    names = [ALL[n % len(ALL)].name for n in range(size.kills)]
    take_notes(any_house)
    with any_house.serving() as server, reading(any_house) as conn:
        with Load([server], CLIENTS) as load:
            load.start(plan.openings())
            opened = load.finish()
            known = customers_of(opened)
            load.start(plan.mixed(known, 0, size.batches))
            told = load.finish()
            server.project(len(in_headers(conn)))
            with Onlookers(any_house, server, sorted(known.values())) as onlookers:
                moved, built = [], []
                for name in names:
                    # A share for each: all at once they would be told long before the last rebuild.
                    load.start(plan.moves(known, size.moves // size.kills))
                    built.append(rebuilt_through_kills(any_house, server, conn, name))
                    moved += load.finish()
                eventually(lambda: switches(names) <= glanced_at(onlookers), "the onlooker has seen every switch")
        # Who went on did so where the dead one stood: no checkpoint was made again, and none ever fell.
        assert [one for one in built if begun_again(notes(conn, one))] == []
        # Every event is somebody's who was told of it, once: nothing else came of rebuilding.
        inspect(any_house, [server], opened + told + moved)

    facts = all_facts(any_house)
    assert onlookers.refused[:3] == []
    assert never_told(onlookers.answers, facts)[:3] == []
    assert never_true(onlookers.glances, facts)[:3] == []
