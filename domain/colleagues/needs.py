"""Needs: where the same training is missing again and again on one team, so that it asks for help (D9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.counting import BEGUN, Enough, Met, Tally, counted

ENOUGH: Final = Enough(times=3, within=timedelta(days=60))
"""So many obstacles of one topic on one team, so close together, are a need. Source: domain.md section 5, D9."""


@dataclass(frozen=True)
class Missing:
    """Somebody on a team could not help because nobody had trained him in this topic."""

    position: int
    team: str
    topic: str
    occurred_at: datetime


@dataclass(frozen=True)
class Need:
    """A team needs training in a topic. `position` and `occurred_at` are those of what completed the count."""

    team: str
    topic: str
    position: int
    occurred_at: datetime
    counted: tuple[int, ...]
    """The positions of all that were counted."""


def needs(missing: Iterable[Missing]) -> list[Need]:
    """Every need, in the order of positions, counted anew after each. The same whatever the steps of counting."""
    tallies: dict[tuple[str, str], Tally] = {}
    found = []
    for one in sorted(missing, key=lambda each: each.position):
        before = tallies.get((one.team, one.topic), BEGUN)
        tallies[one.team, one.topic], complete = counted(ENOUGH, before, Met(one.position, one.occurred_at))
        if complete:
            positions = tuple(each.position for each in complete)
            found.append(Need(one.team, one.topic, one.position, one.occurred_at, positions))
    return found
