"""Memory: what a long-running process tells Python's garbage collector."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 50_000
"""Objects made since the last look before the collector looks again; Python's own 700 are one page of orders."""


def spare_what_stays() -> None:
    """Lets the collector pass over what was loaded at the start, and look at the rest less often.

    Folded states and keys live long and hold no cycles: going through them again and again took a fifth of the
    writer's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)


class _Pauses:
    """How many blocks, in all threads, want the collector to be still now."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    def count(self, change: int) -> None:
        with self._lock:
            self._inside += change
            # The last one out turns it on again, whoever turned it off.
            (gc.disable if self._inside else gc.enable)()


_pauses: Final = _Pauses()


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is searched for cycles inside the block.

    What is read and folded there makes none; looking through it again and again took a fifth of the time.
    """
    _pauses.count(1)
    try:
        yield
    finally:
        _pauses.count(-1)
