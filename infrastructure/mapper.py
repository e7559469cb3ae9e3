"""The mapper: turns an event into what is stored, and what is stored into the event it was.

Personal fields go into sections encrypted under their subject's key; everything else stays readable for ever.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection

from domain.dignity import NAME
from domain.errors import NewerProgramNeeded
from domain.kinds import EVENTS, Actor, Event, Fact
from domain.values import ERASED, WITHHELD, Absent
from infrastructure import canonical
from infrastructure.codecs import Codec, Unmappable, codec_of, payload_of, says, taken, withheld
from infrastructure.entropy import Entropy
from infrastructure.facts import META, SealedPart, StoredFact, fact_of, foreign, is_ours, uuid_of
from infrastructure.keys import NONCE, Keyring, Keys, SubjectKey, WrongKey
from infrastructure.record import (
    ACTOR,
    Draft,
    Record,
    SectionCommitment,
    Told,
    header_parts,
    public_commitment,
    section_aad,
    section_digest,
)

SALT: Final = 16


@lru_cache(maxsize=4096)
def _checked_ref(ref: str) -> str:
    if re.fullmatch(ACTOR, ref) is None:
        raise Unmappable("an actor is k:<key id>, u:<uuid> or s:<service>")
    return ref


class Mapper:
    """Events to drafts and records to facts, for one ledger."""

    def __init__(self, ledger: str, keyring: Keyring, entropy: Entropy | None = None) -> None:
        if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", ledger) is None:
            raise Unmappable("a ledger's name is made of a-z, 0-9, dot, dash and underscore")
        self.ledger = ledger
        self._keyring = keyring
        self._entropy = entropy or keyring.entropy

    # Writing.

    def draft(
        self,
        event: Event,
        *,
        stream_id: UUID,
        version: int,
        event_id: UUID,
        occurred_at: datetime,
        actor: Actor,
        source: str,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        traceparent: str | None = None,
        time_known: bool = True,
        customer_key: SubjectKey | None = None,
        colleague_key: SubjectKey | None = None,
    ) -> Draft:
        """The event ready to be recorded. A key is needed only where `needs` says so.

        Raises Unmappable when a key is missing, or when the event itself was read without its personal part.
        """
        if version < 1:
            raise Unmappable("versions begin at 1")
        codec = codec_of(type(event))
        payload = payload_of(codec, event)
        personal, personal_2 = taken(codec, codec.personal, payload), taken(codec, codec.colleague, payload)
        payload[META] = _meta(actor, source, traceparent, time_known)
        public = canonical.dumps(payload)
        random = self._entropy.source(SALT + NONCE + NONCE)
        salt = random[:SALT]
        first = self._sealed(personal, customer_key, stream_id, version, random[SALT : SALT + NONCE])
        second = self._sealed(personal_2, colleague_key, stream_id, version, random[SALT + NONCE :])
        parts = header_parts(
            ledger=self.ledger,
            stream_id=stream_id,
            version=version,
            event_id=event_id,
            kind=codec.kind,
            occurred_at=occurred_at,
            actor=_checked_ref(actor.ref),
            public=public_commitment(salt, public),
            sections=_commitments(first, second),
            correlation_id=correlation_id,
            causation_id=causation_id,
        )
        return Draft(
            self.ledger,
            stream_id,
            version,
            event_id,
            codec.topic,
            occurred_at,
            *parts,
            public,
            salt,
            first[0] if first else None,
            second[0] if second else None,
        )

    def needs(self, event: Event) -> tuple[bool, bool]:
        """Whether the event holds personal data of the customer, and whether of a colleague."""
        codec = codec_of(type(event))
        return says(codec, codec.personal, event), says(codec, codec.colleague, event)

    def _sealed(
        self,
        section: dict[str, Any],
        key: SubjectKey | None,
        stream_id: UUID,
        version: int,
        nonce: bytes,
    ) -> tuple[bytes, SectionCommitment] | None:
        if not section:
            return None
        if key is None:
            raise Unmappable("personal data needs its subject's key")
        sealed = key.seal(canonical.dumps(section), section_aad(self.ledger, stream_id, version, key.kid), nonce)
        return sealed, SectionCommitment(key.kid, key.kc.hex(), section_digest(sealed), len(sealed))

    # Reading.

    def fact(self, record: Record, keys: Keys | None = None) -> Fact:
        """The event with its envelope. Personal fields show only what `keys` open.

        They hold WITHHELD where no key was given, ERASED where the section or its key is gone.
        """
        header: dict[str, Any] = orjson.loads(record.header) if record.header else {}
        cls = EVENTS.get(record.topic)
        if cls is None or header.get("type") != cls.TYPE:
            return foreign(record, header)
        codec = codec_of(cls)
        payload: dict[str, Any] = orjson.loads(record.public)
        meta = payload.pop(META)
        if header["sec"]:
            self._restore(codec, record, header["sec"], keys or {}, payload)
        return fact_of(record, header, meta, codec.load(payload))

    def known(self, record: Record | Told) -> Fact:
        """The event with its envelope, for whoever decides by it. What others stored counts for nothing.

        Personal fields hold WITHHELD: no decision depends on them. The envelope is read where it is asked for.

        Raises NewerProgramNeeded when a newer Amends wrote it: what it changed is not known here.
        """
        cls = EVENTS.get(record.topic)
        codec = None if cls is None else codec_of(cls)
        # From the right: what is looked for stands near the end of a header.
        if codec is None or record.header.rfind(codec.said) < 0:
            header: dict[str, Any] = orjson.loads(record.header) if record.header else {}
            if is_ours(header):
                raise NewerProgramNeeded
            return foreign(record, header)
        hidden = withheld(codec, record.header)
        if codec.needed:
            return StoredFact.of(record, codec.load(orjson.loads(record.public) | hidden))
        # Read from the bytes at once, which takes two thirds of the time: what is not there may be put in later.
        event = codec.read(record.public)
        if hidden:
            event.__dict__.update(hidden)
            event.__pydantic_fields_set__.update(hidden)
        return StoredFact.of(record, event)

    def facts(self, records: Sequence[Record], conn: Connection | None = None) -> list[Fact]:
        """The facts of these records; with a connection also their personal parts, in one query for all keys."""
        keys = None if conn is None else self.keys_for(conn, records)
        return [self.fact(record, keys) for record in records]

    def names(self, parts: Sequence[SealedPart], conn: Connection) -> dict[int, UUID | None]:
        """Whom the events at these positions name, in one query for all keys; nothing else of them is read.

        None of those that name nobody, or nobody any more.
        """
        sealed = [(one, orjson.loads(one.header)["sec"][1]) for one in parts if one.personal_2 is not None]
        keys = self._keyring.subject_keys(conn, self.ledger, {uuid_of(said["kid"]) for _, said in sealed})
        found: dict[int, UUID | None] = dict.fromkeys(one.position for one in parts)
        for one, said in sealed:
            opened = self._opened(one, said, one.personal_2, keys)
            name = None if isinstance(opened, Absent) else opened.get(NAME)
            found[one.position] = None if name is None else uuid_of(name)
        return found

    def keys_for(self, conn: Connection, records: Iterable[Record]) -> Keys:
        """The keys that open the personal parts of these records."""
        return self._keyring.subject_keys(conn, self.ledger, {kid for record in records for kid in _kids(record)})

    def _restore(
        self,
        codec: Codec,
        record: Record,
        sections: list[dict[str, Any] | None],
        keys: Keys,
        payload: dict[str, Any],
    ) -> None:
        """Puts each section's fields, or what stands for them, back among the others."""
        stored = ((codec.personal, record.personal), (codec.colleague, record.personal_2))
        for (names, sealed), said in zip(stored, sections, strict=False):
            if said is not None:
                opened = self._opened(record, said, sealed, keys)
                payload.update(codec.hidden[names, opened] if isinstance(opened, Absent) else opened)

    def _opened(
        self, record: Record | SealedPart, said: dict[str, Any], sealed: bytes | None, keys: Keys
    ) -> dict[str, Any] | Absent:
        if sealed is None:
            return ERASED
        if not keys:
            return WITHHELD
        kid = uuid_of(said["kid"])
        if kid not in keys:
            return WITHHELD
        key = keys[kid]
        if key is None:
            return ERASED
        if key.kc.hex() != said["kc"]:
            raise WrongKey(f"key {kid} is not the one that position {record.position} was sealed with")
        plain = key.open(sealed, section_aad(self.ledger, record.stream_id, record.version, kid))
        opened: dict[str, Any] = orjson.loads(plain)
        return opened


def _meta(actor: Actor, source: str, traceparent: str | None, time_known: bool) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "source": source,
        "kind": actor.kind,
        "role": actor.role,
        "role_class": actor.role_class,
    }
    if traceparent is not None:
        meta["traceparent"] = traceparent
    if not time_known:
        meta["time_known"] = False
    return meta


def _commitments(
    first: tuple[bytes, SectionCommitment] | None, second: tuple[bytes, SectionCommitment] | None
) -> tuple[SectionCommitment | None, ...]:
    # The place tells whose a section is, so the colleague's keeps the second even where it stands alone.
    if second is not None:
        return (first[1] if first else None, second[1])
    return (first[1],) if first else ()


def _kids(record: Record) -> list[UUID]:
    if record.personal is None and record.personal_2 is None:
        return []
    sections = orjson.loads(record.header)["sec"] if record.header else []
    return [uuid_of(section["kid"]) for section in sections if section is not None]
