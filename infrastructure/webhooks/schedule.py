"""When a delivery that failed is tried again: seconds later at first, a day later at last, for three days."""

from datetime import timedelta
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


def rest(failures: int, jitter: float) -> timedelta | None:
    """How long to wait after so many failures in a row; None when that was the last.

    `jitter` goes from 0 to 1.
    """
    if failures > len(RESTS):
        return None
    return RESTS[failures - 1] * (1 + SPREAD * jitter)
