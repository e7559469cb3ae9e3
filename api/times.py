"""Times in a query: told as they are in a body, see domain/written.py."""

from datetime import date
from typing import Any, get_args

from pydantic import AwareDatetime

from api.problems import ProblemError, pointer, validation_failed
from domain.written import HOW, NOT_WRITTEN


def not_a_time(name: str) -> ProblemError:
    """The 422 for a parameter of this name that is not written as times are."""
    return validation_failed(pointer([name]), HOW["moment"], NOT_WRITTEN, "query")


def is_time(annotation: Any) -> bool:
    """Whether a parameter of this kind is a time or a day, or may be one."""
    # At run time AwareDatetime is a mark of pydantic's own, no kind of date.
    if isinstance(annotation, type):
        return annotation is AwareDatetime or issubclass(annotation, date)
    return any(is_time(one) for one in get_args(annotation))
