"""Witnesses: readers of a ledger that write down what they see while others append, and what they missed."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple

from tests.support.processes import PATIENCE_SECONDS

AGAIN_AFTER_SECONDS: Final = 0.01


class Seen(NamedTuple):
    """One event, as a reader meets it."""

    position: int
    stream: str
    version: int


Read = Callable[[int], Sequence[Seen]]
"""A position -> the next events after it; none at the end."""
Reader = Callable[[threading.Event], Iterator[Seen]]
"""Told when nobody writes any more -> what there is to see until then, and to the end."""


def following(read: Read) -> Reader:
    """A reader that keeps its position and asks for what comes after it."""

    def reader(over: threading.Event) -> Iterator[Seen]:
        after = 0
        while True:
            last = over.is_set()  # before looking: what was written until then must be seen
            page = read(after)
            if page:
                yield from page
                after = page[-1].position
            elif last:
                return
            else:
                over.wait(AGAIN_AFTER_SECONDS)

    return reader


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with what a reader saw."""

    lost: int
    twice: int
    out_of_order: int
    never_there: int
    """What was rolled back, and seen all the same."""


SOUND: Final = Verdict(lost=0, twice=0, out_of_order=0, never_there=0)


def verdict(seen: Sequence[Seen], truth: Iterable[Seen]) -> Verdict:
    """What a reader saw against what is there in the end."""
    there, met = set(truth), set(seen)
    return Verdict(len(there - met), len(seen) - len(met), _out_of_order(seen), len(met - there))


def _out_of_order(seen: Sequence[Seen]) -> int:
    newest: dict[str, int] = defaultdict(int)
    wrong, position = 0, 0
    for one in seen:
        wrong += one.version < newest[one.stream] or one.position < position
        newest[one.stream], position = max(newest[one.stream], one.version), max(position, one.position)
    return wrong


class Witnesses:
    """Readers at work, each in a thread. Leaving the block ends them."""

    def __init__(self, readers: int) -> None:
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="witness")
        self._testimonies: dict[str, Future[list[Seen]]] = {}

    def __enter__(self) -> "Witnesses":
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()

    def begin(self, name: str, reader: Reader) -> None:
        """Lets this reader begin now."""
        self._testimonies[name] = self._pool.submit(lambda: list(reader(self._over)))

    def verdicts(self, truth: Sequence[Seen]) -> dict[str, Verdict]:
        """What each has to be blamed for, once nobody writes any more and `truth` is what is there."""
        self._over.set()
        return {
            name: verdict(testimony.result(PATIENCE_SECONDS), truth)
            for name, testimony in self._testimonies.items()
        }
