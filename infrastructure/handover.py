"""Handing over: orders on their way to the writer's thread, and their answers on their way back."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from domain.errors import Unavailable
from infrastructure.orders import Answer, Order, Outcome


class Waiting(Protocol):
    """One order in the writer's line."""

    @property
    def order(self) -> Order: ...
    def take(self) -> bool:
        """Whether it is still wanted; from now on it can no longer be withdrawn."""

    def answer(self, answer: Answer) -> None:
        """Tells its caller."""


class Alone:
    """An order whose caller holds a future."""

    __slots__ = ("future", "order")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.future: Future[Outcome] = Future()

    def take(self) -> bool:
        return self.future.set_running_or_notify_cancel()

    def answer(self, answer: Answer) -> None:
        if isinstance(answer, Outcome):
            self.future.set_result(answer)
        else:
            self.future.set_exception(answer)


class Together:
    """Orders handed over as one: `done` is called once, by whatever thread gives the last answer.

    A future for each, and a word from thread to thread for each, cost more than parsing the order did.
    """

    def __init__(self, orders: Sequence[Order], done: Callable[[], None]) -> None:
        self.orders = orders
        self._answers: list[Answer | None] = [None] * len(orders)
        self._taken = [False] * len(orders)
        self._missing, self._done = len(orders), done
        self._lock = threading.Lock()

    def line(self) -> "list[Waiting]":
        """The orders as they stand in line."""
        return [_OneOf(self, n, order) for n, order in enumerate(self.orders)]

    def answers(self) -> list[Answer]:
        """The answer to each order, in order. What nobody has answered by now is withdrawn, or told as unknown."""
        with self._lock:
            for n, answer in enumerate(self._answers):
                if answer is None:
                    self._answers[n] = Unavailable(recorded="unknown" if self._taken[n] else "no")
            self._missing = 0
            return [one for one in self._answers if one is not None]

    def take(self, n: int) -> bool:
        """Whether this order is still wanted."""
        with self._lock:
            self._taken[n] = self._answers[n] is None
            return self._taken[n]

    def answer(self, n: int, answer: Answer) -> None:
        """Keeps the answer to this order, unless its caller could not wait."""
        with self._lock:
            if self._answers[n] is not None:
                return
            self._answers[n] = answer
            self._missing -= 1
            last = not self._missing
        if last:
            self._done()


class _OneOf:
    """One of several orders handed over together."""

    __slots__ = ("_n", "_together", "order")

    def __init__(self, together: Together, n: int, order: Order) -> None:
        self._together, self._n, self.order = together, n, order

    def take(self) -> bool:
        return self._together.take(self._n)

    def answer(self, answer: Answer) -> None:
        self._together.answer(self._n, answer)
