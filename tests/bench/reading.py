"""B9: how a customer stands, key checked, against a FastAPI that asks PostgreSQL one thing and knows no keys."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from tests.bench.client import Job, client
from tests.bench.http import Load, bare_fastapi
from tests.bench.place import Place
from tests.bench.rounds import Finding, compared, interleaved
from tests.bench.town import Town, address, town

GETS: Final = 3_000
"""Requests a round."""
CONNECTIONS: Final = 32
BAR: Final = 0.5


def measure(place: Place) -> list[Finding]:
    """The part's ratio."""
    with ExitStack() as open_:
        served = open_.enter_context(town(place, open_.enter_context(place.database())))
        server = open_.enter_context(served.house.serving())
        bare = open_.enter_context(bare_fastapi(served))
        load = Load(open_.enter_context(client()))
        rates = interleaved(
            {
                "GET": load.contender("GET", _getting(served, address(server)), 200),
                "bare FastAPI": load.contender("bare FastAPI", _getting(served, bare), 200),
            },
            place.rounds,
        )
    place.notes["B9"] = (
        "the bare GET is `async def` with a pool of asynchronous psycopg connections in autocommit, which was "
        "quicker than `def` with a pool of threads; ours also answers the open recoveries and its position"
    )
    what = f"GET of a customer, {CONNECTIONS} connections, of a FastAPI GET with one raw query"
    return [load.noted(compared(what, rates, "GET", "bare FastAPI", BAR), "GET")]


def _getting(town: Town, at: tuple[str, int]) -> Callable[[int], Job]:
    return lambda number: Job([at], CONNECTIONS, town.gets(number, GETS))
