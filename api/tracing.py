"""Trace context: which distributed trace a request belongs to, so that a trace leads to the ledger and back.

Source: W3C Trace Context, levels 1 and 2. We take part in a trace and start none: without a valid traceparent
nothing is made up, and a broken one never stops a request.
"""

import re
from collections.abc import Iterable
from typing import Final

_NEWEST: Final = "00"
_TRACEPARENT: Final = re.compile(
    r"([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_SAMPLED: Final = 1


def traceparent(value: str | None) -> str | None:
    """The traceparent as we keep it, of version 00; None where it is not one.

    Of a later version we know only what the first one has: its ids, and whether the trace is recorded.
    """
    found = _TRACEPARENT.fullmatch(value) if value is not None and value.isascii() else None
    if found is None or found[1] == "ff":
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version != _NEWEST:
        return f"{_NEWEST}-{trace_id}-{parent_id}-{int(flags, 16) & _SAMPLED:02x}"
    return None if more else value


def of_headers(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The traceparent of a request; None when there is none, or more than one."""
    found = [value for name, value in headers if name == b"traceparent"]
    return traceparent(found[0].decode("latin-1").strip(" \t")) if len(found) == 1 else None


def trace_id(parent: str | None) -> str | None:
    """The trace a valid traceparent belongs to."""
    return None if parent is None else parent[3:35]
