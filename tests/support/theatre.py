"""A theatre: one database on which writers, projectors and others take their steps in a given order."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import factorial, prod
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from infrastructure import checkpoints
from infrastructure.orders import Outcome
from infrastructure.projector import Projector
from infrastructure.recorder import read_head
from projections import ALL
from tests.support import checker
from tests.support.interleaving import Party, Stage, orders, pausing
from tests.support.soak import SOAK
from tests.support.writing import NOON, Desk, desk

Making = Callable[[Desk], Any]
WRITER_STEPS: Final = 3
"""Where he connects, where he has the lock, where he commits."""
FULL_PAGE_STEPS: Final = 4
"""Where a projector connects to look, where it does to fold, after it locked the checkpoints, at commit."""
PROJECTOR_STEPS: Final = 6
"""The same for a page that is not full: the last two come for the first read model, and again for the others."""
OPENING: Final = 5
"""So many events open a customer with a failure."""
A_FEW: Final = 10
TOO_MANY: Final = 2_000


@dataclass(frozen=True)
class Projecting:
    """Folds so many pages into every read model. How often it stops depends on what the others do."""

    pages: int = 1
    page: int = OPENING

    def __call__(self, d: Desk) -> int:
        projector = Projector(d.engine, d.mapper, ALL, page=self.page)
        return sum(projector.run_once() for _ in range(self.pages))


class Theatre:
    """One database, a desk to prepare it, and parties with engines of their own.

    `stops` is how often each party of the last play stopped.
    """

    def __init__(self, database: str, folder: Path) -> None:
        self._database, self._folder = database, folder
        self._open = ExitStack()
        self._sound_to = 0
        self.stops: list[int] = []
        self.desk = self._open.enter_context(desk(database, folder))

    def __enter__(self) -> "Theatre":
        return self

    def __exit__(self, fault: object, *_: object) -> None:
        with self._open:
            if fault is None:
                self._sound_to = 0
                self.sound()  # once all: nothing was taken from what was there before

    def play(self, order: Sequence[int], *works: Making) -> list[Any]:
        """What became of these works, begun together, when they took their steps in this order."""
        with ExitStack() as open_:
            parties = [self._party(open_, work) for work in works]
            told = Stage(self.desk.engine, parties).play(order)
        self.stops = [party.stops for party in parties]
        for number, stops in enumerate(self.stops):
            # Otherwise his steps were not those that were ordered, and the test would show nothing.
            assert stops == order.count(number) or isinstance(works[number], Projecting)
        return told

    def _party(self, open_: ExitStack, work: Making) -> Party:
        party = Party()
        own = open_.enter_context(desk(self._database, self._folder, clock=party.now, latest=lambda: NOON))
        party.start(own.engine, lambda: work(own))
        return party

    def sound(self, *outcomes: Outcome) -> None:
        """The ledger is dense from where it last was, and every receipt says what is there."""
        with self.desk.engine.connect() as conn:
            head = read_head(conn, "main").position
            entries = checker.in_headers(conn, after=self._sound_to)
        found = {entry.event_id: entry for entry in entries}
        assert [entry.position for entry in entries] == list(range(self._sound_to + 1, head + 1))
        self._sound_to = head
        for outcome in outcomes:
            for receipt in outcome.receipts:
                entry = found[str(receipt.event_id)]
                assert (entry.position, entry.leaf_hash) == (receipt.position, receipt.leaf_hash)


def projector_at(d: Desk, patch: pytest.MonkeyPatch) -> Projector:
    """A projector that has begun every read model here; those of parties stop once they locked the checkpoints."""
    patch.setattr(checkpoints, "positions", pausing(checkpoints.positions))
    projector = Projector(d.engine, d.mapper, ALL)
    projector.enter()
    return projector


def as_if_rebuilt(projector: Projector, d: Desk) -> None:
    """Every read model has come to the head, and has the rows that a clean rebuild gives it."""
    assert projector.lag() == 0
    with d.engine.connect() as conn:
        assert checker.parked(conn) == []
        live = checker.live_rows(conn)
    for one in ALL:
        projector.rebuild(one.name)
    with d.engine.connect() as conn:
        assert checker.differences(live, checker.live_rows(conn)) == []


def some(steps: Sequence[int], few: int = A_FEW, alike: Sequence[int] = ()) -> list[tuple[int, ...]]:
    """In a soak every order of these steps, if there are not too many; else a few, always the same.

    Of parties that do `alike` it is the same which of them goes first: they first appear in the order given.
    """
    number = factorial(sum(steps)) // prod(map(factorial, steps))
    if SOAK and number <= TOO_MANY:
        return [order for order in orders(steps) if in_turn(order, alike)]
    return chosen(steps, TOO_MANY if SOAK else few)


def chosen(steps: Sequence[int], few: int) -> list[tuple[int, ...]]:
    """So many orders of these steps, drawn always alike."""
    number = factorial(sum(steps)) // prod(map(factorial, steps))
    chance, deck = Random(number), [party for party, n in enumerate(steps) for _ in range(n)]
    return [tuple(chance.sample(deck, len(deck))) for _ in range(few)]


def in_turn(order: Sequence[int], alike: Sequence[int]) -> bool:
    """Whether these parties first appear one after the other."""
    first = [order.index(party) for party in alike]
    return first == sorted(first)
