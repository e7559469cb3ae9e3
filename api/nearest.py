"""Nearest: the name that was probably meant, for those who come close to one."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

ALIKE: Final = 0.75
LONGEST: Final = 100
"""Characters beyond which nothing is compared: no name of ours is as long, and comparing takes time."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like this one, or None where none is like it."""
    found = get_close_matches(name, list(known), 1, ALIKE) if len(name) <= LONGEST else []
    return found[0] if found else None


def meant(found: str | None) -> str:
    """The end of a sentence that offers the name."""
    return f"; did you mean {found}?" if found else ""
