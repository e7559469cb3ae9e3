"""Counting: what happens often enough, and close enough together, to ask for something.

Counts run in the order of the ledger and begin anew once they are complete, so it does not matter how many
events somebody looks at in one go.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.values import Frozen

NONE = timedelta(0)


@dataclass(frozen=True)
class Enough:
    """When a count is complete."""

    times: int
    within: timedelta | None = None
    """The longest time between the first and the last; None: however long it takes."""
    rest: timedelta = NONE
    """For so long after a complete count nothing is counted: who was just asked need not be asked again."""


@dataclass(frozen=True)
class Met:
    """One thing that counts."""

    position: int
    at: datetime


@dataclass(frozen=True)
class Tally(Frozen):
    """How far a count has come."""

    waiting: tuple[Met, ...] = ()
    """What was counted and is not enough yet; always less than `times`."""
    complete_at: datetime | None = None
    """When it was complete the last time."""


BEGUN = Tally()


def counted(enough: Enough, tally: Tally, met: Met) -> tuple[Tally, tuple[Met, ...]]:
    """The tally after this one, and all that were counted when it completes the count; else nothing."""
    if tally.complete_at is not None and met.at < tally.complete_at + enough.rest:
        return tally, ()
    waiting = (*_recent(enough, tally.waiting, met), met)
    if len(waiting) < enough.times:
        return tally.but(waiting=waiting), ()
    return Tally(complete_at=met.at), waiting


def _recent(enough: Enough, before: Iterable[Met], met: Met) -> tuple[Met, ...]:
    # What is told late lies no time apart: durations below zero count as nothing.
    return tuple(one for one in before if enough.within is None or met.at - one.at <= enough.within)
