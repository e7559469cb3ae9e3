"""Turns: the webhooks that are being told something, each in a thread of its own."""

import threading
from collections.abc import Callable, Collection
from uuid import UUID


class Turns:
    """One turn for each webhook, however often it comes due meanwhile. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[UUID, threading.Thread] = {}
        self._again: set[UUID] = set()

    @property
    def under_way(self) -> Collection[threading.Thread]:
        """The threads of those that have not ended."""
        with self._lock:
            return tuple(self._threads.values())

    def begin(self, webhook_id: UUID, work: Callable[[], None]) -> None:
        """Begins this webhook's turn; where it has one, that is told by `more` that it came due again."""
        with self._lock:
            if webhook_id in self._threads:
                self._again.add(webhook_id)
                return
            turn = threading.Thread(target=self._run, args=(webhook_id, work), name="webhook", daemon=True)
            self._threads[webhook_id] = turn
            try:
                turn.start()
            except RuntimeError:  # the machine has no thread left
                del self._threads[webhook_id]
                raise

    def more(self, webhook_id: UUID) -> bool:
        """Whether the webhook, whose turn asks this, came due again since. If not, the turn is over with this."""
        with self._lock:
            again = webhook_id in self._again
            self._again.discard(webhook_id)
            if not again:
                self._leave(webhook_id)
            return again

    def join(self) -> None:
        """Returns when every turn that is under way has ended."""
        for turn in self.under_way:
            turn.join()

    def _run(self, webhook_id: UUID, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._leave(webhook_id)

    def _leave(self, webhook_id: UUID) -> None:
        # The next one may have begun since this one said that it ends.
        if self._threads.get(webhook_id) is threading.current_thread():
            del self._threads[webhook_id]
            self._again.discard(webhook_id)
