"""A loop whose clock leaps to whatever is due next: what takes minutes is seen at once, and to the second."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Waits for nothing: whoever would wait so long finds that the time has passed."""

    def __init__(self, leap: Callable[[float], None]) -> None:
        super().__init__()
        self._leap = leap

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing is due, so nothing would ever happen"
        self._leap(timeout)
        return super().select(0)


class _Leaping(asyncio.SelectorEventLoop):
    """Its timers ring so much too early, as those of real loops do within the fineness of their clock."""

    def __init__(self, early_seconds: float) -> None:
        self._now, self._early = 0.0, early_seconds
        super().__init__(_Selector(self._pass))
        self._clock_resolution = 2 * early_seconds

    def time(self) -> float:
        return self._now

    def _pass(self, seconds: float) -> None:
        self._now += max(seconds - self._early, 0.0)


def leaping(work: Coroutine[Any, Any, T], early_seconds: float = 1e-6) -> T:
    """What this work gives. The clock of its loop begins at zero, and leaps."""
    with asyncio.Runner(loop_factory=lambda: _Leaping(early_seconds)) as runner:
        return runner.run(work)
