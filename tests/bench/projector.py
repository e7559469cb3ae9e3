"""B5: the projector catching up, against the bare reading of the same events."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from sqlalchemy import Engine, make_url

from infrastructure.projector import PAGE, Projector
from infrastructure.recorder import read_records
from projections import ALL
from projections.base import Projection
from projections.satisfaction import SatisfactionState
from tests.bench.place import Place
from tests.bench.rounds import Result, compared, interleaved
from tests.support.ledgers import Book, mixed

EVENTS: Final = 20_000
STREAMS: Final = 400
TELLINGS: Final = 40
MODELS: Final[dict[str, Sequence[Projection]]] = {
    "satisfaction alone": (SatisfactionState(),),
    "all projections": ALL,
}


def measure(place: Place) -> list[Result]:
    """The part's ratios."""
    with place.database() as filled:
        with place.engine(filled) as engine:
            _fill(place, engine)
        template = make_url(filled).database or ""
        contenders = {name: _catching_up(place, template, models) for name, models in MODELS.items()}
        rates = interleaved(contenders | {"raw read": _reading(place, template)}, place.rounds)
    return [compared(f"catching up, {name}, of a raw read", rates, name, "raw read") for name in MODELS]


def _fill(place: Place, engine: Engine) -> None:
    facts = mixed(STREAMS, TELLINGS)[:EVENTS]
    if len(facts) < EVENTS:
        raise ValueError(f"the histories have only {len(facts)} events")
    # Entered while the ledger is empty: what comes then is caught up with, not rebuilt.
    Projector(engine, place.mapper(), ALL).enter()
    Book(engine, place.mapper(), place.keyring()).record(facts)


def _catching_up(place: Place, template: str, models: Sequence[Projection]) -> Callable[[int], Callable[[], int]]:
    def prepare(number: int) -> Callable[[], int]:
        open_ = ExitStack()
        engine = open_.enter_context(place.engine(open_.enter_context(place.database(template))))
        projector = Projector(engine, place.mapper(), models)
        projector.enter()

        def work() -> int:
            folded = projector.catch_up()
            open_.close()
            return folded

        return work

    return prepare


def _reading(place: Place, template: str) -> Callable[[int], Callable[[], int]]:
    def prepare(number: int) -> Callable[[], int]:
        open_ = ExitStack()
        engine = open_.enter_context(place.engine(open_.enter_context(place.database(template))))

        def work() -> int:
            read = 0
            with engine.connect() as conn:
                while page := read_records(conn, "main", read, PAGE):
                    read += len(page)
            open_.close()
            return read

        return work

    return prepare
