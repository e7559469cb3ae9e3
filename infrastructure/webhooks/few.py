"""Few: how many callers may wait at once for somebody outside the house, so that the others find room."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import TypeVar

from domain.errors import Busy

T = TypeVar("T")


class Few:
    """Lets so many in at once, and sends the next one away with Busy instead of letting him wait."""

    def __init__(self, many: int) -> None:
        self._places = threading.Semaphore(many)

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise Busy

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()

    def within(self, seconds: float, work: Callable[[], T]) -> T:
        """What this work comes to; TimeoutError when it takes longer, Busy when too many are at it.

        Work that nobody waits for any more keeps its place until it has ended: it cannot be broken off.
        """
        done: Future[T] = Future()
        self.__enter__()
        try:
            threading.Thread(target=self._run, args=(work, done), name="webhook-lookup", daemon=True).start()
        except RuntimeError:  # the machine has no thread left
            self._places.release()
            raise
        return done.result(seconds)

    def _run(self, work: Callable[[], T], done: Future[T]) -> None:
        try:
            found = work()
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever waits is told
            self._places.release()
            done.set_exception(fault)
        else:
            self._places.release()
            done.set_result(found)
