"""When a delivery that failed is tried again: seconds later at first, a day later at last, for three days."""

from datetime import datetime, timedelta
from typing import Final

RESTS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each failure. Source: Standard Webhooks 1.0.0, which advises to retry for days with growing rests."""
SPREAD: Final = 0.2
"""By how much a rest may be longer, so that receivers that came back are not met by everybody at once."""
LONGEST: Final = RESTS[-1] * (1 + SPREAD)
OURS: Final = 3
"""After a fault of ours only the first so many rests are taken: nothing waits for a day or is given up for it."""


def rest(failures: int, jitter: float) -> timedelta | None:
    """How long to wait after so many failures in a row; None when that was the last.

    `jitter` goes from 0 to 1.
    """
    if failures > len(RESTS):
        return None
    return RESTS[failures - 1] * (1 + SPREAD * jitter)


def rest_of_ours(times: int, jitter: float) -> timedelta:
    """How long to wait after so many faults of our own in a row. `jitter` goes from 0 to 1."""
    return RESTS[min(times, OURS) - 1] * (1 + SPREAD * jitter)


def over(until: datetime | None, now: datetime) -> bool:
    """Whether a rest until then is over."""
    # No rest is so long, but for a clock that was set back meanwhile.
    return until is None or not now < until <= now + LONGEST
