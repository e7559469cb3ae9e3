"""Settling: everything that time has made due for one customer, in order, up to a moment."""

from datetime import UTC, datetime
from typing import Final

from domain.duties.approvals import undecided
from domain.duties.deadlines import missed_deadlines
from domain.duties.due import Due
from domain.duties.escalation import climbing
from domain.duties.expiry import expiries
from domain.duties.quiet_close import quiet_closes
from domain.duties.silence import silences
from domain.kinds import AMENDS, Event
from domain.recovery import Recovery
from domain.relationship import Relationship, assumed

DUTIES = (missed_deadlines, silences, climbing, undecided, expiries, quiet_closes)
AFTER_CLOSING = (expiries,)
"""Closing ends every clock but the one of what the customer still has in his pocket."""
_EVER: Final = datetime.max.replace(tzinfo=UTC)


def settle(state: Relationship, until: datetime) -> list[tuple[datetime, Event]]:
    """The (due time, event) pairs due up to and including `until`, in order.

    Each one changes the state before the next is looked for, so the same facts give the same events in
    whatever steps the clock is swept.
    """
    settled: list[tuple[datetime, Event]] = []
    while (due := _first(state, until)) is not None:
        events = due.events()
        settled += [(due.at, event) for event in events]
        state = assumed(state, events, occurred_at=due.at, recorded_at=due.at, actor=AMENDS)
    return settled


def next_due(state: Relationship) -> datetime | None:
    """When `settle` will next have something to say; None when never, unless something else happens."""
    due = _first(state, _EVER)
    return None if due is None else due.at


def next_due_of(state: Relationship, recovery: Recovery) -> datetime | None:
    """The same for one recovery of this relationship, as long as nobody asks to be forgotten."""
    return min((due.at for due in _due(state, recovery, _EVER)), default=None)


def _first(state: Relationship, until: datetime) -> Due | None:
    """What falls due first, if that is by then."""
    # Nothing more is recorded about somebody who asked to be forgotten (I-2).
    if state.status == "erased":
        return None
    found = [due for one in state.recoveries.values() for due in _due(state, one, until)]
    return min(found, key=lambda due: due.order) if found else None


def _due(state: Relationship, recovery: Recovery, until: datetime) -> list[Due]:
    if not recovery.clocks:
        return []
    duties = DUTIES if recovery.phase != "closed" else AFTER_CLOSING
    # Each duty is told until when, so that it need not work out what lies later: this runs before every command.
    return [due for duty in duties for due in duty(state, recovery, until) if due.at <= until]
