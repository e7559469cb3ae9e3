"""Clocks: what the house promises in time, and the events that say so.

Deadlines are state: commands append `deadline.set`, duties append `deadline.missed` and `silence.noticed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.relationship import ClockStep, Deadline, Recovery, RecoveryEvent
from domain.values import Code, Count, Moment, RecoveryId

FOLLOWED_UP_FROM: Final = 3
"""From this severity on the follow-up has a deadline; below it is only planned (D7)."""


@dataclass(frozen=True)
class Targets:
    """What the house promises by severity 1-5 (index 0-4). Source: domain.md section 5; 24x7 calendar."""

    standard: str
    version: int
    allowances: Mapping[str, tuple[timedelta, timedelta, timedelta, timedelta, timedelta]]

    def allowance(self, step: str, severity: int) -> timedelta:
        """How long the step may take at this severity."""
        return self.allowances[step][severity - 1]


def _minutes(*amounts: int) -> tuple[timedelta, timedelta, timedelta, timedelta, timedelta]:
    one, two, three, four, five = (timedelta(minutes=amount) for amount in amounts)
    return one, two, three, four, five


_DAY: Final = 24 * 60
SHIPPED: Final = Targets(
    standard="targets:shipped",
    version=1,
    allowances={
        "acknowledge": _minutes(480, 240, 120, 30, 15),
        "first_action": _minutes(2 * _DAY, 480, 240, 120, 30),
        "silence": _minutes(5 * _DAY, 3 * _DAY, 2 * _DAY, _DAY, 240),
        "remedy": _minutes(10 * _DAY, 5 * _DAY, 3 * _DAY, 2 * _DAY, _DAY),
        "compensation": _minutes(10 * _DAY, 7 * _DAY, 5 * _DAY, 5 * _DAY, 3 * _DAY),
        "follow_up": _minutes(7 * _DAY, 5 * _DAY, 3 * _DAY, 2 * _DAY, _DAY),
    },
)
"""The targets that ship with the program; a day is 24 hours where no calendar says otherwise."""


class DeadlineSet(RecoveryEvent, topic="deadline.set"):
    """A clock was started."""

    step: ClockStep
    due_at: Moment
    standard: Code
    version: Count = 1
    calendar: Code | None = None
    fires: bool = True
    """False for deadlines of another system, recorded as they were: they never fire here."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        deadline = Deadline(due_at=self.due_at, set_at=fact.recorded_at, fires=self.fires)
        return recovery.but(deadlines={**recovery.deadlines, self.step: deadline})


class DeadlineMoved(RecoveryEvent, topic="deadline.moved"):
    """A running clock got another due time."""

    step: ClockStep
    due_at: Moment
    reason: Code

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        deadline = recovery.deadlines.get(self.step)
        if deadline is None:
            return recovery
        moved = deadline.but(due_at=self.due_at, set_at=fact.recorded_at)
        return recovery.but(deadlines={**recovery.deadlines, self.step: moved})


class DeadlineMissed(RecoveryEvent, topic="deadline.missed"):
    """A promised time passed without the step."""

    step: ClockStep
    due_at: Moment | None = None
    standard: Code | None = None

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.without_clocks(self.step).but(missed=(*recovery.missed, self.step))


class SilenceNoticed(RecoveryEvent, topic="silence.noticed"):
    """The customer heard nothing for a whole interval."""

    silent_since: Moment
    n: Count

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.but(silences=self.n, silent_since=self.silent_since, silence_noticed_at=fact.occurred_at)


def set_clocks(recovery: Recovery, at: Context, targets: Targets, *steps: ClockStep) -> list[Event]:
    """A `deadline.set` for each of these steps, counted from `occurred_at`; none where no clocks run."""
    if not recovery.clocks:
        return []
    return [
        DeadlineSet(
            recovery_id=recovery.recovery_id,
            step=step,
            due_at=at.occurred_at + targets.allowance(step, recovery.urgency),
            standard=targets.standard,
            version=targets.version,
        )
        for step in steps
    ]


def opening_clocks(recovery: Recovery, at: Context, targets: Targets = SHIPPED) -> list[Event]:
    """The clocks that start when a recovery is opened or reopened."""
    steps: list[ClockStep] = ["acknowledge", "first_action", "remedy"]
    if awaits_compensation(recovery):
        steps.append("compensation")
    return set_clocks(recovery, at, targets, *steps)


def awaits_compensation(recovery: Recovery) -> bool:
    """Whether a compensation is expected that was neither given, nor turned down, nor waived."""
    settled = "compensation" in recovery.done or "compensation" in recovery.waived
    return recovery.expects_compensation and not settled


def follow_up_clock(recovery: Recovery, at: Context, targets: Targets = SHIPPED) -> list[Event]:
    """The `deadline.set` for asking the customer afterwards, where the matter is grave and nobody waived it."""
    if recovery.urgency < FOLLOWED_UP_FROM or "follow_up" in recovery.waived:
        return []
    return set_clocks(recovery, at, targets, "follow_up")


def promised_update(recovery: Recovery, due_at: datetime | None, at: Context) -> list[Event]:
    """The `deadline.set` for the time at which the customer was promised to hear from us, if he was."""
    if due_at is None:
        return []
    if due_at <= at.occurred_at:
        raise InvalidValue("due_at", "the promised time must lie after the promise")
    if not recovery.clocks or recovery.phase == "closed":
        return []
    promised = DeadlineSet(
        recovery_id=RecoveryId(recovery.recovery_id), step="update", due_at=due_at, standard="promise"
    )
    return [promised]


def moved_clocks(recovery: Recovery, severity_before: int, at: Context, targets: Targets = SHIPPED) -> list[Event]:
    """A `deadline.moved` for each running clock of the targets, when the severity has changed."""
    if not recovery.clocks or recovery.urgency == severity_before:
        return []
    return [
        DeadlineMoved(
            recovery_id=recovery.recovery_id,
            step=step,
            due_at=deadline.due_at
            - targets.allowance(step, severity_before)
            + targets.allowance(step, recovery.urgency),
            reason="reassessed",
        )
        for step, deadline in recovery.deadlines.items()
        if step in targets.allowances
    ]
