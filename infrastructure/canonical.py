"""Canonical JSON: one and only one way to write a value, so that its digest can be compared for ever.

A strict subset of RFC 8785: ASCII keys, integers of at most 53 bits, no floats, no U+0000, no lone surrogates.
Inside the subset orjson with sorted keys writes the very bytes of the RFC; outside it we refuse.
"""

from typing import Any, Final

import orjson

from domain.errors import Broken

# Without the passthroughs orjson would quietly write datetimes, dataclasses and subclasses in its own way.
_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_PLAIN: Final = frozenset({str, int, bool, type(None)})


class NotCanonical(Broken):
    """The value, or the bytes, cannot stand in the ledger: outside the subset, or written another way."""

    code = "not_canonical"


def dumps(value: Any) -> bytes:
    """The canonical bytes of a value made of dict, list, str, int, bool and None.

    Raises NotCanonical for everything else.
    """
    try:
        written = orjson.dumps(value, option=_OPTIONS)
    except (TypeError, RecursionError) as error:
        raise NotCanonical(f"not canonical: {error}") from None
    _refuse_others(value)
    # The bytes of a NUL also stand in the harmless text of a backslash before u0000: then look closely.
    if b"\\u0000" in written and _has_nul(value):
        raise NotCanonical("not canonical: text contains U+0000")
    return written


def loads(data: bytes) -> Any:
    """The value of canonical bytes. Raises NotCanonical when they are any other JSON, or none."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotCanonical(f"not JSON: {error}") from None
    if dumps(value) != data:
        raise NotCanonical("JSON, but not in its canonical form")
    return value


def _refuse_others(value: Any) -> None:
    # Exact types: a float, a UUID or an enum would be written, but not as every reader writes it.
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is dict:
        # orjson has refused keys that are no text.
        if not "".join(value).isascii():
            raise NotCanonical("not canonical: a key has letters beyond ASCII")
        inside = value.values()
    elif kind is list:
        inside = value
    else:
        raise NotCanonical(f"not canonical: {kind.__name__}")
    for inner in inside:
        if type(inner) not in _PLAIN:
            _refuse_others(inner)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in key or _has_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
