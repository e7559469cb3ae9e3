"""Deadlines (D1): a promised time that passes without the step is recorded as missed."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from domain.clocks import DeadlineMissed
from domain.duties.due import Due
from domain.duties.escalation import called_in_by_the_clock
from domain.kinds import Event
from domain.recovery import Deadline, Recovery
from domain.relationship import Relationship

GRAVE: Final = 4
"""From this severity on the first promise that is missed calls somebody in; below it the second (D3)."""


def missed_deadlines(state: Relationship, recovery: Recovery, until: datetime) -> Iterator[Due]:
    """The next `deadline.missed` of this recovery: of its open clocks the first to run out, at its due time.

    A due time that had passed when the clock was recorded never fires: late news raises no storm.
    """
    running = [
        (deadline.due_at, step)
        for step, deadline in recovery.deadlines.items()
        if deadline.due_at <= until and deadline.fires and deadline.due_at > deadline.set_at
    ]
    if running:
        due_at, step = min(running)
        missed = partial(_missed, recovery, step, recovery.deadlines[step])
        yield Due(due_at, "D1", recovery.recovery_id, missed, step)


def _missed(recovery: Recovery, step: str, deadline: Deadline) -> tuple[Event, ...]:
    given = {"recovery_id": recovery.recovery_id, "step": step, "due_at": deadline.due_at}
    missed = DeadlineMissed.model_validate(given)
    if recovery.urgency >= GRAVE or recovery.missed:
        return missed, *called_in_by_the_clock(recovery, deadline.due_at)
    return (missed,)
