"""Long ledgers for those who read them: random plausible histories of many customers, a few of them busy."""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from domain.kinds import Fact
from tests.bench.workload import choices
from tests.support.histories import GAPS
from tests.support.ledgers import Book
from tests.support.teller import BEGINNING, TELLINGS, Choice, Teller
from tests.support.tellings import open_relationship

AT_ONCE: Final = 10_000
"""So many facts wait to be written."""
_APART: Final = 2**48
"""The ids of two copies are so far apart: more than all ids of one."""


def fill(book: Book, facts: Iterable[Fact]) -> int:
    """Appends these facts through the recorder, a thousand a transaction; gives how many."""
    waiting, filled = iter(facts), 0
    while some := list(islice(waiting, AT_ONCE)):
        book.record(some)
        filled += len(some)
    return filled


def happenings(events: int, customers: int, busy: int, seed: int = 1) -> Iterator[Fact]:
    """So many facts in the order of their recording, four fifths of them about the busy customers."""
    chance = random.Random(seed)
    tellers: dict[int, Teller] = {}
    waiting: dict[int, deque[Fact]] = {}

    def told() -> Iterator[Fact]:
        for number in choices(seed, events, customers, busy):
            if number not in tellers:
                tellers[number] = Teller(stream=number)
                open_relationship(tellers[number])
                waiting[number] = _taken(tellers[number])
            while not waiting[number]:
                _tell(tellers[number], chance)
                waiting[number] = _taken(tellers[number])
            yield waiting[number].popleft()

    return _recorded(told())


def copies(facts: Sequence[Fact], n: int, seed: int = 1) -> Iterator[Fact]:
    """These histories n times over, as happening to n times as many customers at about the same time."""
    chance = random.Random(seed)
    told = [_apart(facts, number * _APART) for number in range(n)]

    def mixed() -> Iterator[Fact]:
        while told:
            chosen = chance.randrange(len(told))
            fact = next(told[chosen], None)
            if fact is None:
                told.pop(chosen)
            else:
                yield fact

    return _recorded(mixed())


def _tell(teller: Teller, chance: random.Random) -> None:
    teller.now += timedelta(minutes=chance.choice(GAPS))
    TELLINGS[chance.choice(sorted(TELLINGS))](teller, Choice(chance.randrange(2**24)))


def _taken(teller: Teller) -> "deque[Fact]":
    """What was told since, taken from the teller: it need not remember."""
    facts, teller.facts = deque(teller.facts), []
    return facts


def _apart(facts: Iterable[Fact], by: int) -> Iterator[Fact]:
    for fact in facts:
        stream, event = UUID(int=fact.stream_id.int + by), UUID(int=fact.event_id.int + by)
        yield replace(fact, stream_id=stream, event_id=event)


def _recorded(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Positions dense from 1, recorded ever later."""
    recorded_at = BEGINNING
    for position, fact in enumerate(facts, start=1):
        recorded_at = max(recorded_at + timedelta(microseconds=1), fact.recorded_at)
        yield replace(fact, position=position, recorded_at=recorded_at)
