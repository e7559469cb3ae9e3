"""Keys: what encrypts a customer's words, what turns ids into pseudonyms, and the file that holds the secrets."""

import hmac
import json
import os
import re
import stat
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, ColumnElement, Connection, RootTransaction, update
from uuid_utils.compat import uuid7

from domain.errors import Broken
from infrastructure.probes import probe
from infrastructure.record import uuid_text
from infrastructure.rows import insert_rows
from infrastructure.tables import subject_keys

FILE_FORMAT: Final = "amends-keys/1"
NONCE: Final = 12
CACHE_SECONDS: Final = 60.0
CACHE_KEYS: Final = 20_000
"""As many as the writer keeps customers; beyond it the oldest goes."""
_UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Keys = Mapping[UUID, "SubjectKey | None"]
"""Keys by kid, for readers: None is a destroyed key, a missing one was not asked for."""


class KeysBroken(Broken):
    """The secrets cannot be used as they are; nothing may start until somebody has looked."""

    code = "keys_broken"


class WrongKey(Broken):
    """A ciphertext does not open: it was changed or moved, or this is not its key."""

    code = "wrong_key"


@dataclass(frozen=True, slots=True)
class Entropy:
    """Where randomness and new ids come from; tests give a seeded one."""

    source: Callable[[int], bytes] = os.urandom
    new_id: Callable[[], UUID] = uuid7
    """Ids of events: they sort by time, which tells nothing that the event does not."""
    random_id: Callable[[], UUID] = uuid4
    """Ids of customers and keys: they tell nothing at all."""


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
class Secrets:
    """What the key file holds: the key that wraps subject keys, and the key behind pseudonyms and look-ups."""

    kek_id: str
    kek: bytes = field(repr=False)
    index: bytes = field(repr=False)


def create_secrets(path: Path, entropy: Entropy | None = None) -> None:
    """Writes a new key file that only its owner can read. Raises KeysBroken when there is one, or no place for it.

    Called by `migrate` on an empty database and by nobody else: two machines must never make two keys.
    """
    entropy = entropy or Entropy()
    content = {
        "format": FILE_FORMAT,
        "kek_id": str(entropy.random_id()),
        "kek": entropy.source(32).hex(),
        "index": entropy.source(32).hex(),
    }
    try:
        # O_EXCL: of two who try at once, one fails; the mode is right from the first moment.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeysBroken(f"{path} exists already; a key file is never overwritten") from None
    except OSError as fault:
        raise KeysBroken(f"{path}: {os.strerror(fault.errno or 0)}") from fault
    with os.fdopen(number, "w", encoding="ascii") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Else a crash could keep the database that was migrated next, and lose the name of the file.
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def read_secrets(path: Path) -> Secrets:
    """The secrets of a key file. Raises KeysBroken when it is absent, malformed, or readable by others."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeysBroken(f"cannot read the key file {path}: {type(error).__name__}") from None
    if mode & 0o077:
        raise KeysBroken(f"others can read the key file {path} (mode {mode:04o}); run: chmod 600 {path}")
    try:
        content = json.loads(text)
        secrets = Secrets(content["kek_id"], bytes.fromhex(content["kek"]), bytes.fromhex(content["index"]))
    except (ValueError, KeyError, TypeError):
        # Without the cause: it would quote what it could not read.
        raise KeysBroken(f"{path} is not a key file") from None
    if content.get("format") != FILE_FORMAT or (len(secrets.kek), len(secrets.index)) != (32, 32):
        raise KeysBroken(f"{path} is not a key file of the format {FILE_FORMAT}")
    return secrets


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
        row = next(iter(_rows(conn, ledger, subject_keys.c.subject, [subject])), None)
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
            rows = _rows(conn, ledger, subject_keys.c.subject, cold)
            found.update({row.subject: self._unwrapped(conn, row) for row in rows})
        return found

    def subject_keys(self, conn: Connection, ledger: str, kids: Iterable[UUID]) -> Keys:
        """The keys of these kids, in one query; None for each that was destroyed."""
        found: dict[UUID, SubjectKey | None] = {kid: self._fresh(self._by_kid, (ledger, kid)) for kid in kids}
        missing = [kid for kid, key in found.items() if key is None]
        if missing:
            rows = _rows(conn, ledger, subject_keys.c.kid, missing)
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
        conn.execute(update(subject_keys).where(*_these(ledger, kids)).values(gone))
        for kid in kids:
            self._by_kid.pop((ledger, kid), None)
            self._by_subject.pop((ledger, kid), None)

    def part(self, conn: Connection, ledger: str, kid: UUID) -> None:
        """Takes a key from its subject: it still opens what it sealed, and tells nobody whose it was."""
        for row in _rows(conn, ledger, subject_keys.c.kid, [kid]):
            dek = self._unwrapped(conn, row).dek
            # Not its own id, which says of a key that it seals one section only and may be destroyed with it.
            nobody = self.entropy.random_id()
            nobodys = {"subject": nobody, "wrapped": self._wrapped(dek, ledger, kid, nobody)}
            conn.execute(update(subject_keys).where(*_these(ledger, [kid])).values(nobodys))
            self._by_subject.pop((ledger, row.subject), None)

    def _wrapped(self, dek: bytes, ledger: str, kid: UUID, subject: UUID) -> bytes:
        nonce = self.entropy.source(NONCE)
        return nonce + self._kek.encrypt(nonce, dek, _wrap_aad(ledger, kid, subject))

    def forget(self) -> None:
        """Drops every key held in memory: after an erasure, or a commit whose outcome is unknown."""
        self._by_kid.clear()
        self._by_subject.clear()

    def _unwrapped(self, conn: Connection, row: "_Wrapped") -> SubjectKey:
        if row.kek_id != self._secrets.kek_id:
            raise KeysBroken(f"subject key {row.kid} is wrapped with the key {row.kek_id}, which is not here")
        dek = _decrypted(self._kek, row.wrapped, _wrap_aad(row.ledger, row.kid, row.subject))
        key = SubjectKey(row.kid, dek)
        if not hmac.compare_digest(key.kc, row.kc):
            raise WrongKey(f"subject key {row.kid} is not the one it was committed to")
        self._remember(conn, row, key)
        return key

    def _remember(self, conn: Connection, row: "_Wrapped", key: SubjectKey) -> None:
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


class _Wrapped(NamedTuple):
    """A key as it is stored."""

    ledger: str
    kid: UUID
    subject: UUID
    kek_id: str
    wrapped: bytes
    kc: bytes


_WRAPPED: Final = tuple(subject_keys.c[name] for name in _Wrapped._fields)


def _rows(conn: Connection, ledger: str, by: Column[Any], names: Iterable[UUID]) -> list[_Wrapped]:
    """The keys of these names that were not destroyed."""
    rows = map(_Wrapped._make, probe(conn, _WRAPPED, ledger, (by,), [(name,) for name in names]))
    return [row for row in rows if row.wrapped is not None]


def _these(ledger: str, kids: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    return (subject_keys.c.ledger == ledger, subject_keys.c.kid.in_(kids))


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
