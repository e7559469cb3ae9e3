"""Places: where in what was said a fault lies, as whoever said it would point at it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

Errors = Sequence[ErrorDetails] | Sequence[Mapping[str, Any]]
UNKNOWN: Final = object()
"""Stands for what was said where nobody kept it: then pydantic's own steps are all there is."""
_NOWHERE: Final = object()


def of_themselves(errors: Errors) -> Errors:
    """The faults, without those of a list that is too short only because something in it is wrong."""
    if all(one["type"] != "too_short" for one in errors):
        return errors
    parents = {tuple(one["loc"][:depth]) for one in errors for depth in range(len(one["loc"]))}
    return [one for one in errors if one["type"] != "too_short" or tuple(one["loc"]) not in parents]


def steps_to(error: ErrorDetails | Mapping[str, Any], said: Any) -> Sequence[str | int]:
    """The steps from what was said to the fault.

    Pydantic's own hold more: the names of a union's members, and `[key]` for the name in an object itself.
    """
    if said is UNKNOWN:
        return tuple(error["loc"])
    steps: list[str | int] = []
    for step in error["loc"]:
        inner = _inside(said, step)
        if inner is not _NOWHERE:
            steps.append(step)
            said = inner
    # What is missing leads nowhere, and is to be named all the same.
    return [*steps, error["loc"][-1]] if error["type"] == "missing" else steps


def _inside(said: Any, step: str | int) -> Any:
    if isinstance(said, dict):
        return said.get(step, _NOWHERE)
    if isinstance(said, list) and isinstance(step, int) and step < len(said):
        return said[step]
    return _NOWHERE
