"""Clocks: what the house promises in time, and the events that say so.

Deadlines are state: commands append `deadline.set`, duties append `deadline.missed` and `silence.noticed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.errors import InvalidValue
from domain.kinds import Context, Event, Fact
from domain.recovery import ClockStep, Deadline, Recovery
from domain.relationship import RecoveryEvent
from domain.standards.calendar import Calendar
from domain.standards.document import Standard
from domain.standards.house import House
from domain.standards.targets import STEPS, TARGETS, TargetStep
from domain.standards.targets import Targets as Promises
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


def _round_the_clock(standard: Standard[Promises]) -> Targets:
    """The promises of this standard where no calendar says otherwise; silence is noticed by update intervals."""
    steps: dict[str, TargetStep] = {"silence" if step == "update_interval" else step: step for step in STEPS}
    allowances = {name: standard.body.by_severity(step) for name, step in steps.items()}
    return Targets(standard=standard.ref, version=standard.version, allowances=allowances)


SHIPPED: Final = _round_the_clock(TARGETS)
"""The targets that ship with the program; a day is 24 hours where no calendar says otherwise."""


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
        return recovery.but(silences=self.n, silent_since=self.silent_since, silence_noticed_at=fact.occurred_at)


def set_clocks(recovery: Recovery, at: Context, *steps: TargetStep) -> list[Event]:
    """A `deadline.set` for each of these steps, counted from `occurred_at`; none where no clocks run."""
    if not recovery.clocks:
        return []
    promises, calendar = at.house.targets(), _calendar_of(recovery, at.house)
    return [
        DeadlineSet(
            recovery_id=recovery.recovery_id,
            step=step,
            due_at=_due(promises, calendar, step, recovery.urgency, at.occurred_at),
            standard=promises.ref,
            version=promises.version,
            calendar=None if calendar is None else calendar.name,
        )
        for step in steps
    ]


def _calendar_of(recovery: Recovery, house: House) -> Standard[Calendar] | None:
    """The calendar of the team, else the one the promises name; None round the clock."""
    return house.calendar(recovery.team) or house.calendar(house.targets().body.calendar)


def _due(
    promises: Standard[Promises],
    calendar: Standard[Calendar] | None,
    step: TargetStep,
    urgency: int,
    since: datetime,
) -> datetime:
    return promises.body.due(step, urgency, since, None if calendar is None else calendar.body)


def opening_clocks(recovery: Recovery, at: Context) -> list[Event]:
    """The clocks that start when a recovery is opened or reopened."""
    steps: list[TargetStep] = ["acknowledge", "first_action", "remedy"]
    if awaits_compensation(recovery):
        steps.append("compensation")
    return set_clocks(recovery, at, *steps)


def awaits_compensation(recovery: Recovery) -> bool:
    """Whether a compensation is expected that was neither given, nor turned down, nor waived."""
    settled = "compensation" in recovery.done or "compensation" in recovery.waived
    return recovery.expects_compensation and not settled


def follow_up_clock(recovery: Recovery, at: Context) -> list[Event]:
    """The `deadline.set` for asking the customer afterwards, where the matter is grave and nobody waived it."""
    if recovery.urgency < FOLLOWED_UP_FROM or "follow_up" in recovery.waived:
        return []
    return set_clocks(recovery, at, "follow_up")


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


def moved_clocks(recovery: Recovery, severity_before: int, at: Context) -> list[Event]:
    """A `deadline.moved` for each running clock of the targets, when the severity has changed."""
    if not recovery.clocks or recovery.urgency == severity_before:
        return []
    promises, calendar = at.house.targets(), _calendar_of(recovery, at.house)
    return [
        DeadlineMoved(
            recovery_id=recovery.recovery_id,
            step=step,
            due_at=_due(promises, calendar, promised, recovery.urgency, deadline.since),
            reason="reassessed",
        )
        for step, deadline in recovery.deadlines.items()
        if (promised := _PROMISED.get(step)) is not None and deadline.since is not None
    ]
