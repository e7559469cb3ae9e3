"""Times: written as RFC 3339 says. Pydantic alone would take a count of seconds in a text as well."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import Any, Final, get_args

from pydantic import AwareDatetime, BaseModel

from api.problems import ProblemError, pointer, validation_failed

_COUNT: Final = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]*)?\s*")
_SOME_COUNT: Final = re.compile(rb'"\s*[+-]?[0-9]+(?:\.[0-9]*)?\s*"')
Steps = tuple[str | int, ...]


def refuse_counted(read: BaseModel, said: Mapping[str, Any], content: bytes, at: Sequence[str | int] = ()) -> None:
    """Raises `validation_failed` where a count of seconds was read as a time. `content` is `said` as JSON."""
    # Few bodies hold a text of digits alone: the others need no closer look.
    if _SOME_COUNT.search(content) is None:
        return
    for steps in _counted(read, said, tuple(at)):
        raise not_a_time(pointer(steps))


def not_a_time(place: str, where: str = "body") -> ProblemError:
    """The 422 for a time that is not written as times are."""
    return validation_failed(place, "a time is written as in 2026-03-02T17:00:00Z", "not_rfc_3339", where)


def is_count(text: Any) -> bool:
    """Whether this is a text that holds nothing but a number."""
    return isinstance(text, str) and _COUNT.fullmatch(text) is not None


def is_time(annotation: Any) -> bool:
    """Whether a parameter of this kind is a time or a day, or may be one."""
    # At run time AwareDatetime is a mark of pydantic's own, no kind of date.
    if isinstance(annotation, type):
        return annotation is AwareDatetime or issubclass(annotation, date)
    return any(is_time(one) for one in get_args(annotation))


def _counted(read: Any, said: Any, steps: Steps) -> Iterator[Steps]:
    if isinstance(said, dict):
        for name, inner in said.items():
            yield from _counted(_member(read, name), inner, (*steps, name))
    elif isinstance(said, list) and isinstance(read, Collection):
        # A set has lost the order, and holds nothing but times where it holds one.
        kept = repeat(next(iter(read), None)) if isinstance(read, frozenset) else read
        for nth, (one, inner) in enumerate(zip(kept, said, strict=False)):
            yield from _counted(one, inner, (*steps, nth))
    elif isinstance(read, date) and is_count(said):
        yield steps


def _member(read: Any, name: str) -> Any:
    if isinstance(read, Mapping):
        return read.get(name)
    fields = type(read).model_fields if isinstance(read, BaseModel) else {}
    return next((getattr(read, own) for own, field in fields.items() if name in (own, field.alias)), None)
