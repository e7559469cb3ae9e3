"""Targets: what the house promises in time, by step and severity, and when that is due."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, field_validator

from domain.standards.calendar import Calendar
from domain.standards.document import SHIPPED, Body, Standard
from domain.values import Code

TargetStep = Literal["acknowledge", "first_action", "update_interval", "remedy", "compensation", "follow_up"]
STEPS: Final[tuple[TargetStep, ...]] = (
    ("acknowledge", "first_action", "update_interval", "remedy", "compensation", "follow_up")
)  # fmt: skip
MOST: Final[Mapping[str, int]] = {"min": 576_000, "h": 9_600, "d": 400, "bm": 10_000, "bd": 400}
"""The longest that can be promised, by unit: business time is walked day by day while everybody waits."""


def _within_reason(allowance: str) -> str:
    amount, unit = _read(allowance)
    if amount > MOST[unit]:
        raise ValueError(f"{allowance} is too long: at most {MOST[unit]} {unit}")
    return allowance


def _read(allowance: str) -> tuple[int, str]:
    amount, unit = allowance.split(" ")
    return int(amount), unit


Allowance = Annotated[
    str,
    Field(pattern=r"^[1-9][0-9]{0,5} (min|h|d|bm|bd)$", examples=["30 bm"]),
    AfterValidator(_within_reason),
]
"""How long: a whole number of minutes, hours, days, business minutes or business days."""
BySeverity = tuple[Allowance, Allowance, Allowance, Allowance, Allowance]
"""From severity 1 to severity 5."""
ROUND_THE_CLOCK_FROM: Final = 5
"""At this severity nobody waits for opening hours."""
_LENGTH: Final[Mapping[str, timedelta]] = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "bm": timedelta(minutes=1),
    "bd": timedelta(days=1),
}


class Targets(Body):
    """How long each step may take at each severity, and the calendar whose business time counts."""

    KIND: ClassVar[str] = "targets"

    allowances: dict[TargetStep, BySeverity]
    calendar: Code | None = None
    """The name of a calendar; without one the house is open round the clock and a business day has 24 hours."""

    @field_validator("allowances")
    @classmethod
    def _complete(cls, allowances: dict[TargetStep, BySeverity]) -> dict[TargetStep, BySeverity]:
        if missing := [step for step in STEPS if step not in allowances]:
            raise ValueError("every step needs its five times; missing: " + ", ".join(missing))
        for step, by_severity in allowances.items():
            for severity, (milder, graver) in enumerate(pairwise(by_severity), start=1):
                if elapsed(graver) > elapsed(milder):
                    raise ValueError(f"{step}: severity {severity + 1} may not wait longer than {severity}")
        return allowances

    def by_severity(self, step: TargetStep) -> tuple[timedelta, timedelta, timedelta, timedelta, timedelta]:
        """How long the step may take from severity 1 to 5, round the clock."""
        one, two, three, four, five = map(elapsed, self.allowances[step])
        return one, two, three, four, five

    def due(self, step: TargetStep, severity: int, since: datetime, calendar: Calendar | None) -> datetime:
        """When the step is due that counts from this moment."""
        allowance = self.allowances[step][severity - 1]
        if calendar is None or severity >= ROUND_THE_CLOCK_FROM:
            return since + elapsed(allowance)
        amount, unit = _read(allowance)
        if unit == "bm":
            return calendar.after_minutes(since, amount)
        return calendar.after_days(since, amount) if unit == "bd" else since + elapsed(allowance)


def elapsed(allowance: Allowance) -> timedelta:
    """How long it is where business time is all the time."""
    amount, unit = _read(allowance)
    return amount * _LENGTH[unit]


TARGETS: Final = Standard[Targets](
    name=SHIPPED,
    body=Targets(
        allowances={
            "acknowledge": ("480 bm", "240 bm", "120 bm", "30 bm", "15 min"),
            "first_action": ("2 bd", "480 bm", "240 bm", "120 bm", "30 min"),
            "update_interval": ("5 bd", "3 bd", "2 bd", "1 bd", "4 h"),
            "remedy": ("10 bd", "5 bd", "3 bd", "2 bd", "24 h"),
            "compensation": ("10 bd", "7 bd", "5 bd", "5 bd", "3 bd"),
            "follow_up": ("7 d", "5 d", "3 d", "2 d", "1 d"),
        }
    ),
)
"""The targets that ship with the program. Source: domain.md section 5."""
