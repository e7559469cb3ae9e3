"""Planning: when the customer is asked how it went (D6)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from domain.clocks import InForce
from domain.kinds import Context, Event, Fact
from domain.quiet import awake
from domain.recovery import Recovery
from domain.relationship import RecoveryEvent, Relationship
from domain.values import Channel, Moment, RecoveryId

FOLLOWED_UP_FROM: Final = 3
"""From this severity on the follow-up has a deadline; below it is only planned (D7)."""
APART: Final = timedelta(days=14)
"""How far apart a customer is asked: at most one survey in so long. Source: domain.md section 5, D6."""
Plan = tuple[datetime, Recovery]


class FollowUpScheduled(RecoveryEvent, topic="follow_up.scheduled"):
    """We know when we will ask."""

    due_at: Moment
    channel: Channel = "other"

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(follow_up_at=self.due_at) if recovery.phase == "resolved" else recovery


def follow_up_planned(state: Relationship, recovery: Recovery, at: Context) -> list[Event]:
    """The plan to ask about what is resolved now, and where it is grave the deadline for it.

    Whoever was asked, or is to be asked, within 14 days is asked about a grave matter when they are over, and
    about a small one not at all. The plan for a small matter makes way for a grave one.
    """
    if not recovery.clocks or "follow_up" in recovery.waived:
        return []
    promised = InForce.of(recovery, at.house)
    due, grave = promised.due("follow_up", at.occurred_at), recovery.urgency >= FOLLOWED_UP_FROM
    others = [plan for plan in _plans(state) if plan[1].recovery_id != recovery.recovery_id]
    planned = _in_turn(state, _binding(state, others, grave), due, at) if state.contactable else due
    clock = [promised.clock("follow_up", planned)] if grave else []
    if not state.contactable or planned <= at.recorded_at:
        return clock
    if grave:
        return [*clock, _scheduled(recovery, planned), *_making_way(state, others, planned, at)]
    return [_scheduled(recovery, planned)] if planned == awake(state, due, at.house) else []


def _scheduled(recovery: Recovery, when: datetime) -> Event:
    return FollowUpScheduled(recovery_id=RecoveryId(recovery.recovery_id), due_at=when)


def _plans(state: Relationship) -> list[Plan]:
    """What he is to be asked about, the first first."""
    plans = ((one.follow_up_at, one) for one in state.open_recoveries() if one.phase == "resolved")
    known = ((when, one) for when, one in plans if when is not None)
    return sorted(known, key=lambda plan: (plan[0], plan[1].recovery_id))


def _binding(state: Relationship, others: Iterable[Plan], grave: bool) -> list[datetime]:
    """When he was asked last, and is to be asked. What is small keeps nobody from asking about what is grave."""
    taken = [when for when, one in others if not grave or one.urgency >= FOLLOWED_UP_FROM]
    return sorted(taken if state.asked_at is None else [state.asked_at, *taken])


def _in_turn(state: Relationship, taken: Iterable[datetime], due: datetime, at: Context) -> datetime:
    """The first moment from this one on that lies 14 days from each of those taken, and in no quiet hours."""
    when = awake(state, due, at.house)
    for one in taken:
        if abs(when - one) < APART:
            when = awake(state, one + APART, at.house)
    return when


def _making_way(state: Relationship, others: Iterable[Plan], planned: datetime, at: Context) -> list[Event]:
    """The plans for small matters that lie too close, moved behind it one after the other."""
    moved, last = [], planned
    for when, one in others:
        if one.urgency < FOLLOWED_UP_FROM and abs(when - last) < APART:
            last = awake(state, last + APART, at.house)
            moved.append(_scheduled(one, last))
    return moved
