"""Request headers that steer a write or a read: idempotency keys, versions, how long to wait."""

import re
from typing import Final

from starlette.requests import Request

from api.problems import ProblemError

_VERSION: Final = re.compile(r'"v(0|[1-9][0-9]{0,15})"')
_QUOTED: Final = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE: Final = re.compile(r"[\x21-\x7e]+")
_WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]+)\"?\s*(?=$|[,;])", re.IGNORECASE)
LONGEST_KEY: Final = 255
LONGEST_WAIT_SECONDS: Final = 10
_DIGITS: Final = len(str(LONGEST_WAIT_SECONDS)) + 1


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, quoted as the draft wants it or bare as many send it."""
    raw = request.headers.get("idempotency-key")
    if raw is None:
        return None
    quoted = _QUOTED.fullmatch(raw)
    key = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else raw
    if not 0 < len(key) <= LONGEST_KEY or not (quoted or _BARE.fullmatch(key)):
        raise _unreadable("Idempotency-Key", f"1 to {LONGEST_KEY} visible ASCII characters")
    return key


def expected_version(request: Request) -> int | None:
    """The version in If-Match; 0 for `If-None-Match: *`, which wants that nothing is there yet."""
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if none_match is not None:
        if none_match.strip() != "*" or match is not None:
            raise _unreadable("If-None-Match", "* and no If-Match beside it")
        return 0
    if match is None or match.strip() == "*":
        return None
    found = _VERSION.fullmatch(match.strip())
    if found is None:
        raise _unreadable("If-Match", 'one entity tag as in "v8"')
    return int(found[1])


def etag(version: int) -> str:
    """The entity tag of a customer's version."""
    return f'"v{version}"'


def unchanged(request: Request, tag: str) -> bool:
    """Whether the caller holds this very version already (If-None-Match)."""
    held = request.headers.get("if-none-match")
    if held is None:
        return False
    tags = {one.strip().removeprefix("W/") for one in held.split(",")}
    return tag in tags or "*" in tags


def wait_seconds(request: Request) -> int | None:
    """How long the caller is ready to wait, from `Prefer: wait=n` (RFC 7240), with our own limit."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    if found is None:
        return None
    # Cut first: Python turns no text of thousands of digits into a number.
    return min(int(found[1].lstrip("0")[:_DIGITS] or "0"), LONGEST_WAIT_SECONDS)


def _unreadable(header: str, wanted: str) -> ProblemError:
    return ProblemError("header_invalid", f"{header} must be {wanted}", header=header)
