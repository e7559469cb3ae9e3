"""Given: the settings that the surroundings of a process give it, none of them misspelt."""

import os
import re
from collections.abc import Iterator
from typing import Final

from api.nearest import nearest
from domain.errors import Broken
from infrastructure.settings import Settings

_PREFIX: Final = str(Settings.model_config["env_prefix"])
_OF_OUR_TESTS: Final = ("AMENDS_TEST_", "AMENDS_SOAK", "AMENDS_WRITE_DOCS")
# Kubernetes tells every container of every Service, one named amends-web too.
_OF_A_SERVICE: Final = re.compile(r"_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT_[0-9]+_(TCP|UDP|SCTP)(_\w+)?")
_ADDRESS_OF_A_SERVICE: Final = re.compile(r"(tcp|udp|sctp)://")


class UnknownSettings(Broken):
    """Somebody set what does not exist: left alone, it would seem to be in force."""

    code = "invalid_value"

    def __init__(self, told: list[str]) -> None:
        super().__init__(f"there is no setting {', '.join(told)}")


def settings_given() -> Settings:
    """The settings of this process. Raises UnknownSettings, and pydantic.ValidationError for a value."""
    unknown = list(_unknown())
    if unknown:
        raise UnknownSettings(unknown)
    return Settings()


def _unknown() -> Iterator[str]:
    """Each name that is none of ours, and the nearest one that is; never a value."""
    known = {_PREFIX + name.upper() for name in Settings.model_fields}
    for given, value in sorted(os.environ.items()):
        name = given.upper()
        if (
            not name.startswith(_PREFIX)
            or name in known
            or name.startswith(_OF_OUR_TESTS)
            or _is_link(name, value)
        ):
            continue
        near = nearest(name.removeprefix(_PREFIX), [one.removeprefix(_PREFIX) for one in known])
        yield f"{name} ({_PREFIX}{near}?)" if near else name


def _is_link(name: str, value: str) -> bool:
    return bool(_OF_A_SERVICE.search(name) or _ADDRESS_OF_A_SERVICE.match(value))
