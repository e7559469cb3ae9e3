"""Silence (D2): a customer who hears nothing for a whole interval is noticed."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from domain.alarms import EVERY, MOST
from domain.clocks import SilenceNoticed
from domain.duties.due import Due
from domain.duties.escalation import called_in_by_the_clock
from domain.kinds import Event
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.values import RecoveryId


def silences(state: Relationship, recovery: Recovery, until: datetime) -> Iterator[Due]:
    """The next `silence.noticed` of this recovery: at the time worked out beforehand, else by what ships.

    Nobody can be silent towards a customer who left no address. Where the first interval had passed when the
    last contact was recorded, none follows until the next contact: late news raises no storm.
    """
    if recovery.ended or not state.contactable or recovery.silences >= MOST:
        return
    since, counts_from = recovery.contacted_at, recovery.silence_counts_from
    if since is None or counts_from is None:
        return
    due_at = _timed(recovery, counts_from) if recovery.alarms else _shipped(recovery, since, counts_from, until)
    if due_at is not None and due_at <= until:
        yield Due(due_at, "D2", recovery.recovery_id, partial(_noticed, recovery, since, due_at))


def _timed(recovery: Recovery, counts_from: datetime) -> datetime | None:
    """The next of the times that were worked out from the promises of the house."""
    first = recovery.alarms[0]
    return None if counts_from == recovery.contact_recorded_at and first <= counts_from else first


def _shipped(recovery: Recovery, since: datetime, counts_from: datetime, until: datetime) -> datetime | None:
    """One interval after the contact or after the alarm before, round the clock.

    What had passed when the urgency or the address was recorded that it counts from is passed over.
    """
    interval = EVERY[recovery.urgency - 1]
    last = recovery.silence_noticed_at or since
    if last + interval > until:
        return None
    if counts_from == recovery.contact_recorded_at and since + interval <= counts_from:
        return None
    passed_over = max((counts_from - last) // interval, 0)
    return last + interval * (passed_over + 1)


def _noticed(recovery: Recovery, since: datetime, moment: datetime) -> tuple[Event, ...]:
    n = recovery.silences + 1
    noticed = SilenceNoticed(recovery_id=RecoveryId(recovery.recovery_id), silent_since=since, n=n)
    # Another alarm tells nobody anything new: somebody else must be told.
    return (noticed, *called_in_by_the_clock(recovery, moment)) if n == MOST else (noticed,)
