"""Noting: what a request's log lines and figures will say of it, gathered while it is answered."""

import random
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from api.tracing import trace_id
from infrastructure.orders import Outcome


class Note:
    """One request. Nothing in it is a caller's words: ids, positions, slugs and numbers."""

    __slots__ = ("positions", "problems", "replayed", "request", "traceparent")

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent
        # Our own id of it, told in the header `Request-Id` too. It need not be hard to guess, but quick.
        self.request = f"{random.getrandbits(64):016x}"
        self.positions: list[int] = []
        self.problems: dict[str, int] = {}
        self.replayed = 0

    def links(self) -> dict[str, str]:
        """What ties every log line about the request together, and to the trace it belongs to."""
        trace = trace_id(self.traceparent)
        return {"request": self.request} if trace is None else {"request": self.request, "trace": trace}

    def tell(self, told: dict[str, Any]) -> None:
        """Adds to the access line where the events stand that the caller was told of, and problems."""
        if self.positions:
            told["positions"] = ranges(self.positions)
        if self.replayed:
            told["replayed"] = self.replayed
        if self.problems:
            if sum(self.problems.values()) == 1:
                [told["problem"]] = self.problems
            else:
                told["problems"] = self.problems


_current: ContextVar[Note | None] = ContextVar("note", default=None)


def begin(traceparent: str | None) -> Note:
    """A new note; what this task and the threads it asks do from here on is noted in it."""
    note = Note(traceparent)
    _current.set(note)
    return note


def traced() -> str | None:
    """The traceparent of the request that is being answered."""
    note = _current.get()
    return None if note is None else note.traceparent


def links() -> dict[str, str]:
    """What a log line says of the request that is being answered."""
    note = _current.get()
    return {} if note is None else note.links()


def note_outcome(outcome: Outcome) -> None:
    """The caller is told of this outcome."""
    note = _current.get()
    if note is not None:
        for one in outcome.receipts:
            note.positions.append(one.position)
        note.replayed += outcome.replayed


def note_problem(slug: str) -> None:
    """The caller is told this problem."""
    note = _current.get()
    if note is not None:
        note.problems[slug] = note.problems.get(slug, 0) + 1


def ranges(positions: Iterable[int]) -> str:
    """These positions in few characters, in order: `5-7,9`."""
    given = list(positions)
    if len(given) == 1:
        return str(given[0])
    found: list[list[int]] = []
    for position in sorted(set(given)):
        if found and found[-1][1] == position - 1:
            found[-1][1] = position
        else:
            found.append([position, position])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in found)
