"""Who is calling: a bearer key, the one ledger it belongs to, and what it may do there."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Protocol

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.problems import ProblemError

SCOPES: Final[dict[str, str]] = {
    "append": "post events, customers and commands",
    "read": "read customers, recoveries, the feed and the events",
    "personal": "see personal parts decrypted",
    "personnel": "see reports of poor treatment by a named colleague",
    "audit": "read the log, replay, compare projections",
    "import": "tell old facts by the import rules",
    "act_for": "name the colleague who acted",
    "admin": "keys, erasure and other affairs of the house",
}
"""Every scope a key may have, and what it allows."""

ANY_SOURCE: Final = "*"
REMEMBERED_SECONDS: Final = 1.0
"""How long after it was asked about a checked key is trusted; it adds to the time in which a revoked key stops."""
REMEMBERED_KEYS: Final = 1000
CHECKED_AT_ONCE: Final = 4
"""Threads that look keys up: their own, so that slow reads never keep a write from being let in."""


class Credential(Protocol):
    """A key that was checked."""

    @property
    def ledger(self) -> str: ...
    @property
    def key_id(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def sources(self) -> tuple[str, ...]: ...


class Keys(Protocol):
    """Where keys are looked up."""

    def check(self, bearer: str) -> Any: ...


def default_source(caller: Credential) -> str:
    """The source of what this key posts without naming one: the first it owns."""
    first = caller.sources[0] if caller.sources else ANY_SOURCE
    return first if first != ANY_SOURCE else own_source(caller)


def own_source(caller: Credential) -> str:
    """The source that belongs to every key from the start."""
    return f"urn:amends:key:{caller.key_id}"


def owns(caller: Credential, source: str) -> bool:
    """Whether the key may speak for this source."""
    return source == own_source(caller) or source in caller.sources or ANY_SOURCE in caller.sources


def require(caller: Credential, scope: str) -> None:
    """Raises the 403 problem unless the key has the scope."""
    if scope not in caller.scopes:
        raise missing_scope(scope)


def missing_scope(scope: str) -> ProblemError:
    """The 403 that names the scope."""
    challenge = f'Bearer realm="amends", error="insufficient_scope", scope="{scope}"'
    return ProblemError(
        "missing_scope", f"this needs the scope {scope}", headers={"WWW-Authenticate": challenge}, scope=scope
    )


class KeyCheck:
    """Checks keys, remembering the good ones for a second so that not every request asks the database."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Credential]] = OrderedDict()
        self._threads = CapacityLimiter(CHECKED_AT_ONCE)

    async def check(self, bearer: str) -> Credential | None:
        """The credential of this key, or None."""
        # Kept under a digest, so that no list of living keys lies in memory.
        digest = hashlib.sha256(bearer.encode()).digest()
        # The time before the look-up: what it missed is no older than we say, however slow the database is.
        known, begun = self._known.get(digest), self._clock()
        if known is not None and known[0] > begun:
            return known[1]
        self._known.pop(digest, None)
        found: Credential | None = await to_thread.run_sync(self._keys.check, bearer, limiter=self._threads)
        if found is not None:
            self._remember(digest, found, begun + REMEMBERED_SECONDS)
        return found

    def _remember(self, digest: bytes, found: Credential, until: float) -> None:
        self._known[digest] = (until, found)
        while len(self._known) > REMEMBERED_KEYS:
            self._known.popitem(last=False)


_bearer: Final = HTTPBearer(
    scheme_name="key", bearerFormat="amk_...", description="An API key of one ledger.", auto_error=False
)


async def identified(request: Request, *scopes: str) -> Credential:
    """The checked key of this request, which has every one of these scopes. Raises the 401 and 403 problems."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer:
        raise _unauthorised("send a key: Authorization: Bearer amk_...", 'Bearer realm="amends"')
    check: Callable[[str], Awaitable[Credential | None]] = request.app.state.keys.check
    caller = await check(bearer.strip())
    # A key of another ledger in the same database is as unknown here as any other.
    if caller is None or caller.ledger != request.app.state.container.settings.ledger:
        raise _unauthorised(
            "this key is unknown, revoked or expired", 'Bearer realm="amends", error="invalid_token"'
        )
    request.scope["amends.caller"] = caller
    for scope in scopes:
        require(caller, scope)
    return caller


async def caller_of(
    request: Request,
    wanted: SecurityScopes,
    described: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Credential:
    """The checked key of this request, which has every scope the route asks for."""
    return await identified(request, *wanted.scopes)


def _unauthorised(detail: str, challenge: str) -> ProblemError:
    return ProblemError("unauthorised", detail, headers={"WWW-Authenticate": challenge})


Appending = Annotated[Credential, Security(caller_of, scopes=["append"])]
Reading = Annotated[Credential, Security(caller_of, scopes=["read"])]
