"""Few: how many callers may wait at once for somebody outside the house, so that the others find room."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from domain.errors import Busy

T = TypeVar("T")


class Few:
    """Lets so many in at once, and sends the next one away with Busy instead of letting him wait."""

    def __init__(self, many: int) -> None:
        self._places, self._closing = threading.Semaphore(many), threading.Lock()
        self._waiting: set[Future[Any]] = set()
        self._closed = False

    def __enter__(self) -> None:
        if self._closed or not self._places.acquire(blocking=False):
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
            threading.Thread(target=self._run, args=(work, done), name="webhook-waiting", daemon=True).start()
        except RuntimeError:  # the machine has no thread left
            self._places.release()
            raise
        self._wait_for(done)
        try:
            return done.result(seconds)
        except CancelledError:
            raise Busy from None
        finally:
            self._waiting.discard(done)

    def break_off(self) -> None:
        """Sends away with Busy whoever waits now or would wait later."""
        with self._closing:
            self._closed = True
            waiting = tuple(self._waiting)
        for one in waiting:
            one.cancel()

    def _wait_for(self, done: Future[Any]) -> None:
        with self._closing:
            self._waiting.add(done)
            if self._closed:
                done.cancel()

    def _run(self, work: Callable[[], T], done: Future[T]) -> None:
        try:
            found = work()
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever waits is told
            self._places.release()
            with suppress(InvalidStateError):  # nobody waits any more
                done.set_exception(fault)
        else:
            self._places.release()
            with suppress(InvalidStateError):
                done.set_result(found)
