"""B6: loading a relationship of a hundred events, cold and from the cache, against stock and other peers."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, delete

from domain.relationship import Relationship, evolve
from infrastructure.cold import read_cold
from infrastructure.engine import begin_writing
from infrastructure.recorder import lock_head
from infrastructure.states import SNAPSHOT_EVERY, States, load, save_snapshots
from infrastructure.tables import snapshots
from infrastructure.writer import PAGE, Writer
from tests.bench.place import Place
from tests.bench.rounds import Contender, Finding, compared, interleaved
from tests.bench.workload import opening, payload, updating
from tests.bench.writer import writing

EVENTS: Final = 100
RELATIONSHIPS: Final = 50
TIMES: Final = 4
"""How often each of them is loaded in a round, cold."""
CACHED_TIMES: Final = 200
BAR_COLD: Final = 3.0
BAR_CACHED: Final = 20.0


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    with ExitStack() as open_:
        engine = open_.enter_context(place.engine(open_.enter_context(place.database())))
        with writing(place, engine) as writer:
            snapshotted, behind, folded = (_relationships(writer) for _ in range(3))
        with engine.begin() as conn:
            _snapshots_at(conn, place, snapshotted, EVENTS)
            _snapshots_at(conn, place, behind, EVENTS - SNAPSHOT_EVERY)
            _snapshots_at(conn, place, folded, 0)
        conn = open_.enter_context(engine.connect())
        ours = {
            "folded": _loading(place, conn, folded),
            "at worst": _loading(place, conn, behind),
            "at worst, together": _loading(place, conn, behind, together=True),
            "from snapshots": _loading(place, conn, snapshotted),
            "from snapshots, together": _loading(place, conn, snapshotted, together=True),
            "cached": _cached(place, conn, snapshotted, PAGE),
            "cached, alone": _cached(place, conn, snapshotted, 1),
        }
        rates = interleaved(ours | _peers(place, open_), place.rounds)
    place.notes["B6"] = (
        f"cold: the writer takes a snapshot every {SNAPSHOT_EVERY} events in streams as short as these, so that "
        "at worst so many are left to fold; stock takes none by default, and gets one relationship at a time: it "
        "has no other way. "
        f"In a page: {RELATIONSHIPS} at once, as the writer loads what a page needs. "
        "cached: ours looks at the ledger's head under its lock once a page, as the writer does, so what it gives "
        f"is up to date; a full page is {PAGE} loads. stock with its cache asks the database for newer events at "
        "every get, and does not copy. Told not to ask, it may give what is out of date. stock folds frozen "
        "aggregates from pydantic events by orjson, which its examples have and is quicker than its tutorial"
    )
    return [
        compared("cold, left to us at worst, of stock as by default", rates, "at worst", "stock folded", BAR_COLD),
        compared(
            "cold, a snapshot at the end, of stock with one", rates, "from snapshots", "stock snapshot", BAR_COLD
        ),
        compared("cold, no snapshot, all 100 events folded, of stock", rates, "folded", "stock folded", BAR_COLD),
        compared("cold, all 100 events folded, of stock's tutorial style", rates, "folded", "stock declared"),
        compared("cold, in a page, at worst, of stock as by default", rates, "at worst, together", "stock folded"),
        compared(
            "cold, in a page, snapshots, of stock with them", rates, "from snapshots, together", "stock snapshot"
        ),
        compared("cached, in a full page, of stock with its cache", rates, "cached", "stock cached", BAR_CACHED),
        compared("cached, in a full page, of stock as by default", rates, "cached", "stock folded", BAR_CACHED),
        compared("cached, alone on its page, of stock with its cache", rates, "cached, alone", "stock cached"),
        compared("cached, in a full page, of stock told not to ask", rates, "cached", "stock cached, not asked"),
        compared("cold, all 100 events folded, of eventsource-py", rates, "folded", "eventsource-py"),
        compared("cold, all 100 events folded, of umadb", rates, "folded", "umadb"),
    ]


def _relationships(writer: Writer) -> list[UUID]:
    """Relationships of exactly so many events each, written as everything is."""
    begun = [writer.submit(opening()) for _ in range(RELATIONSHIPS)]
    versions = {one.result().customer_id: one.result().version for one in begun}
    waiting = [writer.submit(updating(one)) for one, version in versions.items() for _ in range(EVENTS - version)]
    ends = {one.result().customer_id: one.result().version for one in waiting}
    if set(ends.values()) != {EVENTS}:
        raise ValueError(f"the relationships do not have {EVENTS} events each")
    return list(versions)


def _snapshots_at(conn: Connection, place: Place, streams: Sequence[UUID], version: int) -> None:
    """Leaves each of these one snapshot, taken at this version; at version 0 none."""
    mapper = place.mapper()
    states = {stream: Relationship(stream) for stream in streams}
    for record in read_cold(conn, "main", streams, None).told:
        if record.version <= version:
            states[record.stream_id] = evolve(states[record.stream_id], mapper.known(record))
    conn.execute(delete(snapshots).where(snapshots.c.stream_id.in_(streams)))
    save_snapshots(conn, "main", [state for state in states.values() if state.version])


def _loading(place: Place, conn: Connection, streams: Sequence[UUID], *, together: bool = False) -> Contender:
    mapper = place.mapper()
    asked = [list(streams)] if together else [[stream] for stream in streams]

    def prepare(number: int) -> Callable[[], int]:
        def work() -> int:
            # One transaction, as a page of the writer has one for all it loads.
            with conn.begin():
                for _ in range(TIMES):
                    for some in asked:
                        load(conn, mapper, "main", some, Relationship)
            return TIMES * len(streams)

        return work

    return prepare


def _cached(place: Place, conn: Connection, streams: Sequence[UUID], page: int) -> Contender:
    states = States(len(streams))
    with begin_writing(conn):
        states.keep(load(conn, place.mapper(), "main", streams, Relationship), lock_head(conn, "main").position)
    times = CACHED_TIMES if page > 1 else TIMES
    wanted = [stream for _ in range(times) for stream in streams]

    def prepare(number: int) -> Callable[[], int]:
        def work() -> int:
            found = 0
            for start in range(0, len(wanted), page):
                with begin_writing(conn):
                    if lock_head(conn, "main").position != states.seen:
                        raise ValueError("nobody else writes here")
                    found += sum(states.get(one) is not None for one in wanted[start : start + page])
            return found

        return work

    return prepare


def _peers(place: Place, open_: ExitStack) -> dict[str, Contender]:
    stock = open_.enter_context(place.peer("stock"))
    ways = ("folded", "declared", "snapshot", "cached", "cached, not asked")
    found = {f"stock {how}": stock.contender("load", _settings(how)) for how in ways}
    for name in ("eventsource-py", "umadb"):
        found[name] = open_.enter_context(place.peer(name)).contender("load", _settings("folded"))
    return found


def _settings(how: str) -> Callable[[int], Mapping[str, Any]]:
    times = CACHED_TIMES if how == "cached, not asked" else TIMES
    made = {"how": how, "relationships": RELATIONSHIPS, "events": EVENTS, "times": times, "payload": payload()}
    return lambda number: made
