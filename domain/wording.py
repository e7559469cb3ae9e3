"""Wording: what in a message to a customer would undo the good it reports, and what to say instead.

It finds, it never refuses: whoever writes decides. Nothing of the text is kept.
Source: practices S2.5 (favours and effort are not flaunted), S2.20 (no labels), S3.7 (with dignity).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.phrases import INSTEAD, PHRASES, WHY, Language, WordingRule

MOST: Final = 200
"""So many findings tell enough of a text."""


class Found(BaseModel):
    """Words that were found: where they stand in the text (in characters), the rule, and what to say instead."""

    model_config = ConfigDict(frozen=True)

    rule: WordingRule
    language: Language
    start: int
    end: int
    said: str
    why: str
    instead: str


class _Pattern(NamedTuple):
    language: Language
    rule: WordingRule
    words: re.Pattern[str]


def check_wording(text: str, language: Language | None = None) -> list[Found]:
    """What should be said in another way, in the order of the text; in any language unless one is given."""
    plain, places = _plain(text)
    found = [
        _found(text, pattern, places[match.start()], places[match.end() - 1] + 1)
        for pattern in _patterns()
        if language in (None, pattern.language)
        for match in pattern.words.finditer(plain)
    ]
    return sorted(_outermost(found), key=lambda one: (one.start, one.end, one.rule))[:MOST]


def _found(text: str, pattern: _Pattern, start: int, end: int) -> Found:
    return Found(
        rule=pattern.rule,
        language=pattern.language,
        start=start,
        end=end,
        said=text[start:end],
        why=WHY[pattern.rule],
        instead=INSTEAD[pattern.rule][pattern.language],
    )


def _outermost(found: Iterable[Found]) -> Iterator[Found]:
    """Those that no longer finding of the same rule holds."""
    last: Found | None = None
    for one in sorted(found, key=lambda one: (one.rule, one.start, -one.end)):
        if last is None or one.rule != last.rule or one.end > last.end:
            last = one
            yield one


@cache
def _patterns() -> tuple[_Pattern, ...]:
    return tuple(
        _Pattern(language, rule, re.compile(r"(?<!\w)(?:" + words.replace(" ", r"\s+") + r")(?!\w)"))
        for language, rules in PHRASES.items()
        for rule, several in rules.items()
        for words in several
    )


_SAME: Final = str.maketrans({"ł": "l", "ς": "σ", "’": "'", "‘": "'", "´": "'", "–": "-", "‑": "-", "\u00a0": " "})


def _plain(text: str) -> tuple[str, list[int]]:
    """The text in lower case and without accents, and for each of its characters where it stands in the text."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        letter = unicodedata.normalize("NFD", character.lower())[:1].translate(_SAME)
        if not unicodedata.combining(letter):
            letters.append(letter)
            places.append(place)
    return "".join(letters), places
