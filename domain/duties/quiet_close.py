"""Quiet close (D7): a small matter that was put right and stays quiet is closed without a survey."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from domain.duties.due import Due
from domain.kinds import Event
from domain.moves.outcome import RecoveryClosed
from domain.moves.waiver import StepWaived
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.values import RecoveryId

QUIET: Final = timedelta(days=7)
"""How long nothing may happen before a small matter closes by itself. Source: domain.md section 5."""
SMALL: Final = 2
"""The highest severity that nobody has to follow up."""


def quiet_closes(state: Relationship, recovery: Recovery, until: datetime) -> Iterator[Due]:
    """The waiver of the follow-up and the closing, seven quiet days after the last event of a resolved recovery.

    Whoever has begun to ask the customer also ends it: `not_asked` would not be true any more. And nothing closes
    while somebody must still decide on what the customer gets.
    """
    if recovery.phase != "resolved" or recovery.urgency > SMALL or _asked(recovery) or _undecided(recovery):
        return
    quiet_since, recorded_at = recovery.last_event_at, recovery.resolved_recorded_at
    if quiet_since is None or recorded_at is None or quiet_since + QUIET <= recorded_at:
        return
    yield Due(quiet_since + QUIET, "D7", recovery.recovery_id, partial(_closing, recovery))


def _asked(recovery: Recovery) -> bool:
    return bool(recovery.tries)


def _undecided(recovery: Recovery) -> bool:
    return any(request.granted is None for request in recovery.requests.values())


def _closing(recovery: Recovery) -> tuple[Event, ...]:
    recovery_id = RecoveryId(recovery.recovery_id)
    closed = RecoveryClosed(recovery_id=recovery_id, outcome="not_asked")
    if "follow_up" in recovery.waived:
        return (closed,)
    return StepWaived(recovery_id=recovery_id, step="follow_up", reason="trivial"), closed
