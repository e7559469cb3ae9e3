"""Times as RFC 3339 writes them: pydantic alone takes a count of seconds in a text for a time as well."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, SchemaValidator, core_schema

NOT_WRITTEN: Final = "not_rfc_3339"
HOW: Final[Mapping[Literal["moment", "day"], str]] = {
    "moment": "a time is written as in 2026-03-02T17:00:00Z",
    "day": "a day is written as in 2026-03-02",
}
_SHAPE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "moment": partial(SchemaValidator(core_schema.datetime_schema()).validate_strings, strict=True),
    "day": partial(SchemaValidator(core_schema.date_schema()).validate_strings, strict=True),
}


def is_written(text: str) -> bool:
    """Whether this begins as each time and day is written, with the date."""
    return re.match(_SHAPE, text) is not None


@dataclass(frozen=True, slots=True)
class Written:
    """Takes a moment or a day only as it is written, where strict JSON is read: that is what comes from outside.

    What is stored is read without being strict, as it always was, and pays nothing. Nor does anything outside
    that holds no time.
    """

    what: Literal["moment", "day"]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        rules = handler(source)
        shaped = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=_SHAPE),
            custom_error_type=NOT_WRITTEN,
            custom_error_message=HOW[self.what],
        )
        read = core_schema.no_info_after_validator_function(_READ[self.what], shaped)
        strict = core_schema.chain_schema([read, rules])
        told = core_schema.lax_or_strict_schema(lax_schema=rules, strict_schema=strict)
        return core_schema.json_or_python_schema(json_schema=told, python_schema=rules)
