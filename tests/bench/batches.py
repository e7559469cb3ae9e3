"""B4: batches of CloudEvents over HTTP, against commands one by one and a bare binary COPY of the same rows."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from tests.bench.client import Job, client
from tests.bench.http import CONNECTIONS, Behind, Load, posting
from tests.bench.place import Place
from tests.bench.recorder import completed, copy, make_raw_table
from tests.bench.rounds import Finding, compared, interleaved
from tests.bench.town import BATCH, Town, address, town
from tests.bench.workload import Drafting, raw_connection

BATCHES: Final = 20
"""Requests a round, so many events each."""
SENDERS: Final = 4
"""Connections: one batch is read while another is committed."""
OF_ONE_BY_ONE: Final = 4.0
OF_COPY: Final = 0.15


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    with ExitStack() as open_:
        served_town = open_.enter_context(town(place, open_.enter_context(place.database())))
        server = open_.enter_context(served_town.house.serving())
        behind = Behind(served_town.house.database, open_)
        load = Load(open_.enter_context(client()))
        contenders = {
            "batches": load.contender(
                "batches",
                _batches(served_town, address(server)),
                200,
                done=lambda job: BATCH * len(job.requests),
                before=behind.none,
            )
        }
        for n in CONNECTIONS:
            job = posting(served_town, address(server), n)
            contenders[f"{n} connections"] = load.contender(f"{n} connections", job, 201, before=behind.none)
        contenders["raw COPY"] = _copying(place, open_)
        contenders = {name: behind.looked_at(name, one) for name, one in contenders.items()}
        rates = interleaved(contenders, place.rounds)
    place.notes["B4"] = f"{SENDERS} connections post the batches; the server projects at the same time, as shipped"
    more = {"events behind at the end": behind.noticed["batches"]}
    found = [
        compared(f"batches of {BATCH}, events/s, of POST from {name}", rates, "batches", name, OF_ONE_BY_ONE)
        for name in (f"{n} connections" for n in CONNECTIONS)
    ]
    found.append(
        compared(f"batches of {BATCH}, events/s, of raw binary COPY", rates, "batches", "raw COPY", OF_COPY)
    )
    return [load.noted(one, "batches", **more) for one in found]


def _batches(town: Town, at: tuple[str, int]) -> Callable[[int], Job]:
    return lambda number: Job([at], SENDERS, town.batches(number, BATCHES))


def _copying(place: Place, open_: ExitStack) -> Callable[[int], Callable[[], int]]:
    """The same rows as bare values, as many a transaction as a batch has."""
    url = open_.enter_context(place.database())
    drafting = Drafting(place.mapper(), place.keyring(), open_.enter_context(place.engine(url)))
    raw = open_.enter_context(raw_connection(url))
    make_raw_table(raw)

    def prepare(number: int) -> Callable[[], int]:
        drafts = [list(drafting.drafts(number, BATCH)) for _ in range(BATCHES)]
        rows = completed(drafts, number * BATCH * BATCHES)
        return lambda: copy(raw, rows)

    return prepare
