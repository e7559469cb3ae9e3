"""Silence (D2): a customer who hears nothing for a whole interval is noticed."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from domain.clocks import SilenceNoticed, Targets
from domain.duties.due import Due
from domain.kinds import Event
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.values import RecoveryId

MOST: Final = 7
"""After this many alarms another one tells nobody anything new. Source: domain.md section 5."""


def silences(state: Relationship, recovery: Recovery, targets: Targets, until: datetime) -> Iterator[Due]:
    """The next `silence.noticed` of this recovery, one interval after the contact or after the one before.

    Nobody can be silent towards a customer who left no address. Where the first interval had passed when the
    last contact was recorded, none follows until the next contact: late news raises no storm. Neither does a new
    urgency or a new address: the intervals that had passed by then are passed over.
    """
    if recovery.ended or not state.contactable or recovery.silences >= MOST:
        return
    since, counts_from = recovery.contacted_at, recovery.silence_counts_from
    if since is None or counts_from is None:
        return
    interval = targets.allowance("silence", recovery.urgency)
    last = recovery.silence_noticed_at or since
    if last + interval > until:
        return
    if counts_from == recovery.contact_recorded_at and since + interval <= counts_from:
        return
    passed_over = max((counts_from - last) // interval, 0)
    due_at = last + interval * (passed_over + 1)
    yield Due(due_at, "D2", recovery.recovery_id, partial(_noticed, recovery, since))


def _noticed(recovery: Recovery, since: datetime) -> tuple[Event, ...]:
    recovery_id = RecoveryId(recovery.recovery_id)
    return (SilenceNoticed(recovery_id=recovery_id, silent_since=since, n=recovery.silences + 1),)
