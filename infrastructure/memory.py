"""Memory: what a long-running process tells Python's garbage collector."""

import gc
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


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is searched for cycles inside the block.

    What is read and folded there makes none; looking through it again and again took a fifth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
