"""Alarms: when silence towards a customer will be noticed, where the house has promised times of its own (D2).

They are worked out when silence begins to count, and recorded: whatever becomes of standards and calendars, the
same facts give the same alarms.
"""

from datetime import datetime, timedelta
from itertools import accumulate, repeat
from typing import Final

from domain.clocks import InForce
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import RecoveryEvent, Relationship
from domain.standards.targets import TARGETS
from domain.values import Code, Count, Moment, RecoveryId

MOST: Final = 7
"""After this many alarms another one tells nobody anything new. Source: domain.md section 5."""
EVERY: Final[tuple[timedelta, ...]] = TARGETS.body.by_severity("update_interval")
"""How long a customer may hear nothing, from severity 1 to 5, where the house has promised nothing else."""


class SilenceTimed(RecoveryEvent, topic="silence.timed"):
    """When silence will be noticed as long as nobody speaks to the customer, by what the house has promised."""

    times: tuple[Moment, ...]
    standard: Code
    version: Count = 1
    calendar: Code | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(alarms=self.times)


def timed_anew(before: Relationship, after: Relationship, at: Context) -> list[Event]:
    """A `silence.timed` for each recovery whose silence counts anew by what happened in between.

    None where the house goes by what ships: those intervals need no calendar.
    """
    if after is before or at.house.runs_as_shipped or not after.contactable:
        return []
    known = before.recoveries
    anew = (one for one in after.recoveries.values() if _counts_anew(known.get(one.recovery_id), one))
    return [timed for one in anew for timed in _timed(one, at)]


def _counts_anew(before: Recovery | None, after: Recovery) -> bool:
    if after is before or after.alarms or not after.clocks or after.ended or after.silences >= MOST:
        return False
    return before is None or bool(before.alarms) or _basis(before) != _basis(after)


def _basis(recovery: Recovery) -> tuple[datetime | None, datetime | None]:
    return recovery.contacted_at, recovery.silence_counts_from


def _timed(recovery: Recovery, at: Context) -> list[Event]:
    last = recovery.silence_noticed_at or recovery.contacted_at
    if last is None:
        return []
    in_force, left = InForce.of(recovery, at.house), MOST - recovery.silences
    times = _times(recovery, in_force, last, at.recorded_at)[:left]
    if times == tuple(last + EVERY[recovery.urgency - 1] * (n + 1) for n in range(left)):
        return []  # as it ships
    timed = SilenceTimed(
        recovery_id=RecoveryId(recovery.recovery_id),
        times=times,
        standard=in_force.targets.ref,
        version=in_force.targets.version,
        calendar=in_force.calendar_name,
    )
    return [timed]


def _times(recovery: Recovery, in_force: InForce, last: datetime, recorded_at: datetime) -> tuple[datetime, ...]:
    """One interval after the other, from the last contact or alarm on.

    A contact told so late that the first has passed keeps it: then none follows until the next contact. A new
    urgency or address lets what has passed be, and counts from when it was recorded.
    """

    def again(since: datetime, _: None = None) -> datetime:
        return in_force.due("update_interval", since)

    first = again(last)
    if first <= recorded_at and recovery.silence_counts_from != recovery.contact_recorded_at:
        first = again(recorded_at)
    return tuple(accumulate(repeat(None, MOST - 1), again, initial=first))
