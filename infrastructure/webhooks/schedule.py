"""When a delivery that failed is tried again: seconds later at first, a day later at last, for three days."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
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
NOTHING: Final = timedelta()
LONGEST: Final = RESTS[-1] * (1 + SPREAD)
OURS: Final = 3
"""After a fault of ours only the first so many rests are taken: nothing waits for a day or is given up for it."""


def rest(failures: int, jitter: float, asked: timedelta = NOTHING) -> timedelta | None:
    """How long to wait after so many failures in a row; None when that was the last.

    Not shorter than the receiver `asked` for. `jitter` goes from 0 to 1.
    """
    if failures > len(RESTS):
        return None
    return max(RESTS[failures - 1], asked) * (1 + SPREAD * jitter)


def asked_rest(said: str, now: datetime) -> timedelta:
    """How long a receiver wants to be left alone, by what his Retry-After says; a day at most.

    Source: RFC 9110, 10.2.3: seconds, or a date in one of the three forms that HTTP has.
    """
    if said.isascii() and said.isdigit():
        # Python reads no number of thousands of figures, and knows no rest of more than nine.
        return min(timedelta(seconds=int(said)), RESTS[-1]) if len(said) < 10 else RESTS[-1]
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return NOTHING
    left = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(left, NOTHING), RESTS[-1])


def rest_of_ours(times: int, jitter: float) -> timedelta:
    """How long to wait after so many faults of our own in a row. `jitter` goes from 0 to 1."""
    return RESTS[min(times, OURS) - 1] * (1 + SPREAD * jitter)


def over(until: datetime | None, now: datetime) -> bool:
    """Whether a rest until then is over."""
    # No rest is so long, but for a clock that was set back meanwhile.
    return until is None or not now < until <= now + LONGEST
