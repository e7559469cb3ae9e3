"""Settling: everything that time has made due for one customer, in order, up to a moment."""

from collections.abc import Iterator
from datetime import datetime

from domain.clocks import SHIPPED, Targets
from domain.duties.deadlines import missed_deadlines
from domain.duties.due import Due
from domain.duties.quiet_close import quiet_closes
from domain.duties.silence import silences
from domain.kinds import AMENDS, Event
from domain.relationship import Recovery, Relationship, assumed

DUTIES = (missed_deadlines, silences, quiet_closes)


def settle(state: Relationship, until: datetime, targets: Targets = SHIPPED) -> list[tuple[datetime, Event]]:
    """The (due time, event) pairs due up to and including `until`, in order.

    Each one changes the state before the next is looked for, so the same facts give the same events in
    whatever steps the clock is swept.
    """
    settled: list[tuple[datetime, Event]] = []
    while (due := _first(state, targets)) is not None and due.at <= until:
        events = due.events()
        settled += [(due.at, event) for event in events]
        state = assumed(state, events, occurred_at=due.at, recorded_at=due.at, actor=AMENDS)
    return settled


def next_due(state: Relationship, targets: Targets = SHIPPED) -> datetime | None:
    """When `settle` will next have something to say; None when never, unless something else happens."""
    due = _first(state, targets)
    return None if due is None else due.at


def next_due_of(state: Relationship, recovery: Recovery, targets: Targets = SHIPPED) -> datetime | None:
    """The same for one recovery of this relationship, as long as nobody asks to be forgotten."""
    return min((due.at for due in _due(state, recovery, targets)), default=None)


def _first(state: Relationship, targets: Targets) -> Due | None:
    return min(_all_due(state, targets), key=lambda due: due.order, default=None)


def _all_due(state: Relationship, targets: Targets) -> Iterator[Due]:
    # Nothing more is recorded about somebody who asked to be forgotten (I-2).
    if state.status == "erased":
        return
    for recovery in state.recoveries.values():
        yield from _due(state, recovery, targets)


def _due(state: Relationship, recovery: Recovery, targets: Targets) -> Iterator[Due]:
    if recovery.clocks and recovery.phase != "closed":
        for duty in DUTIES:
            yield from duty(state, recovery, targets)
