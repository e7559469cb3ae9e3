"""Approvals (D4): a request that nobody decides on in time is answered by what the house has said beforehand."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from domain.duties.due import Due
from domain.granting.approving import timed_out
from domain.kinds import Event
from domain.milestones import escalated
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.values import CompensationId


def undecided(state: Relationship, recovery: Recovery, until: datetime) -> Iterator[Due]:
    """What happens at the time by which somebody should have decided: the fallback is granted, or it goes up.

    A time that had passed when the request was recorded never comes: late news raises no storm.
    """
    for compensation_id, request in recovery.requests.items():
        if request.timed_out or request.decide_by > until or request.decide_by <= request.recorded_at:
            continue
        if request.fallback is None:
            events = partial(_further_up, recovery, request.decide_by)
        else:
            events = partial(timed_out, recovery, CompensationId(compensation_id), request)
        yield Due(request.decide_by, "D4", recovery.recovery_id, events, str(compensation_id))


def _further_up(recovery: Recovery, moment: datetime) -> tuple[Event, ...]:
    return (escalated(recovery, "deadline", moment),)
