"""Escalation (D3): what nobody has dealt with in time goes to somebody with more authority."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from domain.duties.due import Due
from domain.kinds import Event
from domain.milestones import escalated, looked_after
from domain.recovery import Recovery
from domain.relationship import Relationship


def climbing(state: Relationship, recovery: Recovery, until: datetime) -> Iterator[Due]:
    """The next level, once the time is over within which whoever was called in should have dealt with it."""
    by = recovery.settle_by
    if by is not None and by <= until:
        yield Due(by, "D3", recovery.recovery_id, partial(_a_level_up, recovery, by))


def called_in_by_the_clock(recovery: Recovery, moment: datetime) -> tuple[Event, ...]:
    """Somebody with more authority, unless somebody is at it already."""
    return () if looked_after(recovery) else (escalated(recovery, "deadline", moment),)


def _a_level_up(recovery: Recovery, moment: datetime) -> tuple[Event, ...]:
    # Because of the deadline that just passed, whatever the level below was called in for.
    return (escalated(recovery, "deadline", moment),)
