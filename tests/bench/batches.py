"""B4: batches of CloudEvents over HTTP, against commands one by one and a bare binary COPY of the same rows."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from tests.bench.client import Job
from tests.bench.http import CONNECTIONS, LAYOUT, opened, posting
from tests.bench.place import Place
from tests.bench.recorder import completed, copy, make_raw_table
from tests.bench.rounds import Contender, Finding, compared, interleaved
from tests.bench.town import BATCH, Town, address
from tests.bench.workload import Drafting, raw_connection

BATCHES: Final = 20
"""Requests a round, so many events each."""
SENDERS: Final = 4
"""Connections: one batch is read while another is committed."""
OF_ONE_BY_ONE: Final = 4.0
OF_COPY: Final = 0.15
COPY: Final = "raw binary COPY"
EMBEDDED: Final = ", embedded"


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    with ExitStack() as open_:
        (town_, server), (other, embedded), load, behind = opened(place, open_)
        contenders: dict[str, Contender] = {}
        for layout, whose, at in (("", town_, address(server)), (EMBEDDED, other, address(embedded))):
            name = f"batches{layout}"
            contenders[name] = load.contender(
                name, _batches(whose, at), 200, lambda job: BATCH * len(job.requests)
            )
            for n in CONNECTIONS:
                name = f"{n} connections{layout}"
                contenders[name] = load.contender(name, posting(whose, at, n), 201)
        contenders[COPY] = _copying(place, open_)
        rates = interleaved(behind.between(contenders), place.rounds)
    place.notes["B4"] = f"{SENDERS} connections post the batches; {LAYOUT}"
    found = []
    for layout, of_one_by_one, of_copy in (("", OF_ONE_BY_ONE, OF_COPY), (EMBEDDED, None, None)):
        ours = f"batches{layout}"
        more = {"events behind at the end": behind.noticed[ours]}
        others = [(f"{n} connections{layout}", of_one_by_one) for n in CONNECTIONS] + [(COPY, of_copy)]
        for other_, bar in others:
            said = other_.removesuffix(EMBEDDED)
            what = f"batches of {BATCH}{layout}, events/s, of {said if other_ == COPY else f'POST from {said}'}"
            found.append(load.noted(compared(what, rates, ours, other_, bar), ours, **more))
    return found


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
