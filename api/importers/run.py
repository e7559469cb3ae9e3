"""Running an import: steps go to the writer in order, many under way at once, and every row is accounted for."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import sleep
from typing import Final

from api.importers.cases import Importer, Step, order_of, reason_of
from api.importers.rows import Reject, Row, Source
from domain.errors import AmendsError, Busy, Unavailable
from infrastructure.canonical import dumps
from infrastructure.keys import Keyring
from infrastructure.orders import Order, Outcome

UNDER_WAY: Final = 1_000
"""How many orders wait for their commit at most; a few pages, so that the writer is never idle."""

TRIES: Final = 5
"""How often an unanswered step is told again, after a longer wait each time, before the import ends."""

Submit = Callable[[Order], "Future[Outcome]"]
Progress = Callable[[int, int | None], None]
"""Told how many rows are done, and how many there are where that is known."""


def no_progress(done: int, total: int | None) -> None:
    """Tells nobody."""


@dataclass
class Tally:
    """What became of a file's rows. A row is accepted when nothing of it was refused."""

    rows: int = 0
    events: int = 0
    replayed: int = 0
    rejects: list[Reject] = field(default_factory=list)
    _bad: set[int] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)

    @property
    def accepted(self) -> int:
        """How many rows were taken whole."""
        return self.rows - len(self._bad)

    def count(self, line: int) -> None:
        """One more record, unless another step of it was counted before."""
        if line not in self._seen:
            self._seen.add(line)
            self.rows += 1

    def reject(self, reject: Reject) -> None:
        """This record was refused."""
        self.count(reject.line)
        if reject.line not in self._bad:
            self._bad.add(reject.line)
            self.rejects.append(reject)


def read(importer: Importer, source: Source, progress: Progress = no_progress) -> Tally:
    """What an import would do, without a ledger: counts rows and rejects (dry run)."""
    tally = Tally()
    for item in importer.steps(source):
        _take(tally, item)
        progress(tally.rows, None)
    return tally


def run(
    importer: Importer,
    source: Source,
    submit: Submit,
    keyring: Keyring,
    progress: Progress = no_progress,
    wait: Callable[[float], None] = sleep,
) -> Tally:
    """Tells every step to the writer. What the ledger knows already is replayed and appends nothing.

    Raises Unavailable when the ledger stays away; another run goes on where this one ended.
    """
    tally = Tally()
    under_way: deque[_Told] = deque()
    for step in _steps(importer.steps(source), tally):
        fingerprint = keyring.fingerprint(dumps(dict(step.row.fields) | {"key": step.key}))
        order = order_of(step, importer.NAME, fingerprint)
        under_way.append(_Told(step, order, _submitted(submit, order, wait)))
        if len(under_way) >= UNDER_WAY:
            _settle(tally, under_way, submit, wait)
            progress(tally.rows, None)
    while under_way:
        _settle(tally, under_way, submit, wait)
    progress(tally.rows, None)
    return tally


@dataclass
class _Told:
    """A step whose outcome is not counted yet."""

    step: Step
    order: Order
    future: "Future[Outcome]"


def _steps(items: Iterator[Step | Reject | Row], tally: Tally) -> Iterator[Step]:
    for item in items:
        step = _take(tally, item)
        if step is not None:
            yield step


def _take(tally: Tally, item: Step | Reject | Row) -> Step | None:
    if isinstance(item, Reject):
        tally.reject(item)
        return None
    if isinstance(item, Row):
        tally.count(item.line)
        return None
    tally.count(item.row.line)
    return item


def _submitted(submit: Submit, order: Order, wait: Callable[[float], None]) -> "Future[Outcome]":
    while True:
        try:
            return submit(order)
        except Busy as busy:
            wait(busy.retry_after_seconds)


def _settle(tally: Tally, under_way: deque[_Told], submit: Submit, wait: Callable[[float], None]) -> None:
    """Counts the first of those under way, told again with the same key where the ledger did not answer."""
    for tries in range(1, TRIES + 1):
        fault = under_way[0].future.exception()
        if not isinstance(fault, Unavailable):
            break
        # Those after it may have been refused only because it was missing: they too are told again, in order.
        missing = [one for one in under_way if one.future.exception() is not None]
        wait(fault.retry_after_seconds * tries)
        for one in missing:
            one.future = _submitted(submit, one.order, wait)
    told = under_way.popleft()
    _count(tally, told.step, told.future)


def _count(tally: Tally, step: Step, future: "Future[Outcome]") -> None:
    try:
        outcome = future.result()
    except Unavailable:
        raise
    except (AmendsError, ValueError) as refusal:
        reason = f"{refusal.code}: {refusal}" if isinstance(refusal, AmendsError) else reason_of(refusal)
        tally.reject(Reject(step.row.line, reason, tuple(step.row.fields.values())))
        return
    if outcome.replayed:
        tally.replayed += 1
    else:
        tally.events += len(outcome.receipts)
