"""Periods: the year, quarter, month or week that a budget is for, and which days and moments belong to it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

_DAY: Final = timedelta(days=1)
_DATE_LINE: Final = (timedelta(hours=-12), timedelta(0), timedelta(hours=14))
"""How far the clocks of the world are from UTC, at most: at one moment it is three different days at the most."""


@dataclass(frozen=True, slots=True)
class Period:
    """All days from `first` to `last`."""

    first: date
    last: date

    def begins(self, zone: str) -> datetime:
        """The first moment of it where the clocks show this zone, in UTC."""
        return _midnight(self.first, zone)

    def ends(self, zone: str) -> datetime:
        """The first moment after it where the clocks show this zone, in UTC."""
        return _midnight(self.last + _DAY, zone)

    def covers(self, moment: datetime, zone: str) -> bool:
        """Whether this moment lies in it where the clocks show this zone."""
        return self.first <= moment.astimezone(ZoneInfo(zone)).date() <= self.last

    def elapsed(self, moment: datetime, zone: str) -> float:
        """Which part of it is over at this moment, from 0 to 1."""
        begins, ends = self.begins(zone), self.ends(zone)
        return min(max((moment - begins) / (ends - begins), 0.0), 1.0)


def period(name: str) -> Period:
    """The period of this name: `2026`, `2026-q4`, `2026-11` or `2026-w47` (weeks as in ISO 8601).

    Raises ValueError for a name of none.
    """
    year, _, part = name.partition("-")
    if not part:
        return _months(int(year), 1, 12)
    if part.startswith("w"):
        monday = date.fromisocalendar(int(year), int(part[1:]), 1)
        return Period(monday, monday + 6 * _DAY)
    if part.startswith("q"):
        last = int(part[1:]) * 3
        return _months(int(year), last - 2, last)
    return _months(int(year), int(part), int(part))


def names_at(moment: datetime) -> list[str]:
    """The names of all periods that this moment may belong to, in whatever zone, the shortest first."""
    days = sorted({(moment.astimezone(UTC) + offset).date() for offset in _DATE_LINE})
    return list(dict.fromkeys(name for named in (_week, _month, _quarter, _year) for name in map(named, days)))


def _existing(name: str) -> str:
    period(name)  # not every year has a week 53
    return name


PeriodName = Annotated[
    str,
    StringConstraints(pattern=r"^(19|20|21)[0-9]{2}(-(q[1-4]|0[1-9]|1[0-2]|w(0[1-9]|[1-4][0-9]|5[0-3])))?$"),
    AfterValidator(_existing),
]
"""A year, a quarter, a month or a week: `2026`, `2026-q4`, `2026-11`, `2026-w47`."""


def _months(year: int, first: int, last: int) -> Period:
    after = date(year + last // 12, last % 12 + 1, 1)
    return Period(date(year, first, 1), after - _DAY)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04}-w{week:02}"


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _quarter(day: date) -> str:
    return f"{day.year:04}-q{(day.month + 2) // 3}"


def _year(day: date) -> str:
    return f"{day.year:04}"
