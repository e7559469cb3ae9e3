"""Who is calling: a bearer key, the one ledger it belongs to, and what it may do there."""

import hashlib
import time
from asyncio import Task, create_task, shield
from collections import OrderedDict
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, Protocol

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.problems import ProblemError

SCOPES: Final[dict[str, str]] = {
    "append": "post events, customers and commands",
    "read": "read customers, recoveries, the feed and the events",
    "personal": "see personal parts decrypted",
    "personnel": "see what is about a colleague, reports of poor treatment that name one too",
    "audit": "read the log, replay, compare projections",
    "import": "tell old facts by the import rules",
    "act_for": "name the colleague who acted",
    "admin": "keys, erasure and other affairs of the house",
}
"""Every scope a key may have, and what it allows."""

ANY_SOURCE: Final = "*"
REMEMBERED_SECONDS: Final = 1.0
"""How long after it was asked about a checked key is trusted; it adds to the time in which a revoked key stops."""
AHEAD_SECONDS: Final = 0.25
"""A key in use is asked about anew this long before its time is up, so that nobody waits for the answer."""
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
    return source in caller.sources or ANY_SOURCE in caller.sources or source == own_source(caller)


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
        self._looks: dict[bytes, _Look] = {}
        self._threads = CapacityLimiter(CHECKED_AT_ONCE)

    def remembered(self, bearer: str) -> Credential | None:
        """The credential of this key, if that is known without asking anybody."""
        digest, now = _digest(bearer), self._clock()
        until, found = self._known.get(digest, _NEVER)
        if until <= now:
            return None
        if until - now < AHEAD_SECONDS and self._looks.get(digest) is None:
            self._begin(bearer, digest, now)
        return found

    async def check(self, bearer: str) -> Credential | None:
        """The credential of this key, or None."""
        known = self.remembered(bearer)
        if known is not None:
            return known
        digest, now = _digest(bearer), self._clock()
        look = self._looks.get(digest)
        # All who come with one key while it is looked up share that look, as long as its answer will be trusted.
        if look is None or look.until <= now:
            look = self._begin(bearer, digest, now)
        # Whoever hangs up takes the answer from nobody else.
        return await shield(look.found)

    @property
    def looks(self) -> int:
        """How many look-ups are under way."""
        return len(self._looks)

    def _begin(self, bearer: str, digest: bytes, now: float) -> "_Look":
        # From before the look-up: what it missed is no older than we say, however slow the database is.
        until = now + REMEMBERED_SECONDS
        # It is nobody's own: it carries neither the trace nor the deadline of the one who set it off.
        look = _Look(until, create_task(self._look_up(bearer, digest, until), context=Context()))
        self._looks[digest] = look
        look.found.add_done_callback(partial(self._ended, digest))
        return look

    async def _look_up(self, bearer: str, digest: bytes, until: float) -> Credential | None:
        found: Credential | None = await to_thread.run_sync(self._keys.check, bearer, limiter=self._threads)
        if found is None:
            self._known.pop(digest, None)
        else:
            self._remember(digest, found, until)
        return found

    def _ended(self, digest: bytes, found: "Task[Credential | None]") -> None:
        look = self._looks.get(digest)
        if look is not None and look.found is found:
            del self._looks[digest]
        if not found.cancelled():
            # Those who waited are told of a fault; of one that came ahead of time, those who ask when it is time.
            found.exception()

    def _remember(self, digest: bytes, found: Credential, until: float) -> None:
        self._known[digest] = (until, found)
        self._known.move_to_end(digest)
        while len(self._known) > REMEMBERED_KEYS:
            self._known.popitem(last=False)


def _digest(bearer: str) -> bytes:
    # Kept under a digest, so that no list of living keys lies in memory.
    return hashlib.sha256(bearer.encode()).digest()


class _Look(NamedTuple):
    """A look-up under way, and until when its answer will be trusted."""

    until: float
    found: "Task[Credential | None]"


_NEVER: Final = (float("-inf"), None)
_bearer: Final = HTTPBearer(
    scheme_name="key", bearerFormat="amk_...", description="An API key of one ledger.", auto_error=False
)


async def identified(request: Request, *scopes: str) -> Credential:
    """The checked key of this request, which has every one of these scopes. Raises the 401 and 403 problems."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer:
        raise _unauthorised("send a key: Authorization: Bearer amk_...", 'Bearer realm="amends"')
    state = request.app.state
    keys: KeyCheck = state.keys
    bearer = bearer.strip()
    caller = keys.remembered(bearer) or await keys.check(bearer)
    # A key of another ledger in the same database is as unknown here as any other.
    if caller is None or caller.ledger != state.container.settings.ledger:
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
Administering = Annotated[Credential, Security(caller_of, scopes=["admin"])]
