"""Keys: what encrypts a customer's words, and what turns ids into pseudonyms."""

import hmac
import re
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, RootTransaction, update

from domain.errors import Broken
from infrastructure.entropy import Entropy
from infrastructure.key_file import KeysBroken, read_secrets
from infrastructure.record import uuid_text
from infrastructure.rows import insert_rows
from infrastructure.stored_keys import StoredKey, read_stored, these_keys
from infrastructure.tables import subject_keys

NONCE: Final = 12
CACHE_SECONDS: Final = 60.0
CACHE_KEYS: Final = 20_000
"""As many as the writer keeps customers; beyond it the oldest goes."""
_UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Keys = Mapping[UUID, "SubjectKey | None"]
"""Keys by kid, for readers: None is a destroyed key, a missing one was not asked for."""


class WrongKey(Broken):
    """A ciphertext does not open: it was changed or moved, or this is not its key."""

    code = "wrong_key"


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The key of one customer or colleague. Destroyed, everything sealed with it is gone."""

    kid: UUID
    dek: bytes = field(repr=False)
    kc: bytes = field(init=False)
    """A commitment to the key, which AES-GCM itself does not give."""
    _cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kc", hmac.digest(self.dek, b"amends/kc/v1", "sha256"))
        object.__setattr__(self, "_cipher", AESGCM(self.dek))

    def seal(self, section: bytes, aad: bytes, nonce: bytes) -> bytes:
        """The section as it is stored: nonce, ciphertext, tag. A nonce must never come twice."""
        return nonce + self._cipher.encrypt(nonce, section, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """What was sealed. Raises WrongKey when it was changed, moved, or sealed with another key."""
        return _decrypted(self._cipher, sealed, aad)


def _decrypted(cipher: AESGCM, sealed: bytes, aad: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], aad)
    except (InvalidTag, ValueError):  # a ValueError: too short to be a ciphertext at all
        raise WrongKey("a ciphertext does not open with its key") from None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A new subject key that is not stored yet: the key, and its row."""

    key: SubjectKey
    row: dict[str, Any] = field(repr=False)


