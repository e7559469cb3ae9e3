"""Calendar: when the house is open, and business minutes and days added to a moment.

Opening hours are read from the clock on the wall; minutes are those that really pass. So on the days on which the
clock is changed an interval lasts an hour less or more, and what is due is still exact.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator

from domain.standards.document import RECORDED, SHIPPED, Body, SetOf, Standard
from domain.written import Written
from domain.zones import is_zone, known

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Interval = tuple[TimeOfDay, TimeOfDay]
"""From when until when, on the clock on the wall; `24:00` is the end of the day."""
MOST_HOLIDAYS: Final = 1000
LEAST_OPEN: Final = 4 * 60
"""So many minutes of a week a house must be open; with fewer, what it promises comes due many years later."""
Intervals = Annotated[tuple[Interval, ...], Field(max_length=12)]
Spans = tuple[tuple[datetime, datetime], ...]
_DAY: Final = timedelta(days=1)


class Calendar(Body):
    """When the house is open: a zone of the time zone database, hours by weekday, and holidays."""

    KIND: ClassVar[str] = "calendar"

    zone: str = Field(examples=["Europe/Athens"])
    hours: dict[Weekday, Intervals]
    holidays: SetOf[Annotated[date, Written("day")]] = Field(default=frozenset(), max_length=MOST_HOLIDAYS)

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str, info: ValidationInfo) -> str:
        # What was published before some names were refused still holds.
        return zone if info.context == RECORDED and is_zone(zone) else known(zone)

    @field_validator("hours")
    @classmethod
    def _in_order(cls, hours: Mapping[Weekday, Intervals]) -> Mapping[Weekday, Intervals]:
        if not any(hours.values()):
            raise ValueError("a house that never opens keeps no promise; give the hours of one day at least")
        for day, intervals in hours.items():
            for start, end in intervals:
                if start >= end:
                    raise ValueError(f"{day}: {start} to {end} ends before it begins; split a night at 24:00")
            for (_, end), (start, _) in pairwise(intervals):
                if start <= end:
                    raise ValueError(f"{day}: {start} begins before {end} is over; put the intervals in order")
        week = sum(_minutes(end) - _minutes(start) for several in hours.values() for start, end in several)
        if week < LEAST_OPEN:
            raise ValueError(f"the house is open {week} minutes a week; it needs {LEAST_OPEN} at least")
        return hours

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def is_open(self, moment: datetime) -> bool:
        """Whether the house is open; at the very moment of closing it still is."""
        day = self._day_of(moment)
        return any(start <= moment <= end for one in (day - _DAY, day) for start, end in self._spans(one))

    def after_minutes(self, moment: datetime, minutes: int) -> datetime:
        """The moment after so many minutes of being open. Outside the hours they begin with the next opening."""
        left, spans = timedelta(minutes=minutes), self._from(moment)
        while True:
            start, end = next(spans)
            begun = max(start, moment)
            if end - begun >= left:
                return begun + left
            left -= end - begun

    def after_days(self, moment: datetime, days: int) -> datetime:
        """The end of the last interval of the nth business day after this one.

        With 0 the moment itself, or the next opening. Outside the hours the day of the next opening is this one.
        """
        begun = self.after_minutes(moment, 0)
        if days == 0:
            return begun
        day = self._business_day(begun)
        for _ in range(days):
            day = self._next_open(day + _DAY)
        return self._spans(day)[-1][1]

    def _business_day(self, moment: datetime) -> date:
        """The day of which this moment is an hour; midnight still belongs to a day that is open until then."""
        day = self._day_of(moment)
        before = self._spans(day - _DAY)
        return day - _DAY if before and before[-1][1] == moment else day

    def _from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The intervals that are not over at this moment, in order, for ever."""
        day = self._day_of(moment) - _DAY
        while True:
            yield from (span for span in self._spans(day) if span[1] >= moment)
            day += _DAY

    def _next_open(self, day: date) -> date:
        while not self._spans(day):
            day += _DAY
        return day

    def _day_of(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _spans(self, day: date) -> Spans:
        """The intervals of a day as moments in UTC."""
        hours = self.hours.get(WEEK[day.weekday()], ())
        return _spans(self.zone, day, hours) if hours and day not in self.holidays else ()


# The same few weeks are asked for with every contact in a house that has opening hours.
@lru_cache(maxsize=4096)
def _spans(zone: str, day: date, hours: Intervals) -> Spans:
    """These intervals of the day, on the clock on the wall, as moments in UTC."""
    wall = ZoneInfo(zone)
    spans = [(_moment(wall, day, start), _moment(wall, day, end)) for start, end in hours]
    # An interval inside the hour that is left out in spring does not take place.
    return tuple((start, end) for start, end in spans if start < end)


def _moment(zone: ZoneInfo, day: date, told: str) -> datetime:
    """The first moment at which the clock on the wall shows this time, or a later one where it is left out."""
    if told == "24:00":
        day, told = day + _DAY, "00:00"
    shown = datetime.combine(day, time.fromisoformat(told), tzinfo=zone)
    found = shown.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == shown.replace(tzinfo=None):
        return found
    return _change(zone, shown.replace(fold=1).astimezone(UTC), found)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The moment between these two at which the clock is changed, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _minutes(told: TimeOfDay) -> int:
    hours, minutes = told.split(":")
    return int(hours) * 60 + int(minutes)


ROUND_THE_CLOCK: Final = Standard[Calendar](
    name=SHIPPED, body=Calendar(zone="UTC", hours=dict.fromkeys(WEEK, (("00:00", "24:00"),)))
)
"""The calendar that ships with the program: always open."""
