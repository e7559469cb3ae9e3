"""B5: the projector catching up, against a stock ProjectionRunner that only counts, and a bare reading."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Final

from sqlalchemy import Engine, make_url

from infrastructure.projector import PAGE, Progress, Projector
from infrastructure.recorder import read_records
from projections import ALL
from projections.base import Projection
from projections.satisfaction import SatisfactionState
from tests.bench.happenings import fill, happenings
from tests.bench.place import Place
from tests.bench.rounds import Contender, Finding, compared, interleaved
from tests.bench.workload import BUSY, CUSTOMERS, payload
from tests.support.ledgers import Book

EVENTS: Final = 200_000
"""Caught up by each of ours in all rounds together: every round goes on where the last one ended."""
COUNTED: Final = 6_000
"""Counted by the stock runner in each round; rates are compared."""
MODELS: Final[dict[str, Sequence[Projection]]] = {
    "satisfaction alone": (SatisfactionState(),),
    "all projections": ALL,
}
BARS: Final = {"satisfaction alone": 20.0, "all projections": 10.0}
"""What to reach of the stock runner."""


class _FarEnough(Exception):
    """The round is over."""


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    share = EVENTS // place.rounds
    with ExitStack() as open_:
        filled = open_.enter_context(place.database())
        with place.engine(filled) as engine:
            _fill(place, engine)
        template = make_url(filled).database or ""

        def copied() -> Engine:
            return open_.enter_context(place.engine(open_.enter_context(place.database(template))))

        contenders = {name: catching_up(place, copied(), models, share) for name, models in MODELS.items()}
        contenders["raw read"] = _reading(copied(), share)
        contenders["stock"] = open_.enter_context(place.peer("stock")).contender("count", _counting)
        rates = interleaved(contenders, place.rounds)
    place.notes["B5"] = (
        f"random histories of {CUSTOMERS:,} customers; each of ours catches up {EVENTS:,} events in all, "
        f"{share:,} a round, every round from where the last one ended; stock counts {COUNTED:,} a round, "
        "its start and its end included; "
        "events a second are compared. eventsource-py and umadb are not measured here"
    )
    return [
        *(
            compared(f"catching up, {name}, of stock's bare counter", rates, name, "stock", BARS[name])
            for name in MODELS
        ),
        *(compared(f"catching up, {name}, of a raw read", rates, name, "raw read") for name in MODELS),
    ]


def _fill(place: Place, engine: Engine) -> None:
    # Entered while the ledger is empty: what comes then is caught up with, not rebuilt.
    Projector(engine, place.mapper(), ALL).enter()
    fill(Book(engine, place.mapper(), place.keyring()), happenings(needed(EVENTS, place.rounds), CUSTOMERS, BUSY))


def needed(events: int, rounds: int) -> int:
    """How many events there must be so that every round has its share, though its last page goes beyond it."""
    return events + rounds * min(PAGE, events // rounds)


def catching_up(place: Place, engine: Engine, models: Sequence[Projection], share: int) -> Contender:
    """A projector of these read models that folds so many events in each round, going on where it was."""
    projector = Projector(engine, place.mapper(), models, page=min(PAGE, share))
    projector.enter()

    def prepare(number: int) -> Callable[[], int]:
        before = projector.position()

        def work() -> int:
            with suppress(_FarEnough):
                projector.catch_up(_until(before + share))
            return projector.position() - before

        return work

    return prepare


def _until(position: int) -> Progress:
    def progress(reached: int, head: int) -> None:
        if reached >= position:
            raise _FarEnough

    return progress


def _reading(engine: Engine, share: int) -> Contender:
    def prepare(number: int) -> Callable[[], int]:
        def work() -> int:
            read = 0
            with engine.connect() as conn:
                while read < share and (page := read_records(conn, "main", number * share + read, PAGE)):
                    read += len(page)
            return read

        return work

    return prepare


def _counting(number: int) -> Mapping[str, Any]:
    return {"streams": BUSY, "events": COUNTED, "payload": payload()}
