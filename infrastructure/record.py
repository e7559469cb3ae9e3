"""The record: one event as it stands on disk, and the small header that proves it.

The header is the leaf of the audit log: canonical JSON of digests and ids, never of payloads.
"""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Final, Literal, NamedTuple
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Broken
from infrastructure import canonical

FORMAT: Final = 1
"""The `v` of every header written today."""
MAX_HEADER: Final = 4096
# What is spliced in under the head's lock: a position of at most 16 digits, 27 letters of time in quotation marks.
_SPLICED: Final = 16 + len('""') + 27


class HeaderTooLong(Broken):
    """A header would pass 4 KiB: ids and digests never do, so something else got in."""

    code = "header_too_long"

    def __init__(self, length: int) -> None:
        super().__init__(f"a header of {length} bytes is longer than {MAX_HEADER}")
        self.length = length


class Record(NamedTuple):
    """One row of `events`, its 13 columns in their order."""

    ledger: str
    position: int
    stream_id: UUID
    version: int
    event_id: UUID
    topic: str
    occurred_at: datetime
    recorded_at: datetime
    header: bytes
    public: bytes
    salt: bytes
    personal: bytes | None
    personal_2: bytes | None


class Told(NamedTuple):
    """What deciding needs of a record: no salt, no personal parts, nothing that the header says again."""

    stream_id: UUID
    version: int
    position: int
    event_id: UUID
    topic: str
    occurred_at: datetime
    recorded_at: datetime
    header: bytes
    public: bytes


class Draft(NamedTuple):
    """An event ready to be recorded: all but its position and the time it is recorded.

    The header stands in three parts, cut where the position and that time belong.
    """

    ledger: str
    stream_id: UUID
    version: int
    event_id: UUID
    topic: str
    occurred_at: datetime
    until_position: bytes
    until_recorded: bytes
    rest: bytes
    public: bytes
    salt: bytes
    personal: bytes | None
    personal_2: bytes | None

    def complete(self, position: int, recorded_at: datetime) -> Record:
        """The record at this position. Done while the head of the ledger is locked, so it is quick."""
        ledger, stream_id, version, event_id, topic, occurred_at, begun, middle, rest, *parts = self
        header = b"".join((begun, b"%d" % position, middle, _moment(recorded_at), rest))
        return Record._make(
            (ledger, position, stream_id, version, event_id, topic, occurred_at, recorded_at, header, *parts)
        )


class Commitment(NamedTuple):
    """The digest that binds a part kept elsewhere, and that part's length in bytes."""

    c: str
    n: int


class SectionCommitment(NamedTuple):
    """The digest of an encrypted section, and a commitment to the key that opens it."""

    kid: UUID
    kc: str
    c: str
    n: int


def stamp(at: datetime) -> str:
    """The instant as it stands in headers: UTC, six digits of a second, as in 2026-11-21T23:26:38.123456Z."""
    return _moment(at)[1:-1].decode()


