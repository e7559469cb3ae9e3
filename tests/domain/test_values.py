"""The small values: what they take, what they refuse, and the one form in which they are kept."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.values import Moment

MOMENT = TypeAdapter(Moment)


def test_a_moment_is_kept_in_utc():
    moment = MOMENT.validate_json('"2026-03-03T01:30:00+02:00"')
    assert moment == datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert moment.tzinfo is UTC
    assert MOMENT.dump_json(moment) == b'"2026-03-02T23:30:00Z"'


@pytest.mark.parametrize(
    "beyond",
    [
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        "2200-12-31T23:59:59-05:00",
        "1900-01-01T00:00:00+05:00",
    ],
)
def test_a_moment_that_no_database_could_give_back_is_refused(beyond):
    with pytest.raises(ValidationError, match=r"should be (greater|less) than or equal to (1900|2200)"):
        MOMENT.validate_json(f'"{beyond}"')


@pytest.mark.parametrize("within", ["1900-01-01T00:00:00Z", "2200-12-31T23:59:59.999999Z"])
def test_the_years_from_1900_to_2200_are_taken(within):
    assert MOMENT.dump_json(MOMENT.validate_json(f'"{within}"')).decode() == f'"{within}"'


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValidationError):
        MOMENT.validate_json('"2026-03-02T09:00:00"')


def test_the_schema_of_a_moment_is_a_plain_date_time():
    assert MOMENT.json_schema() == {"type": "string", "format": "date-time"}
