"""Quiet hours: when nobody asks the customer anything, and nobody invites him (I-17).

They bind what we do to him, never what he does; and never an apology, news or a remedy.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.errors import InQuietHours
from domain.kinds import Context
from domain.relationship import Relationship
from domain.standards.house import House
from domain.zones import is_zone


def refuse_in_quiet_hours(state: Relationship, moment: datetime, at: Context) -> None:
    """Raises InQuietHours where we would disturb the customer at this moment.

    What is imported has happened long ago; of what is known to the day nobody can say at what hour it was.
    """
    if at.importing or not at.time_known or at.actor.kind == "customer":
        return
    until = quiet_until(state, moment, at.house)
    if until is not None:
        raise InQuietHours(until.isoformat())


def refuse_if_asked_in_quiet_hours(state: Relationship, at: Context) -> None:
    """The same for an answer: one that a colleague records was asked for there and then.

    One that the customer gives by himself, or through a program, he gives when he likes.
    """
    if at.actor.kind == "colleague":
        refuse_in_quiet_hours(state, at.occurred_at, at)


def awake(state: Relationship, moment: datetime, house: House) -> datetime:
    """This moment, or the end of the quiet hours in which it lies."""
    return quiet_until(state, moment, house) or moment


def quiet_until(state: Relationship, moment: datetime, house: House) -> datetime | None:
    """When the quiet hours end in which this moment lies; None where it lies in none.

    They are read from the clock where the customer lives, else where the house is, else in UTC.
    """
    if state.quiet_hours is None:
        return None
    start, end = map(time.fromisoformat, state.quiet_hours)
    shown = moment.astimezone(_zone(state, house))
    now = shown.time()
    over_night = start > end
    if not (start <= now or now < end if over_night else start <= now < end):
        return None
    day = shown.date() + timedelta(days=over_night and now >= start)
    # In the hour that is told twice in autumn, the end that comes next.
    ends = datetime.combine(day, end, tzinfo=shown.tzinfo).replace(fold=shown.fold)
    return ends.astimezone(UTC)


def _zone(state: Relationship, house: House) -> ZoneInfo:
    calendar = house.calendar(house.targets().body.calendar)
    for zone in (state.timezone, None if calendar is None else calendar.body.zone):
        # Customers of before may have one that is none.
        if zone is not None and is_zone(zone):
            return ZoneInfo(zone)
    return ZoneInfo("UTC")
