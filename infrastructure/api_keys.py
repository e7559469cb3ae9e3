"""API keys: who may call, in which ledger and with which scopes. A key is shown once and never stored."""

import hashlib
import hmac
import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import InvalidValue, Unavailable
from infrastructure.engine import out_of_reach
from infrastructure.tables import api_keys

SCOPES: Final = frozenset({"append", "read", "personal", "audit", "import", "personnel", "act_for", "admin"})
"""What a key may be allowed. Source: api.md, row auth."""
CACHE_SECONDS: Final = 4.0
"""How old what is known of the keys may be; a second more, and a revoked one stops working everywhere."""
# A key made by another process a moment ago is looked for this soon; a flood of unknown keys costs no more.
_RETRY_SECONDS: Final = 0.05
# While the database is gone nobody waits for it in turn behind everybody else: one look a second is enough.
_GONE_SECONDS: Final = 1.0
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LETTERS: Final = 12
_SECRET_LETTERS: Final = 43  # 256 bits
_CHECKSUM_LETTERS: Final = 6
_BEARER: Final = re.compile(
    rf"(amk_[a-z0-9]{{1,16}}_([0-9A-Za-z]{{{_ID_LETTERS}}})_[0-9A-Za-z]{{{_SECRET_LETTERS}}})"
    rf"([0-9A-Za-z]{{{_CHECKSUM_LETTERS}}})"
)
# Compared against when there is no such key, so that an unknown id takes as long as a wrong secret.
_NOBODY: Final = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Credential:
    """Who is calling: what a good key stands for."""

    ledger: str
    key_id: str
    name: str
    scopes: frozenset[str]
    sources: tuple[str, ...]
    """The CloudEvents sources it owns; the first is the default. It may own none."""

    @property
    def actor_ref(self) -> str:
        """How headers name it."""
        return f"k:{self.key_id}"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be told of a key: everything but its secret."""

    credential: Credential
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Known:
    info: KeyInfo
    hash: bytes = field(repr=False)

    def good(self, now: datetime) -> bool:
        expired = self.info.expires_at is not None and now >= self.info.expires_at
        return self.info.revoked_at is None and not expired


def _now() -> datetime:
    return datetime.now(UTC)


class ApiKeys:
    """The keys of a database. Checking needs no query but one every few seconds for all keys together."""

    def __init__(
        self,
        engine: Engine,
        environment: str = "live",
        now: Callable[[], datetime] = _now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if re.fullmatch(r"[a-z0-9]{1,16}", environment) is None:
            raise InvalidValue("environment", "1 to 16 of a-z and 0-9")
        self._engine, self._environment, self._now, self._clock = engine, environment, now, clock
        self._lock = threading.Lock()
        self._known: Mapping[str, _Known] = {}
        self._read_at: float | None = None
        self._gone_until: float | None = None

    def create(
        self,
        ledger: str,
        name: str,
        scopes: Iterable[str],
        sources: Iterable[str],
        *,
        expires_at: datetime | None = None,
        conn: Connection | None = None,
    ) -> str:
        """A new key, shown here and never again: `amk_<environment>_<id>_<secret><checksum>`.

        Without `conn` it is stored in a transaction of its own.
        """
        if not name.strip():
            raise InvalidValue("name", "a key is told from others by it, so it needs one")
        key_id, bearer = _drawn(self._environment)
        row = {
            "ledger": ledger,
            "key_id": key_id,
            "name": name,
            "hash": _digest(bearer),
            "scopes": _checked_scopes(scopes),
            "sources": _checked_sources(sources),
            "created_at": self._now(),
            "expires_at": expires_at,
        }
        if conn is not None:
            conn.execute(api_keys.insert().values(row))
        else:
            with self._engine.begin() as own:
                own.execute(api_keys.insert().values(row))
        self._forget()
        return bearer

    def check(self, bearer: str) -> Credential | None:
        """Who shows this key; None when it is malformed, unknown, revoked or expired.

        Raises Unavailable when the database cannot be asked. The work is the same for an unknown id and for a
        wrong secret: one digest, one comparison.
        """
        parts = _BEARER.fullmatch(bearer)
        if parts is None:
            return None
        body, key_id, checksum = parts.groups()
        if checksum != _checksum(body):
            return None
        known = self._find(key_id)
        genuine = hmac.compare_digest(_digest(bearer), known.hash if known else _NOBODY)
        if known is None or not genuine or not known.good(self._now()):
            return None
        return known.info.credential

    def revoke(self, ledger: str, key_id: str) -> bool:
        """Ends a key: here at once, elsewhere within five seconds. False when there was no living one."""
        with self._engine.begin() as conn:
            ended = conn.execute(
                api_keys.update()
                .where(api_keys.c.ledger == ledger, api_keys.c.key_id == key_id)
                .where(api_keys.c.revoked_at.is_(None))
                .values(revoked_at=self._now())
            )
        self._forget()
        return ended.rowcount > 0

    def list(self, ledger: str) -> tuple[KeyInfo, ...]:
        """The keys of a ledger, oldest first, the revoked and expired included."""
        query = select(api_keys).where(api_keys.c.ledger == ledger)
        with self._engine.begin() as conn:
            rows = conn.execute(query.order_by(api_keys.c.created_at, api_keys.c.key_id))
            return tuple(_known(row).info for row in rows)

    def _find(self, key_id: str) -> _Known | None:
        known = self._current(CACHE_SECONDS).get(key_id)
        return known or self._current(_RETRY_SECONDS).get(key_id)

    def _current(self, max_age: float) -> Mapping[str, _Known]:
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= max_age:
                if self._gone_until is not None and now < self._gone_until:
                    raise Unavailable
                self._known = self._read_or_remember()
                # The time before the query: what it missed is no older than we say.
                self._read_at = now
            return self._known

    def _read_or_remember(self) -> Mapping[str, _Known]:
        try:
            known = self._read()
        except SQLAlchemyError as fault:
            if not out_of_reach(fault):
                raise
            self._gone_until = self._clock() + _GONE_SECONDS
            raise Unavailable from fault
        self._gone_until = None
        return known

    def _read(self) -> Mapping[str, _Known]:
        with self._engine.begin() as conn:
            return {row.key_id: _known(row) for row in conn.execute(select(api_keys))}

    def _forget(self) -> None:
        with self._lock:
            self._read_at = None


def _known(row: Row[Any]) -> _Known:
    credential = Credential(row.ledger, row.key_id, row.name, frozenset(row.scopes), tuple(row.sources))
    return _Known(KeyInfo(credential, row.created_at, row.expires_at, row.revoked_at), bytes(row.hash))


def _drawn(environment: str) -> tuple[str, str]:
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LETTERS))
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LETTERS))
    body = f"amk_{environment}_{key_id}_{secret}"
    return key_id, body + _checksum(body)


def _checksum(body: str) -> str:
    """Six letters by which scanners tell a real key from a chance string, and we a mistyped one."""
    rest, letters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LETTERS):
        rest, last = divmod(rest, len(_ALPHABET))
        letters = _ALPHABET[last] + letters
    return letters


def _digest(bearer: str) -> bytes:
    # A plain digest is enough: 256 random bits cannot be tried out, as passwords can.
    return hashlib.sha256(bearer.encode()).digest()


def _checked_scopes(scopes: Iterable[str]) -> list[str]:
    asked = set(scopes)
    unknown = sorted(asked - SCOPES)
    if unknown or not asked:
        wrong = f"unknown: {', '.join(unknown)}" if unknown else "a key needs at least one"
        raise InvalidValue("scopes", f"{wrong}; there are {', '.join(sorted(SCOPES))}")
    return sorted(asked)


def _checked_sources(sources: Iterable[str]) -> list[str]:
    # None at all is fine: every key owns `urn:amends:key:<its id>`.
    asked = list(dict.fromkeys(sources))
    if not all(1 <= len(source) <= 200 and "\x00" not in source for source in asked):
        raise InvalidValue("sources", "a source has 1 to 200 letters")
    return asked
