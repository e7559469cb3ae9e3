"""Words: what the house says in a lesson. They stand in the open, for ever, so they name nobody."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

from domain.publishing import HousesOwn

_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
"""Characters that no feed can carry. Source: XML 1.0 section 2.2."""
# One character before the @ will do: to look for more would take the square of a long word's length.
_NAMING: Final = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]|\+\d[\d ()/.-]{6,}\d|\d{9,}")
"""What only stands in a text to say who somebody is: an address, a telephone, a card, a number of a customer."""


def _of_the_house(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise ValueError("a text holds no control characters")
    if _NAMING.search(text):
        raise ValueError("a lesson names nobody: leave out addresses, telephones and long numbers")
    if not text.strip():
        raise ValueError("say something")
    return text


Text = Annotated[
    str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_of_the_house), HousesOwn()
]
"""The words of a lesson."""
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\r\n]+$"),
    AfterValidator(_of_the_house),
    HousesOwn(),
]
"""What it is about, in one line."""
NAME: Final = "{name}"
"""Stands in a recognition for the colleague's name: put in when it is read, and only while he agrees."""
UNNAMED: Final = "a colleague"


def unnamed(text: str) -> str:
    """The same words where nobody is named."""
    return text.replace(NAME, UNNAMED)
