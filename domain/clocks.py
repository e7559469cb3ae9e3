"""Clocks: what the house promises in time, and the events that say so.

Deadlines are state: commands append `deadline.set`, duties append `deadline.missed` and `silence.noticed`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.recovery import ClockStep, Deadline, Recovery
from domain.relationship import RecoveryEvent
from domain.standards.calendar import Calendar
from domain.standards.document import Standard
from domain.standards.house import House
from domain.standards.targets import STEPS, Targets, TargetStep
from domain.values import Code, Count, Moment, RecoveryId, unchanging

PromisedStep = Literal["acknowledge", "first_action", "remedy", "compensation", "follow_up"]
_PROMISED: Final[Mapping[str, TargetStep]] = {one: one for one in STEPS if one != "update_interval"}
"""The clocks whose length the targets say. The others run to a time that was promised by word."""


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
        deadline = Deadline(self.due_at, fact.recorded_at, self.fires, since=fact.occurred_at)
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
        return recovery.but(
            silences=self.n,
            silent_since=self.silent_since,
            silence_noticed_at=fact.occurred_at,
            alarms=recovery.alarms[1:],
        )


@unchanging
class InForce:
    """The promises in time that are in force for one recovery."""

    recovery: Recovery
    targets: Standard[Targets]
    calendar: Standard[Calendar] | None
    """The calendar whose business time counts; None round the clock."""

    @classmethod
    def of(cls, recovery: Recovery, house: House) -> "InForce":
        """Those of the house, by the calendar of the team, else the one that they name."""
        targets = house.targets()
        return cls(recovery, targets, house.calendar(recovery.team) or house.calendar(targets.body.calendar))

    @property
    def calendar_name(self) -> str | None:
        """What events call the calendar."""
        return None if self.calendar is None else self.calendar.name

    def due(self, step: TargetStep, since: datetime) -> datetime:
        """When this step is due that counts from then."""
        calendar = None if self.calendar is None else self.calendar.body
        return self.targets.body.due(step, self.recovery.urgency, since, calendar)

    def clock(self, step: ClockStep, due_at: datetime) -> Event:
        """The `deadline.set` of this step to this time, in the name of the standard."""
        return DeadlineSet(
            recovery_id=RecoveryId(self.recovery.recovery_id),
            step=step,
            due_at=due_at,
            standard=self.targets.ref,
            version=self.targets.version,
            calendar=self.calendar_name,
        )


def set_clocks(recovery: Recovery, at: Context, *steps: PromisedStep) -> list[Event]:
    """A `deadline.set` for each of these steps, counted from `occurred_at`; none where no clocks run."""
    if not recovery.clocks:
        return []
    promised = InForce.of(recovery, at.house)
    return [promised.clock(step, promised.due(step, at.occurred_at)) for step in steps]


def opening_clocks(recovery: Recovery, at: Context) -> list[Event]:
    """The clocks that start when a recovery is opened or reopened."""
    steps: list[PromisedStep] = ["acknowledge", "first_action", "remedy"]
    if awaits_compensation(recovery):
        steps.append("compensation")
    return set_clocks(recovery, at, *steps)


def awaits_compensation(recovery: Recovery) -> bool:
    """Whether a compensation is expected that was neither given, nor turned down, nor waived."""
    settled = "compensation" in recovery.done or "compensation" in recovery.waived
    return recovery.expects_compensation and not settled


def promised_update(recovery: Recovery, due_at: datetime | None, at: Context, field: str) -> list[Event]:
    """The `deadline.set` for the time at which the customer was promised to hear from us, if he was.

    `field` is what the command calls that time.
    """
    if due_at is None:
        return []
    if due_at <= at.occurred_at:
        raise InvalidValue(field, "the promised time must lie after the promise")
    if not recovery.clocks or recovery.phase == "closed":
        return []
    promised = DeadlineSet(
        recovery_id=RecoveryId(recovery.recovery_id), step="update", due_at=due_at, standard="promise"
    )
    return [promised]


def moved_clocks(recovery: Recovery, severity_before: int, at: Context) -> list[Event]:
    """A `deadline.moved` for each running clock of the targets, when the severity has changed."""
    if not recovery.clocks or recovery.urgency == severity_before:
        return []
    in_force = InForce.of(recovery, at.house)
    return [
        DeadlineMoved(
            recovery_id=recovery.recovery_id,
            step=step,
            due_at=in_force.due(promised, deadline.since),
            reason="reassessed",
        )
        for step, deadline in recovery.deadlines.items()
        if (promised := _PROMISED.get(step)) is not None and deadline.since is not None
    ]
