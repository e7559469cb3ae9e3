"""B2: the whole path in one process, one event a command, against bare inserts, each committed alone."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from infrastructure.recorder import COLUMNS
from infrastructure.writer import Writer
from tests.bench.place import Place
from tests.bench.rounds import Result, compared, interleaved
from tests.bench.workload import CUSTOMERS, Drafting, Values, choices, hearing, opening, raw_connection, values

COMMANDS: Final = 5_120
INSERTS: Final = 3_200
CONNECTIONS: Final = 16
BARS: Final = {32: 0.4, 256: 0.8}
"""Callers -> the share of the bare inserts to reach."""


def measure(place: Place) -> list[Result]:
    """The part's ratios."""
    with place.database() as url, place.engine(url) as engine, ExitStack() as open_:
        raws = [open_.enter_context(raw_connection(url)) for _ in range(CONNECTIONS)]
        raws[0].execute("CREATE TABLE raw (LIKE events INCLUDING ALL)")
        raws[0].commit()
        drafting = Drafting(place.mapper(), place.keyring(), engine)
        writer = open_.enter_context(_writing(place, engine))
        customers = _customers(writer)
        contenders = {f"{n} callers": _calling(writer, customers, n) for n in BARS}
        rates = interleaved(contenders | {"raw INSERT": _inserting(raws, drafting)}, place.rounds)
    return [
        compared(f"{n} callers, of raw INSERT + commit", rates, f"{n} callers", "raw INSERT", bar)
        for n, bar in BARS.items()
    ]


@contextmanager
def _writing(place: Place, engine: Engine) -> Iterator[Writer]:
    writer = Writer(engine, place.mapper(), place.keyring(), ledger="main")
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def _customers(writer: Writer) -> list[UUID]:
    """Every customer of the workload, with one open recovery."""
    futures = [writer.submit(opening()) for _ in range(CUSTOMERS)]
    return [one.result().customer_id for one in futures]


def _calling(writer: Writer, customers: Sequence[UUID], callers: int) -> Callable[[int], Callable[[], int]]:
    """So many callers, each of whom waits for an answer before the next command."""

    def prepare(number: int) -> Callable[[], int]:
        chosen = [customers[one] for one in choices(number, COMMANDS)]
        shares = [chosen[one::callers] for one in range(callers)]
        return lambda: _called(writer, shares)

    return prepare


def _called(writer: Writer, shares: Sequence[Sequence[UUID]]) -> int:
    # On a loop, as the service calls it: so many threads would mostly measure how Python switches between them.
    async def call(mine: Sequence[UUID]) -> int:
        for customer in mine:
            await asyncio.wrap_future(writer.submit(hearing(customer)))
        return len(mine)

    async def all_of_them() -> int:
        return sum(await asyncio.gather(*map(call, shares)))

    return asyncio.run(all_of_them())


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
