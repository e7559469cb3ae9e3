"""Zones: what the clocks show somewhere, by the names of the time zone database."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

_ITS_OWN: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Names that say something else on every machine, or nothing."""
_COPIES: Final = ("posix/", "right/")
"""Folders that not every machine has; the second one counts leap seconds, which our moments do not."""


def known(zone: str) -> str:
    """This zone. Raises ValueError for what is none in the time zone database, wherever the program runs."""
    if zone in _ITS_OWN or zone.startswith(_COPIES) or not is_zone(zone):
        raise ValueError("no zone of the time zone database; write Europe/Athens or UTC")
    return zone


def is_zone(zone: str) -> bool:
    """Whether this machine knows what the clocks show there."""
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):
        return False
    return True


Zone = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$"), AfterValidator(known)]
"""A zone of the time zone database, such as Europe/Athens."""
