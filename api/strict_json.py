"""Strict JSON: a body is taken only when every reader in the world would read it the same way."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

import orjson

from api.problems import ProblemError, pointer, validation_failed
from domain.values import MAX_INT

MAX_DEPTH: Final = 32
MAX_NUMBER_LENGTH: Final = 512
LONGEST_NAME: Final = 60


def decode(body: bytes) -> Any:
    """The JSON value in the body.

    Refuses (400 `json_invalid`) what RFC 8259 refuses, and beyond it: repeated keys, NaN and Infinity, numbers
    that no double can hold, lone surrogates, more than 32 levels, a byte order mark. Whole numbers beyond
    2^53-1 and U+0000 in a text are 422 `validation_failed`, naming the field.
    """
    value = _plain(body)
    if value is not _UNKNOWN:
        return value
    text = _text(body)
    try:
        value = _parse(_DECODER, text)
    except _HugeNumberError:
        # Seldom: read it once more with a marker in its place, to tell which field it is.
        return _refuse_huge(_parse(_MARKING, text))
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _refuse_deep(value)
    # Only an escape can bring in U+0000 or a lone surrogate: raw they are a control character, or no UTF-8.
    if b"\\u" in body:
        _refuse_unstorable(value)
    return value


def _plain(body: bytes) -> Any:
    """The value of a body that is written as most programs write JSON; else _UNKNOWN.

    Read and written again it is the same, byte for byte: so no key came twice, and no number lost a digit. What is
    refused for other reasons is left to a closer look, and so is all that holds a long number or an escape.
    """
    if b"\\u" in body or _LONG in body.translate(_DIGITS):
        return _UNKNOWN
    try:
        value = orjson.loads(body)
        same = orjson.dumps(value) == body
    except (orjson.JSONDecodeError, TypeError):
        return _UNKNOWN
    if not same or (body.count(b"[") + body.count(b"{") > MAX_DEPTH and _deeper_than(MAX_DEPTH, value)):
        return _UNKNOWN
    return value


_UNKNOWN: Final = object()
_LONG: Final = b"0" * 16
"""So many digits are the fewest of a number beyond 2^53-1."""
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")


def decode_object(body: bytes, *, may_be_empty: bool = False) -> dict[str, Any]:
    """The JSON object in the body; where it may be empty, no body at all is an empty object."""
    if may_be_empty and not body:
        return {}
    value = decode(body)
    if not isinstance(value, dict):
        raise validation_failed("", "the body must be a JSON object", "object_type")
    return value


class _HugeNumberError(Exception):
    """A whole number that loses digits in other readers."""


class _Huge:
    """Stands where such a number stood."""


def _text(body: bytes) -> str:
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _invalid("no byte order mark: the body must be plain UTF-8")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid(f"not UTF-8 at byte {error.start}") from None


def _parse(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except RecursionError:
        raise _invalid(f"nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        # The exception carries the whole body, which may be personal: only reason and place are told.
        raise _invalid(f"{error.msg} at character {error.pos}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _invalid(f"an object names the key {_twice(name for name, _ in pairs)} twice")
    return found


def _twice(names: Iterable[str]) -> str:
    """The name that comes most often, cut short, as it would be written in JSON with ASCII alone."""
    [(again, _)] = Counter(names).most_common(1)
    return json.dumps(again[:LONGEST_NAME])


def _integer(text: str) -> int:
    # The length first: turning 5,000 digits into a number takes time that nobody should make us spend.
    if len(text) > 17 or abs(value := int(text)) > MAX_INT:
        raise _HugeNumberError
    return value


def _marked_integer(text: str) -> int | _Huge:
    try:
        return _integer(text)
    except _HugeNumberError:
        return _Huge()


def _float(text: str) -> float:
    if len(text) > MAX_NUMBER_LENGTH:
        raise _invalid(f"a number is written with more than {MAX_NUMBER_LENGTH} characters")
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _invalid("a number is too large")
    if value == 0 and any(digit in "123456789" for digit in text.lower().partition("e")[0]):
        raise _invalid("a number is too small")
    return value


def _constant(name: str) -> NoReturn:
    raise _invalid(f"{name} is no JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
_MARKING: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_marked_integer, parse_float=_float, parse_constant=_constant
)


def _walk(value: Any) -> Iterator[tuple[list[str | int], Any]]:
    """Every value with the steps that lead to it; keys are visited as values of their own, at their object.

    It is one list of steps that goes along: a pointer for every value would cost far more than the body itself.
    """
    steps: list[str | int] = []
    inside = [_members(value)]
    yield steps, value
    while inside:
        for step, inner in inside[-1]:
            yield steps, step
            steps.append(step)
            yield steps, inner
            if isinstance(inner, dict | list):
                inside.append(_members(inner))
                break
            steps.pop()
        else:
            inside.pop()
            del steps[-1:]


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value if isinstance(value, list) else ()))


def _refuse_deep(value: Any) -> None:
    if _deeper_than(MAX_DEPTH, value):
        raise _invalid(f"nested deeper than {MAX_DEPTH} levels")


def _deeper_than(levels: int, value: Any) -> bool:
    # Each value of a large batch comes by here: the steps that lead to it would cost more than parsing it did.
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inside is None:
        return False
    if not levels:
        return True
    for one in inside:  # noqa: SIM110
        if isinstance(one, (dict, list)) and _deeper_than(levels - 1, one):
            return True
    return False


def _refuse_huge(value: Any) -> NoReturn:
    place = next(pointer(steps) for steps, one in _walk(value) if isinstance(one, _Huge))
    raise validation_failed(place, "whole numbers go up to 2^53-1", "number_too_large")


def _refuse_unstorable(value: Any) -> None:
    for steps, one in _walk(value):
        if not isinstance(one, str):
            continue
        if not _is_unicode(one):
            raise _invalid("a text holds half of a surrogate pair")
        if "\x00" in one:
            raise validation_failed(pointer(steps), "a text must not contain U+0000", "nul_character")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(detail: str) -> ProblemError:
    return ProblemError("json_invalid", detail)
