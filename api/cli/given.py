"""Given: the settings that the surroundings of a process give it, none of them misspelt."""

import os
from collections.abc import Iterator
from typing import Final

from api.nearest import nearest
from domain.errors import Broken
from infrastructure.settings import Settings

_PREFIX: Final = str(Settings.model_config["env_prefix"])
_OF_OUR_TESTS: Final = ("AMENDS_TEST_", "AMENDS_SOAK", "AMENDS_WRITE_DOCS")


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
    for name in sorted(map(str.upper, os.environ)):
        if not name.startswith(_PREFIX) or name in known or name.startswith(_OF_OUR_TESTS):
            continue
        near = nearest(name.removeprefix(_PREFIX), [one.removeprefix(_PREFIX) for one in known])
        yield f"{name} ({_PREFIX}{near}?)" if near else name
