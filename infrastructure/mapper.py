"""The mapper: turns an event into what is stored, and what is stored into the event it was.

Personal fields go into sections encrypted under their subject's key; everything else stays readable for ever.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID

import orjson
from pydantic import ConfigDict, TypeAdapter
from sqlalchemy import Connection

from domain.dignity import NAME
from domain.errors import Broken, NewerProgramNeeded
from domain.kinds import AMENDS, EVENTS, Actor, Event, Fact
from domain.values import ERASED, WITHHELD, Absent
from infrastructure import canonical
from infrastructure.keys import NONCE, Entropy, Keyring, Keys, SubjectKey, WrongKey
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
# Quicker than UUID(text), and as strict.
_uuid: Final[Callable[[str], UUID]] = TypeAdapter(UUID).validator.validate_python
META: Final = "m"
"""The member of the public part that says by whom and through what the event came."""
# Inside a string every quotation mark is escaped, so that this can only be the end of "sec".
_AFTER_SECTIONS: Final = b'],"stream":'
_NO_SECTION: Final = ord("[")
_BY: Final = b'{"actor":"'
_LEFT_OUT: Final = ("actor", "source", "correlation_id", "causation_id", "traceparent", "time_known")


class Unmappable(Broken):
    """An event cannot be stored as it is: a key is missing, or a part of it is not here."""

    code = "unmappable"


FOREIGN: Final = "foreign"
"""The source of what another program recorded, which knows of no sources."""


class ForeignEvent(Event):
    """An event of a kind, or of a version, that this program does not know. Kept as it is."""

    model_config = ConfigDict(frozen=True)

    TOPIC: ClassVar[str] = "foreign"
    TYPE: ClassVar[str] = "foreign"
    PERSONAL: ClassVar[frozenset[str]] = frozenset()
    COLLEAGUE: ClassVar[frozenset[str]] = frozenset()

    topic: str
    state: bytes


class SealedPart(NamedTuple):
    """What an event says about a colleague, as it is stored, and where the event stands."""

    position: int
    stream_id: UUID
    version: int
    header: bytes
    personal_2: bytes | None


class StoredFact(Fact):
    """A fact as the ledger has it: what every fold looks at is here, the rest is read when it is asked for."""

    __slots__ = ("_record",)
    _record: Record | Told

    @classmethod
    def of(cls, record: Record | Told, event: Event) -> "StoredFact":
        """The fact of this record, which holds this event."""
        fact = cls.__new__(cls)  # the parts that are left out are what it saves
        fact.event, fact.stream_id, fact.event_id = event, record.stream_id, record.event_id  # type: ignore[misc]
        fact.version, fact.position = record.version, record.position  # type: ignore[misc]
        fact.occurred_at, fact.recorded_at = record.occurred_at, record.recorded_at  # type: ignore[misc]
        fact._record = record
        return fact

    def __getattr__(self, name: str) -> Any:
        """A part that was left out."""
        if name not in _LEFT_OUT:
            raise AttributeError(name)
        meta = orjson.loads(self._record.public)[META]
        if name == "time_known":
            self.time_known = meta.get("time_known", True)  # type: ignore[misc]
            return self.time_known
        # Read models ask who did it of nearly every fact, and of nothing else: no need to read the whole header.
        if name == "actor" and (ref := _actor_said_first(self._record.header)):
            self.actor = _actor(meta["kind"], ref, meta["role"], meta["role_class"])  # type: ignore[misc]
            return self.actor
        whole = _fact(self._record, orjson.loads(self._record.header), meta, self.event)
        for one in _LEFT_OUT:
            setattr(self, one, getattr(whole, one))
        return getattr(whole, name)


class _Codec:
    """What is known once for all events of a class, so that none of it is asked again for each event."""

    __slots__ = (
        "colleague",
        "dump",
        "empty",
        "hidden",
        "kind",
        "load",
        "needed",
        "personal",
        "read",
        "said",
        "topic",
    )

    def __init__(self, cls: type[Event]) -> None:
        if META in cls.model_fields:
            raise TypeError(f"{cls.__name__}: a field called {META} would hide where the event came from")
        if re.fullmatch(r"[a-z0-9._-]{1,128}", cls.TYPE) is None:
            raise TypeError(f"{cls.TYPE} cannot be the type of an event")
        if any(cls.model_fields[name].alias for name in cls.PERSONAL | cls.COLLEAGUE):
            raise TypeError(f"{cls.__name__}: a personal field with an alias would be stored in the clear")
        self.topic, self.kind = cls.TOPIC, cls.TYPE
        # How a header says it. Inside a string every quotation mark is escaped: this can only be the member.
        self.said = b'"type":"%b"' % cls.TYPE.encode()
        self.load = cls.__pydantic_validator__.validate_python
        self.read = cls.__pydantic_validator__.validate_json
        self.dump = cls.__pydantic_serializer__.to_python
        # In the order of the fields, so that the same event always gives the same sections.
        self.personal = tuple(name for name in cls.model_fields if name in cls.PERSONAL)
        self.colleague = tuple(name for name in cls.model_fields if name in cls.COLLEAGUE)
        self.needed = any(cls.model_fields[name].is_required() for name in self.personal + self.colleague)
        # An empty list says nothing of anybody: no section, and no key, for its sake.
        self.empty = frozenset(
            name for name in self.personal + self.colleague if cls.model_fields[name].default in ((), "")
        )
        self.hidden = {
            (names, absent): dict.fromkeys(names, absent)
            for names in (self.personal, self.colleague)
            for absent in (WITHHELD, ERASED)
        }


@lru_cache(maxsize=1024)
def _codec(cls: type[Event]) -> _Codec:
    return _Codec(cls)


@lru_cache(maxsize=4096)
def _actor(kind: Any, ref: str, role: str, role_class: Any) -> Actor:
    return Actor(kind=kind, ref=ref, role=role, role_class=role_class)


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
        codec = _codec(type(event))
        payload = _payload(codec, event)
        personal, personal_2 = _taken(codec, codec.personal, payload), _taken(codec, codec.colleague, payload)
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
        codec = _codec(type(event))
        return _says(codec, codec.personal, event), _says(codec, codec.colleague, event)

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
            return _foreign(record, header)
        codec = _codec(cls)
        payload: dict[str, Any] = orjson.loads(record.public)
        meta = payload.pop(META)
        if header["sec"]:
            self._restore(codec, record, header["sec"], keys or {}, payload)
        return _fact(record, header, meta, codec.load(payload))

    def known(self, record: Record | Told) -> Fact:
        """The event with its envelope, for whoever decides by it. What others stored counts for nothing.

        Personal fields hold WITHHELD: no decision depends on them. The envelope is read where it is asked for.

        Raises NewerProgramNeeded when a newer Amends wrote it: what it changed is not known here.
        """
        cls = EVENTS.get(record.topic)
        codec = None if cls is None else _codec(cls)
        # From the right: what is looked for stands near the end of a header.
        if codec is None or record.header.rfind(codec.said) < 0:
            header: dict[str, Any] = orjson.loads(record.header) if record.header else {}
            if _is_ours(header):
                raise NewerProgramNeeded
            return _foreign(record, header)
        hidden = _withheld(codec, record.header)
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
        keys = self._keyring.subject_keys(conn, self.ledger, {_uuid(said["kid"]) for _, said in sealed})
        found: dict[int, UUID | None] = dict.fromkeys(one.position for one in parts)
        for one, said in sealed:
            opened = self._opened(one, said, one.personal_2, keys)
            name = None if isinstance(opened, Absent) else opened.get(NAME)
            found[one.position] = None if name is None else _uuid(name)
        return found

    def keys_for(self, conn: Connection, records: Iterable[Record]) -> Keys:
        """The keys that open the personal parts of these records."""
        return self._keyring.subject_keys(conn, self.ledger, {kid for record in records for kid in _kids(record)})

    def _restore(
        self,
        codec: _Codec,
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
        kid = _uuid(said["kid"])
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


def _payload(codec: _Codec, event: Event) -> dict[str, Any]:
    for name in codec.personal + codec.colleague:
        if isinstance(getattr(event, name), Absent):
            raise Unmappable(f"{codec.topic} was read without its {name}; it cannot be written again")
    payload: dict[str, Any] = codec.dump(event, mode="json", exclude_none=True)
    return payload


def _taken(codec: _Codec, names: tuple[str, ...], payload: dict[str, Any]) -> dict[str, Any]:
    """The fields of one section, taken out of the payload."""
    if not names:
        return {}
    taken = {}
    for name in names:
        value = payload.pop(name, None)  # what is None was left out already
        if value is not None and (value or name not in codec.empty):
            taken[name] = value
    return taken


def _says(codec: _Codec, names: tuple[str, ...], event: Event) -> bool:
    for name in names:
        value = getattr(event, name)
        if value is not None and (value or name not in codec.empty):
            return True
    return False


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
    return [_uuid(section["kid"]) for section in sections if section is not None]


def _fact(record: Record | Told, header: dict[str, Any], meta: dict[str, Any], event: Event) -> Fact:
    correlation, causation = header.get("corr"), header.get("cause")
    return Fact(
        event,
        record.stream_id,
        record.version,
        record.position,
        record.event_id,
        record.occurred_at,
        record.recorded_at,
        _actor(meta["kind"], header["actor"], meta["role"], meta["role_class"]),
        meta["source"],
        _uuid(correlation) if correlation else None,
        _uuid(causation) if causation else None,
        meta.get("traceparent"),
        meta.get("time_known", True),
    )


def _actor_said_first(header: bytes) -> str | None:
    """Who, where a whole header of ours begins with it. A reference holds nothing that would be escaped."""
    if not header.startswith(_BY) or not header.endswith(b"}"):
        return None
    return header[len(_BY) : header.index(b'"', len(_BY))].decode()


def _withheld(codec: _Codec, header: bytes) -> dict[str, Absent]:
    """What stands for each section: the header has [], [first], [first,second] or [null,second]."""
    if not (codec.personal or codec.colleague) or header[header.rindex(_AFTER_SECTIONS) - 1] == _NO_SECTION:
        return {}
    if not codec.colleague:
        return codec.hidden[codec.personal, WITHHELD]
    found: dict[str, Absent] = {}
    for names, said in zip((codec.personal, codec.colleague), orjson.loads(header)["sec"], strict=False):
        if said is not None:
            found |= codec.hidden[names, WITHHELD]
    return found


def _is_ours(header: dict[str, Any]) -> bool:
    return str(header.get("type", "")).startswith("amends.")


def _foreign(record: Record | Told, header: dict[str, Any]) -> Fact:
    event = ForeignEvent(topic=record.topic, state=record.public)
    if _is_ours(header):  # written by a newer Amends: the envelope is ours
        return _fact(record, header, orjson.loads(record.public)[META], event)
    envelope = {"actor": AMENDS.ref}
    meta = {"kind": AMENDS.kind, "role": AMENDS.role, "role_class": AMENDS.role_class, "source": FOREIGN}
    return _fact(record, envelope, meta, event)
