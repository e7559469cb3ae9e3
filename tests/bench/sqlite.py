"""B10: SQLite, which has one writer at a time however many processes there are: reported, with no bars."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from infrastructure.migrate import upgrade
from infrastructure.projector import Projector
from infrastructure.recorder import COLUMNS
from projections import ALL
from tests.bench.client import Job, client
from tests.bench.happenings import fill, happenings
from tests.bench.http import CONNECTIONS, Load, bare_fastapi
from tests.bench.place import Place
from tests.bench.projector import MODELS, catching_up, needed
from tests.bench.rounds import Contender, Finding, Result, compared, interleaved
from tests.bench.town import Town, address, town
from tests.bench.workload import Drafting, Values, values
from tests.bench.writer import calling, open_customers, writing
from tests.support.ledgers import Book

CALLERS: Final = (32, 256)
INSERTS: Final = 1_000
"""Bare ones a round, each committed alone."""
POSTS: Final = 2_000
"""Requests a round."""
EVENTS: Final = 40_000
"""Caught up in all rounds together."""
CUSTOMERS: Final = 2_000
"""Of those events: a fifth of them has four fifths of the events."""
TWO: Final = "two processes"


def measure(place: Place) -> list[Finding]:
    """The part's figures."""
    place.notes["B10"] = (
        "SQLite takes one writer at a time: every page is one transaction under one lock of the file, in WAL with "
        "synchronous=FULL, so a second process adds no writes and both wait for each other; one process is the "
        "supported deployment. The bare insert has one connection, as more would only wait"
    )
    return [*_in_process(place), *_over_http(place), *_catching_up(place)]


def _in_process(place: Place) -> list[Finding]:
    """B2 on SQLite."""
    with ExitStack() as open_:
        path = _file(place, "written")
        engine = open_.enter_context(place.engine(f"sqlite:///{path}"))
        writer = open_.enter_context(writing(place, engine))
        customers = open_customers(writer)
        contenders: dict[str, Contender] = {f"{n} callers": calling(writer, customers, n) for n in CALLERS}
        contenders["raw INSERT"] = _inserting(place, open_)
        rates = interleaved(contenders, place.rounds)
    said = "one event a command, of raw INSERT + commit"
    return [compared(f"SQLite: {n} callers, {said}", rates, f"{n} callers", "raw INSERT") for n in CALLERS]


def _inserting(place: Place, open_: ExitStack) -> Contender:
    path = _file(place, "raw")
    drafting = Drafting(place.mapper(), place.keyring(), open_.enter_context(place.engine(f"sqlite:///{path}")))
    conn = sqlite3.connect(path, isolation_level=None)
    open_.callback(conn.close)
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute(_table_like_events(conn))

    def prepare(number: int) -> Callable[[], int]:
        now = datetime.now(UTC)
        drafts = enumerate(drafting.drafts(number, INSERTS), start=number * INSERTS + 1)
        rows = [_adapted(values(draft.complete(position, now))) for position, draft in drafts]
        return lambda: _inserted(conn, rows)

    return prepare


def _table_like_events(conn: sqlite3.Connection) -> str:
    """The statement that makes a table `raw` with the columns, keys and checks of the events."""
    (made,) = conn.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'events'").fetchone()
    return str(made).replace("events", "raw", 1)


def _adapted(row: Values) -> Values:
    """As the file keeps them: ids as hexadecimal digits, times as microseconds."""
    told = (one.hex if hasattr(one, "hex") and hasattr(one, "int") else one for one in row)
    return tuple(int(one.timestamp() * 1_000_000) if isinstance(one, datetime) else one for one in told)


def _inserted(conn: sqlite3.Connection, rows: Sequence[Values]) -> int:
    statement = f"INSERT INTO raw ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    for row in rows:
        conn.execute(statement, row)  # in no transaction of ours, so committed at once
    return len(rows)


def _over_http(place: Place) -> list[Finding]:
    """B3 on SQLite, with one server and with two on the same file."""
    with ExitStack() as open_:
        served = open_.enter_context(town(place, f"sqlite:///{place.folder / 'served.db'}"))
        first = address(open_.enter_context(served.house.serving()))
        second = address(open_.enter_context(served.house.serving()))
        # It stores nothing: any database will do.
        other = replace(served, house=replace(served.house, database=open_.enter_context(place.database())))
        bare = open_.enter_context(bare_fastapi(other))
        load = Load(open_.enter_context(client()))
        ways = {f"{n} connections": ([first], n) for n in CONNECTIONS} | {TWO: ([first, second], CONNECTIONS[0])}
        contenders = {name: load.contender(name, _posting(served, at, n), 201) for name, (at, n) in ways.items()}
        contenders["bare FastAPI"] = load.contender("bare FastAPI", _posting(other, [bare], CONNECTIONS[0]), 201)
        rates = interleaved(contenders, place.rounds)
    found = [
        compared(
            f"SQLite: POST, {n} connections, of a bare FastAPI POST", rates, f"{n} connections", "bare FastAPI"
        )
        for n in CONNECTIONS
    ]
    one = f"{CONNECTIONS[0]} connections"
    return [*found, compared(f"SQLite, one writer at a time: POST to {TWO}, of one", rates, TWO, one)]


def _posting(town: Town, at: Sequence[tuple[str, int]], connections: int) -> Callable[[int], Job]:
    return lambda number: Job(at, connections, town.posts(number, POSTS))


def _catching_up(place: Place) -> list[Finding]:
    """B5 on SQLite."""
    share = EVENTS // place.rounds
    with ExitStack() as open_:
        path = _file(place, "told")
        with place.engine(f"sqlite:///{path}") as engine:
            # While the ledger is empty: what comes then is caught up with, not rebuilt.
            Projector(engine, place.mapper(), ALL).enter()
            book = Book(engine, place.mapper(), place.keyring())
            fill(book, happenings(needed(EVENTS, place.rounds), CUSTOMERS, CUSTOMERS // 5))
        contenders = {}
        for name, models in MODELS.items():
            copied = path.with_name(f"{name}.db")
            shutil.copy(path, copied)
            engine = open_.enter_context(place.engine(f"sqlite:///{copied}"))
            contenders[name] = catching_up(place, engine, models, share)
        rates = interleaved(contenders, place.rounds)
    return [
        Result(f"SQLite: catching up, {name}, events a second", found, unit="/s") for name, found in rates.items()
    ]


def _file(place: Place, name: str) -> Path:
    """A migrated database of this name."""
    path = place.folder / f"{name}.db"
    upgrade(f"sqlite:///{path}")
    return path
