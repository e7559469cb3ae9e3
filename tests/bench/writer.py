"""B2: the whole path in one process, one event a command, against bare inserts committed alone, and peers."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import uvloop
from sqlalchemy import Engine

from infrastructure.memory import spare_what_stays
from infrastructure.recorder import COLUMNS
from infrastructure.writer import Writer
from tests.bench.callers import told
from tests.bench.peers import NAMES
from tests.bench.place import Place
from tests.bench.recorder import SPARED, make_raw_table
from tests.bench.rounds import Finding, compared, interleaved
from tests.bench.workload import (
    CUSTOMERS,
    Drafting,
    Values,
    choices,
    opening,
    payload,
    raw_connection,
    updating,
    values,
)

COMMANDS: Final = 5_120
INSERTS: Final = 3_200
SAVES: Final = 2_000
"""The peers take longer for each; rates are compared."""
CONNECTIONS: Final = 16
"""Threads of the peers, and connections of the bare inserts."""
BARS: Final = {32: {"raw INSERT": 0.4, "stock": 3.0}, 256: {"raw INSERT": 0.8, "stock": 6.0}}
"""Callers -> what to reach of the bare inserts, and of the stock save."""


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    with ExitStack() as open_:
        url = open_.enter_context(place.database())
        engine = open_.enter_context(place.engine(url))
        raws = [open_.enter_context(raw_connection(url)) for _ in range(CONNECTIONS)]
        make_raw_table(raws[0])
        drafting = Drafting(place.mapper(), place.keyring(), engine)
        writer = open_.enter_context(writing(place, engine))
        customers = open_customers(writer)
        ours = {f"{n} callers": calling(writer, customers, n) for n in BARS}
        others = {"raw INSERT": _inserting(raws, drafting)} | {
            name: open_.enter_context(place.peer(name)).contender("save", saving) for name in NAMES
        }
        place.notes["B2"] = SPARED
        rates = interleaved(ours | others, place.rounds)
    return [
        compared(f"{n} callers, of {_said(name)}", rates, f"{n} callers", name, bars.get(name))
        for n, bars in BARS.items()
        for name in others
    ]


@contextmanager
def writing(place: Place, engine: Engine) -> Iterator[Writer]:
    """A running writer of the ledger `main`."""
    spare_what_stays()  # as the service does when it starts
    writer = Writer(engine, place.mapper(), place.keyring(), ledger="main")
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def open_customers(writer: Writer) -> list[UUID]:
    """Every customer of the workload, with one open recovery."""
    futures = [writer.submit(opening()) for _ in range(CUSTOMERS)]
    return [one.result().customer_id for one in futures]


def calling(writer: Writer, customers: Sequence[UUID], callers: int) -> Callable[[int], Callable[[], int]]:
    """So many callers, each of whom waits for an answer before the next command."""

    def prepare(number: int) -> Callable[[], int]:
        chosen = [customers[one] for one in choices(number, COMMANDS)]
        shares = [chosen[one::callers] for one in range(callers)]
        return lambda: _called(writer, shares)

    return prepare


def saving(number: int) -> Mapping[str, Any]:
    """What a peer must know to save one event at a time, about the same customers."""
    return {
        "customers": CUSTOMERS,
        "commands": choices(number, SAVES),
        "threads": CONNECTIONS,
        "payload": payload(),
    }


def _said(name: str) -> str:
    return "raw INSERT + commit" if name == "raw INSERT" else f"{name}, save from {CONNECTIONS} threads"


def _called(writer: Writer, shares: Sequence[Sequence[UUID]]) -> int:
    # On a loop, as the service calls it: so many threads would mostly measure how Python switches between them.
    async def call(mine: Sequence[UUID]) -> int:
        for customer in mine:
            await told(writer, updating(customer))
        return len(mine)

    async def all_of_them() -> int:
        return sum(await asyncio.gather(*map(call, shares)))

    return uvloop.run(all_of_them())


def _inserting(
    raws: "Sequence[psycopg.Connection[Any]]", drafting: Drafting
) -> Callable[[int], Callable[[], int]]:
    def prepare(number: int) -> Callable[[], int]:
        now = datetime.now(UTC)
        drafts = enumerate(drafting.drafts(number, INSERTS), start=number * INSERTS + 1)
        rows = [values(draft.complete(position, now)) for position, draft in drafts]
        return lambda: _inserted(raws, [rows[one :: len(raws)] for one in range(len(raws))])

    return prepare


def _inserted(raws: "Sequence[psycopg.Connection[Any]]", shares: Sequence[Sequence[Values]]) -> int:
    statement = f"INSERT INTO raw ({', '.join(COLUMNS)}) VALUES ({', '.join(['%b'] * len(COLUMNS))})".encode()

    def insert(raw: "psycopg.Connection[Any]", mine: Sequence[Values]) -> int:
        for row in mine:
            raw.execute(statement, row)
            raw.commit()
        return len(mine)

    with ThreadPoolExecutor(len(raws)) as pool:
        return sum(pool.map(insert, raws, shares))