class Keyring:
    """Everything that needs a secret. One per process; safe between threads."""

    def __init__(
        self,
        secret_file: Path,
        entropy: Entropy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.entropy = entropy or Entropy()
        self._clock = clock
        self._secrets = read_secrets(secret_file)
        self._kek = AESGCM(self._secrets.kek)
        self._sealing = AESGCM(hmac.digest(self._secrets.kek, b"amends/secrets/v1", "sha256"))
        self._lookup = hmac.digest(self._secrets.index, b"amends/lookup/v1", "sha256")
        self._fingerprint = hmac.digest(self._secrets.index, b"amends/fingerprint/v1", "sha256")
        self._by_kid: _Cache = OrderedDict()
        self._by_subject: _Cache = OrderedDict()
        self._made: WeakKeyDictionary[RootTransaction, set[UUID]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"Keyring(kek_id={self._secrets.kek_id!r})"

    # One-way values.

    def check_value(self) -> bytes:
        """What the database keeps to tell whether a key file is the one it was made with. Reveals no key."""
        inner = hmac.digest(self._secrets.kek, b"amends/check/v1", "sha256")
        return hmac.digest(self._secrets.index, b"amends/check/v1" + inner, "sha256")

    def pseudonym(self, kind: str, value: str) -> UUID:
        """The UUIDv8 that always stands for this id of the caller's world. The text of a UUID stays itself."""
        if _UUID_TEXT.fullmatch(value):
            return UUID(value)
        said = b"\x00".join((b"pseudonym", kind.encode(), normal(kind, value).encode()))
        digest = bytearray(hmac.digest(self._secrets.index, said, "sha256")[:16])
        digest[6] = digest[6] & 0x0F | 0x80  # version 8: custom
        digest[8] = digest[8] & 0x3F | 0x80  # variant of RFC 9562
        return UUID(bytes=bytes(digest))

    def blind_index(self, kind: str, value: str) -> bytes:
        """Under which a reference is looked up: equal for equal references, and tells nothing of them."""
        return hmac.digest(self._lookup, kind.encode() + b"\x00" + normal(kind, value).encode(), "sha256")

    def fingerprint(self, received: bytes) -> bytes:
        """By which the same command is known again, without keeping what it said."""
        return hmac.digest(self._fingerprint, received, "sha256")

    # Secrets of the house that are needed again.

    def seal_secret(self, ledger: str, owner: UUID, secret: bytes) -> bytes:
        """The secret as it may be stored: it opens with this key file, in this ledger and for this owner alone."""
        nonce = self.entropy.source(NONCE)
        return nonce + self._sealing.encrypt(nonce, secret, _wrap_aad(ledger, owner, owner))

    def open_secret(self, ledger: str, owner: UUID, sealed: bytes) -> bytes:
        """What was sealed. Raises WrongKey when it was changed or moved."""
        return _decrypted(self._sealing, sealed, _wrap_aad(ledger, owner, owner))

    # Keys of subjects.

    def subject_key(self, conn: Connection, ledger: str, subject: UUID) -> SubjectKey | None:
        """The subject's key; None when there is none, or it was destroyed."""
        cached = self._fresh(self._by_subject, (ledger, subject))
        if cached is not None:
            return cached
        row = next(iter(read_stored(conn, ledger, subject_keys.c.subject, [subject])), None)
        return None if row is None else self._unwrapped(conn, row)

    def keys_of(self, conn: Connection, ledger: str, subjects: Iterable[UUID]) -> dict[UUID, SubjectKey]:
        """The keys of these subjects, in one query at most; of those that have one."""
        found, cold = {}, []
        for subject in subjects:
            key = self._fresh(self._by_subject, (ledger, subject))
            if key is None:
                cold.append(subject)
            else:
                found[subject] = key
        if cold:
            rows = read_stored(conn, ledger, subject_keys.c.subject, cold)
            found.update({row.subject: self._unwrapped(conn, row) for row in rows})
        return found

    def subject_keys(self, conn: Connection, ledger: str, kids: Iterable[UUID]) -> Keys:
        """The keys of these kids, in one query; None for each that was destroyed."""
        found: dict[UUID, SubjectKey | None] = {kid: self._fresh(self._by_kid, (ledger, kid)) for kid in kids}
        missing = [kid for kid, key in found.items() if key is None]
        if missing:
            rows = read_stored(conn, ledger, subject_keys.c.kid, missing)
            found.update({row.kid: self._unwrapped(conn, row) for row in rows})
        return found

    def draw(self, ledger: str, subject: UUID | None, at: datetime) -> Drawn:
        """A new key for the subject, to be stored before anything sealed with it; without one the key's own id."""
        kid = self.entropy.random_id()
        subject = subject or kid
        random = self.entropy.source(32 + NONCE)
        key, nonce = SubjectKey(kid, random[:32]), random[32:]
        row = {
            "ledger": ledger,
            "kid": kid,
            "subject": subject,
            "kek_id": self._secrets.kek_id,
            "wrapped": nonce + self._kek.encrypt(nonce, key.dek, _wrap_aad(ledger, kid, subject)),
            "kc": key.kc,
            "state": "active",
            "created_at": at,
        }
        return Drawn(key, row)

    def store(self, conn: Connection, drawn: Iterable[Drawn]) -> None:
        """Stores new keys in one statement, in the transaction that stores what they seal."""
        rows = [one.row for one in drawn]
        if not rows:
            return
        insert_rows(conn, subject_keys, rows)
        transaction = conn.get_transaction()
        if isinstance(transaction, RootTransaction):
            self._made.setdefault(transaction, set()).update(row["kid"] for row in rows)

    def make_subject_key(self, conn: Connection, ledger: str, subject: UUID, at: datetime) -> SubjectKey:
        """A new key for the subject, stored."""
        drawn = self.draw(ledger, subject, at)
        self.store(conn, [drawn])
        return drawn.key

    def destroy(self, conn: Connection, ledger: str, kids: Collection[UUID], at: datetime) -> None:
        """Ends these keys for good, and with them the trace of whose they were. What they sealed opens no more."""
        gone = {"wrapped": None, "state": "destroyed", "destroyed_at": at, "subject": subject_keys.c.kid}
        conn.execute(update(subject_keys).where(*these_keys(ledger, kids)).values(gone))
        for kid in kids:
            self._by_kid.pop((ledger, kid), None)
            self._by_subject.pop((ledger, kid), None)

    def part(self, conn: Connection, ledger: str, kid: UUID) -> None:
        """Takes a key from its subject: it still opens what it sealed, and tells nobody whose it was."""
        for row in read_stored(conn, ledger, subject_keys.c.kid, [kid]):
            dek = self._unwrapped(conn, row).dek
            # Not its own id, which says of a key that it seals one section only and may be destroyed with it.
            nobody = self.entropy.random_id()
            nobodys = {"subject": nobody, "wrapped": self._wrapped(dek, ledger, kid, nobody)}
            conn.execute(update(subject_keys).where(*these_keys(ledger, [kid])).values(nobodys))
            self._by_subject.pop((ledger, row.subject), None)

    def _wrapped(self, dek: bytes, ledger: str, kid: UUID, subject: UUID) -> bytes:
        nonce = self.entropy.source(NONCE)
        return nonce + self._kek.encrypt(nonce, dek, _wrap_aad(ledger, kid, subject))

    def forget(self) -> None:
        """Drops every key held in memory: after an erasure, or a commit whose outcome is unknown."""
        self._by_kid.clear()
        self._by_subject.clear()

    def _unwrapped(self, conn: Connection, row: StoredKey) -> SubjectKey:
        if row.kek_id != self._secrets.kek_id:
            raise KeysBroken(f"subject key {row.kid} is wrapped with the key {row.kek_id}, which is not here")
        dek = _decrypted(self._kek, row.wrapped, _wrap_aad(row.ledger, row.kid, row.subject))
        key = SubjectKey(row.kid, dek)
        if not hmac.compare_digest(key.kc, row.kc):
            raise WrongKey(f"subject key {row.kid} is not the one it was committed to")
        self._remember(conn, row, key)
        return key

    def _remember(self, conn: Connection, row: StoredKey, key: SubjectKey) -> None:
        # A key made in this very transaction may yet be rolled back; held beyond it, it would seal words
        # that nobody can ever open.
        transaction = conn.get_transaction()
        if isinstance(transaction, RootTransaction) and key.kid in self._made.get(transaction, ()):
            return
        entry = (self._clock() + CACHE_SECONDS, key)
        self._by_kid[row.ledger, row.kid] = self._by_subject[row.ledger, row.subject] = entry
        for cache in (self._by_kid, self._by_subject):
            if len(cache) > CACHE_KEYS:
                cache.popitem(last=False)

    def _fresh(self, cache: "_Cache", name: tuple[str, UUID]) -> SubjectKey | None:
        until, key = cache.get(name, (0.0, None))
        if key is not None and self._clock() >= until:
            cache.pop(name, None)
            return None
        return key


_Cache = OrderedDict[tuple[str, UUID], tuple[float, SubjectKey]]
"""Until when a key is known, by (ledger, name), the oldest first."""


def _wrap_aad(ledger: str, kid: UUID, subject: UUID) -> bytes:
    return b"%b|%b|%b" % (ledger.encode(), uuid_text(kid), uuid_text(subject))


def normal(kind: str, value: str) -> str:
    """The value as people mean it: e-mail addresses without regard to case, the rest without outer blanks."""
    if kind != "email":
        return unicodedata.normalize("NFC", value).strip()
    # Twice, and taken apart first: folding one letter can yield others that fold again (Unicode, D146), as
    # with a Greek iota under or beneath two accents.
    text = unicodedata.normalize("NFD", value)
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return text.strip()
