"""A copy of the database taken among the steps of others: elsewhere it goes on where it ended, and knows its keys.

A dump goes into a database of another cluster, a SQLite file becomes another file.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from infrastructure.orders import Outcome
from infrastructure.projector import PAGE, Projector
from projections import ALL
from tests.support import checker
from tests.support.checker import Entry
from tests.support.dumps import copy_of_file, dump, restored
from tests.support.interleaving import pausing
from tests.support.theatre import (
    OPENING,
    PROJECTOR_STEPS,
    WRITER_STEPS,
    Making,
    Projecting,
    Theatre,
    as_if_rebuilt,
    chosen,
    projector_at,
)
from tests.support.writing import Desk, desk, late

pytestmark = pytest.mark.soak
ORDERS: Final = 40
"""Of 840: a database is restored for each, and its read models are built anew."""
his_turn: Final = pausing(lambda: None)


@dataclass(frozen=True)
class Way:
    """How a database is copied, and how a copy is brought up elsewhere."""

    take: Callable[[Path], None]
    elsewhere: Callable[[Path], AbstractContextManager[str]]


def copying(way: Way, to: Path) -> Making:
    """Takes a copy of the database when it is his turn."""

    def copies(_: Desk) -> None:
        his_turn()
        way.take(to)

    return copies


@pytest.fixture
def theatre(database: str, tmp_path: Path) -> Iterator[Theatre]:
    with Theatre(database, tmp_path) as made:
        yield made


@pytest.fixture
def way(database: str, request: pytest.FixtureRequest) -> Way:
    if database.startswith("sqlite"):
        return Way(partial(copy_of_file, database), lambda copy: nullcontext(f"sqlite:///{copy}"))
    server = request.getfixturevalue("durable_postgres_server")
    return Way(partial(dump, database), lambda copy: restored(copy, server))


def test_a_copy_taken_among_the_steps_of_a_writer_and_a_projector_goes_on_where_it_ended(
    theatre: Theatre, way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector, found = projector_at(theatre.desk, monkeypatch), set()
    for n, order in enumerate(chosen((WRITER_STEPS, PROJECTOR_STEPS, 1), ORDERS)):
        before = theatre.desk.post(late()).receipts[-1].position
        copy, key = tmp_path / f"copy-{n}", f"plums-{n}"
        told, _, failed = theatre.play(
            order, lambda d, key=key: d.post(late(), key=key), Projecting(page=PAGE), copying(way, copy)
        )
        assert failed is None
        theatre.sound(told)
        projector.catch_up()
        with way.elsewhere(copy) as database, desk(database, tmp_path) as elsewhere:
            head, behind = where_it_stands(elsewhere)
            assert ledger_of(elsewhere) == ledger_of(theatre.desk)[:head]
            assert head in (before, before + OPENING)
            goes_on(elsewhere, told, key, head)
        found.add((head > before, behind > 0))
    # Copied were ledgers with the post and without it, and read models at the head and behind it.
    assert [set(each) for each in zip(*found, strict=True)] == [{True, False}, {True, False}]


def goes_on(copied: Desk, told: Outcome, key: str, head: int) -> None:
    """What the copy holds is repeated, what it lacks is new and stands next; the read models catch up."""
    again = copied.post(late(), key=key)
    if told.receipts[-1].position <= head:
        assert again.replayed
        assert again.receipts == told.receipts
    else:
        assert not again.replayed
        assert [receipt.position for receipt in again.receipts] == list(range(head + 1, head + 1 + OPENING))
    assert checker.disorder(ledger_of(copied), max(head, again.receipts[-1].position)) == []
    projector = Projector(copied.engine, copied.mapper, ALL)
    projector.catch_up()
    as_if_rebuilt(projector, copied)


def where_it_stands(copied: Desk) -> tuple[int, int]:
    """The head of the ledger, and how far the slowest read model is behind it."""
    projector = Projector(copied.engine, copied.mapper, ALL)
    return projector.head(), projector.lag()


def ledger_of(d: Desk) -> list[Entry]:
    """Every event there."""
    with d.engine.connect() as conn:
        return checker.in_headers(conn)