@lru_cache(maxsize=64)
def _moment(at: datetime) -> bytes:
    """The stamp in quotation marks. One page of events is recorded, and mostly happened, at one moment."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    # orjson is four times quicker than isoformat, but leaves the fraction out where it is zero.
    text = orjson.dumps(at, option=orjson.OPT_UTC_Z)
    return text if at.microsecond else text[:-2] + b'.000000Z"'


@lru_cache(maxsize=4096)
def _quoted(name: str) -> bytes:
    """A ledger, a type or an actor as JSON writes it."""
    return orjson.dumps(name)


def uuid_text(one: UUID) -> bytes:
    """The usual text of a UUID, in bytes; several times quicker than str()."""
    return orjson.dumps(one)[1:-1]


def leaf_hash(header: bytes) -> bytes:
    """The RFC 6962 hash of the header as a leaf of the log: SHA-256(0x00 || header)."""
    return hashlib.sha256(b"\x00" + header).digest()


def public_commitment(salt: bytes, public: bytes) -> Commitment:
    """What the header says of the public part: SHA-256(0x01 || salt || public).

    The salt hides a part so small that all its values could be tried.
    """
    return Commitment(hashlib.sha256(b"\x01" + salt + public).hexdigest(), len(public))


def section_digest(sealed: bytes) -> str:
    """What the header says of an encrypted section: SHA-256(0x02 || nonce || ciphertext || tag), in hex."""
    return hashlib.sha256(b"\x02" + sealed).hexdigest()


def section_aad(ledger: str, stream_id: UUID, version: int, kid: UUID) -> bytes:
    """The associated data of a section, `v|ledger|stream|ver|kid`: moved to another event, it does not open."""
    return b"%d|%b|%b|%d|%b" % (FORMAT, ledger.encode(), uuid_text(stream_id), version, uuid_text(kid))


def header_parts(
    *,
    ledger: str,
    stream_id: UUID,
    version: int,
    event_id: UUID,
    kind: str,
    occurred_at: datetime,
    actor: str,
    public: Commitment,
    sections: tuple[SectionCommitment | None, ...],
    correlation_id: UUID | None = None,
    causation_id: UUID | None = None,
) -> tuple[bytes, bytes, bytes]:
    """The header cut in three where its position and its recording time belong.

    `kind` is the type, as in amends.apology.made.v1. Raises HeaderTooLong.
    """
    # Put together by hand, in the order of the names: a third of what sorting them anew takes for every event.
    begun = b'{"actor":' + _quoted(actor)
    if causation_id is not None:
        begun += b',"cause":' + orjson.dumps(causation_id)
    if correlation_id is not None:
        begun += b',"corr":' + orjson.dumps(correlation_id)
    begun = b'%b,"id":%b,"ledger":%b,"pos":' % (begun, orjson.dumps(event_id), _quoted(ledger))
    middle = b',"pub":{"c":"%b","n":%d},"rec":' % (public.c.encode(), public.n)
    rest = b',"sec":[%b],"stream":%b,"time":%b,"type":%b,"v":%d,"ver":%d}' % (
        b",".join(map(_section, sections)),
        orjson.dumps(stream_id),
        _moment(occurred_at),
        _quoted(kind),
        FORMAT,
        version,
    )
    length = len(begun) + len(middle) + len(rest) + _SPLICED
    if length > MAX_HEADER:
        raise HeaderTooLong(length)
    return begun, middle, rest


def _section(one: SectionCommitment | None) -> bytes:
    if one is None:
        return b"null"
    return b'{"c":"%b","kc":"%b","kid":%b,"n":%d}' % (
        one.c.encode(),
        one.kc.encode(),
        orjson.dumps(one.kid),
        one.n,
    )


_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
_Stamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]
_Natural = Annotated[int, Field(ge=1, le=2**53 - 1)]
ACTOR: Final = r"^(?:u:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[ks]:[A-Za-z0-9._:-]{1,64})$"
"""Who, as headers name them: `k:<key id>`, `u:<uuid>` or `s:<service>`."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PublicPart(_Closed):
    """What a header says of the public part."""

    c: _Hex
    n: Annotated[int, Field(ge=0)]


class SectionPart(_Closed):
    """What a header says of one encrypted section."""

    kid: _Id
    kc: _Hex
    c: _Hex
    # A nonce and a tag are 28 bytes, so that nothing shorter can be a section.
    n: Annotated[int, Field(ge=28)]


class Header(_Closed):
    """A header taken apart: the closed schema of format 1. Unknown or missing members make it invalid."""

    v: Literal[1]
    ledger: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    pos: _Natural
    stream: _Id
    ver: _Natural
    id: _Id
    type: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,128}$")]
    time: _Stamp
    rec: _Stamp
    actor: Annotated[str, Field(pattern=ACTOR)]
    cause: _Id | None = None
    corr: _Id | None = None
    pub: PublicPart
    sec: Annotated[list[SectionPart | None], Field(max_length=2)]


def read_header(header: bytes) -> Header:
    """The members of a header, for those who must not trust it.

    Raises NotCanonical when it is not canonical JSON, too long, or not of the closed schema.
    """
    if len(header) > MAX_HEADER:
        raise canonical.NotCanonical(f"a header of {len(header)} bytes is longer than {MAX_HEADER}")
    members = canonical.loads(header)
    try:
        read = Header.model_validate(members)
    except ValueError as error:
        raise canonical.NotCanonical(f"not a header of format {FORMAT}: {error}") from None
    # Absent is absent: null would be a second way to write the same. Only the customer's section may be null,
    # and only to keep the place of the colleague's.
    nulls = None in (members.get("cause", 0), members.get("corr", 0))
    if nulls or (read.sec and read.sec[-1] is None) or read.sec.count(None) > 1:
        raise canonical.NotCanonical("a header member is null")
    return read
