"""Zones: the time zone database names them, and they are the same on every machine."""

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.moves.relationship import OpenRelationship
from domain.standards.calendar import Calendar
from domain.standards.document import RECORDED
from domain.zones import Zone

ZONE: TypeAdapter[str] = TypeAdapter(Zone)
HOURS = {"mon": [["09:00", "17:00"]]}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Athens", "America/Argentina/Buenos_Aires", "Etc/GMT+3", "Poland"])
def test_a_zone_of_the_database_is_taken(zone: str):
    assert ZONE.validate_python(zone) == zone
    assert Calendar.model_validate({"zone": zone, "hours": HOURS}).zone == zone
    assert OpenRelationship(timezone=zone).timezone == zone


@pytest.mark.parametrize(
    "zone",
    [
        *("localtime", "posixrules", "Factory", "posix/Europe/Athens", "right/Europe/Athens"),
        *("Mars/X", "Europe", "leapseconds", "", "/etc/localtime", "../etc/localtime", "Europe/Athens\0"),
        "x" * 100_000,
    ],
)
def test_what_is_none_or_another_one_on_every_machine_is_refused_and_not_said_again(zone: str):
    for told in (
        lambda: ZONE.validate_python(zone),
        lambda: Calendar.model_validate({"zone": zone, "hours": HOURS}),
        lambda: OpenRelationship(timezone=zone),
    ):
        with pytest.raises(ValidationError) as refused:
            told()
        assert [len(one["msg"]) < 200 for one in refused.value.errors()] == [True]


def test_a_calendar_of_before_still_holds():
    assert Calendar.model_validate({"zone": "localtime", "hours": HOURS}, context=RECORDED).zone == "localtime"
