"""The parts of the sum: what a failure, a harm, a gesture and a statement weigh, in hundredths of a point."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

from domain.milestones import SatisfactionStated

Band = Literal["critical", "dissatisfied", "at_risk", "satisfied", "delighted"]

START_TOTAL: Final = 7000
"""Where a relationship starts, and the least its baseline can be."""
HIGHEST: Final = 9500
"""Nobody is shown more content than this."""
LOSS: Final = (300, 800, 1500, 2500, 4000)
"""What a failure takes away, by severity 1-5."""
HARM: Final = (300, 800, 1500)
"""What poor treatment takes away, by degree 1-3."""
GESTURE: Final = (200, 400, 800)
"""What an unasked good deed gives, by degree 1-3."""
GESTURES_AT_MOST: Final = 1200
"""What gestures can give within `GESTURE_WINDOW`."""
SILENCE: Final = 200
MISSED: Final = 150
FAILED_AGAIN: Final = (50, 75, 100)
"""Percent of the loss taken away once more at the first, second and every later time it failed again."""

DAY_MICROS: Final = 24 * 3600 * 1_000_000
SIMILAR_WINDOW: Final = 180 * DAY_MICROS
RECENT_WINDOW: Final = 30 * DAY_MICROS
GESTURE_WINDOW: Final = 90 * DAY_MICROS

_CSAT: Final[Mapping[int, int]] = {1: 1000, 2: 3000, 3: 5000, 4: 7500, 5: 9500}
_OUTCOME: Final[Mapping[int, int]] = {0: 2000, 1: 5500, 2: 8500}
STATED: Final[Mapping[str, Mapping[int, int]]] = {
    "CSAT": _CSAT,
    "OUTCOME": _OUTCOME,
    "NPS": {n: 500 + 900 * n for n in range(11)},
    "CES": {n: 1000 + (n - 1) * 8500 // 6 for n in range(1, 8)},
}
"""What an answer means on our scale, by instrument. VERBATIM and REVIEW are words, not numbers."""
TRUST: Final[Mapping[str, int]] = {"CSAT": 80, "OUTCOME": 80, "NPS": 60, "CES": 40}
"""How many percent of the way the sum moves to the customer's word, by instrument."""

_BANDS: Final[tuple[tuple[int, Band], ...]] = (
    (2000, "critical"),
    (4000, "dissatisfied"),
    (6000, "at_risk"),
    (8000, "satisfied"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Term(NamedTuple):
    """One change of the sum: which event did it, by how much, and the unbounded sum after it."""

    label: str
    change: int
    total: int


def shown(total: int) -> int:
    """The published score, 0 to 9500, of an unbounded sum."""
    return 0 if total < 0 else min(total, HIGHEST)


def band(score: int) -> Band:
    """The name for a published score."""
    for limit, name in _BANDS:
        if score < limit:
            return name
    return "delighted"


def stated_value(stated: SatisfactionStated) -> int | None:
    """What the customer's answer means on our scale; None for words, and for an answer outside its instrument."""
    if stated.value is None:
        return None
    return STATED.get(stated.instrument, {}).get(stated.value)


def micros(at: datetime) -> int:
    """Microseconds since 1970: the working values of the score are whole numbers only."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(since_1970: int) -> datetime:
    """The instant that `micros` counted."""
    return _EPOCH + timedelta(microseconds=since_1970)
