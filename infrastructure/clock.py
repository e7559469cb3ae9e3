"""The time: the system's clock, taken at its word only as long as it does not leap."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final

import structlog

log = structlog.get_logger(__name__)
LEAP: Final = timedelta(minutes=1)
"""By how much the system's clock may be put right at once without being doubted."""
HOLD: Final = timedelta(minutes=10)
"""How long a clock that leapt must stand by its new time before it is believed."""

FAR_AHEAD: Final = timedelta(days=1)
"""A ledger whose last record lies further ahead than this was once told a wrong time."""


def utc_now() -> datetime:
    """The system's clock, in UTC."""
    return datetime.now(UTC)


def ticking() -> float:
    """Seconds since some moment, as the machine counts them: nobody sets this clock, and sleep counts too."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A leap that is not believed yet: how far, and when (in ticks) it was first seen."""

    leap: timedelta
    since: float


class HouseClock:
    """The time that everything in one process goes by.

    It is the system's clock. When that leaps (somebody set it, a virtual machine was restored), this one goes on
    at the pace of the machine, and follows only when the new time has stood for ten minutes: events told, clocks
    missed and silences noticed by a wrong time could not be taken back. At its start it knows no better than
    the system.
    """

    def __init__(self, system: Callable[[], datetime] = utc_now, ticks: Callable[[], float] = ticking) -> None:
        self._system, self._ticks = system, ticks
        self._lock = Lock()
        self._at, self._tick = system(), ticks()
        self._doubt: _Doubt | None = None
        self._left_at, self._left_tick = self._at, self._tick

    def latest(self) -> datetime:
        """What time it is at the latest, by all that may be right: this clock, one that was left, one in doubt."""
        now = self()
        with self._lock:
            left = self._left_at + timedelta(seconds=self._ticks() - self._left_tick)
            return max(now, left, self._system())

    def __call__(self) -> datetime:
        with self._lock:
            said, tick = self._system(), self._ticks()
            expected = self._at + timedelta(seconds=tick - self._tick)
            if abs(said - expected) <= LEAP or self._believed(said - expected, tick):
                self._at, self._tick, self._doubt = said, tick, None
                return said
            return expected

    def _believed(self, leap: timedelta, tick: float) -> bool:
        doubt = self._doubt
        if doubt is None or abs(leap - doubt.leap) > LEAP:
            self._doubt = _Doubt(leap, tick)
            log.error("clock_leapt", seconds=round(leap.total_seconds()))
            return False
        if tick - doubt.since < HOLD.total_seconds():
            return False
        log.error("clock_believed", seconds=round(leap.total_seconds()))
        self._left_at, self._left_tick = self._at, self._tick
        return True


@dataclass(frozen=True, slots=True)
class Times:
    """What time it is for one page."""

    now: datetime
    """What is decided by, and when happened what nobody says the time of."""
    recorded_at: datetime
    """The time of recording, which never falls."""
    latest: datetime
    """The latest time that it may be, by clocks that disagree: what lies before it has not been told too early."""


def times(clock: datetime, head: datetime, latest: datetime) -> Times:
    """What time it is by this clock, which says at most `latest`, for a ledger whose last record is of `head`.

    The time of recording never falls. Where the ledger runs a little ahead, it is now by the ledger, and time
    stands still until the clock has come so far. Where it runs far ahead, nobody's news would be current for
    months: it is now by the clock, and only the time of recording stands still.
    """
    recorded_at = max(clock, head)
    now = clock if recorded_at - clock > FAR_AHEAD else recorded_at
    return Times(now, recorded_at, latest if now < latest <= now + FAR_AHEAD else now)
