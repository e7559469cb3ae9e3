"""The record: headers byte for byte, their splice, and the digests that bind what they leave out."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import hypothesis
import pytest
from hypothesis import strategies as st

from infrastructure import canonical
from infrastructure.record import (
    Commitment,
    Draft,
    HeaderTooLong,
    SectionCommitment,
    header_parts,
    leaf_hash,
    public_commitment,
    read_header,
    section_aad,
    section_digest,
    stamp,
)

STREAM = UUID("11111111-1111-4111-8111-111111111111")
EVENT = UUID("22222222-2222-4222-8222-222222222222")
CAUSE = UUID("33333333-3333-4333-8333-333333333333")
CORR = UUID("44444444-4444-4444-8444-444444444444")
KID = UUID("55555555-5555-4555-8555-555555555555")
OCCURRED = datetime(2026, 11, 21, 23, 26, 38, 123456, UTC)
RECORDED = datetime(2026, 11, 21, 23, 26, 38, 201334, UTC)
SECTION = SectionCommitment(KID, "b" * 64, "c" * 64, 339)

WHOLE = (
    b'{"actor":"k:till7","cause":"33333333-3333-4333-8333-333333333333",'
    b'"corr":"44444444-4444-4444-8444-444444444444","id":"22222222-2222-4222-8222-222222222222",'
    b'"ledger":"main","pos":40281,"pub":{"c":"' + b"a" * 64 + b'","n":214},'
    b'"rec":"2026-11-21T23:26:38.201334Z","sec":[{"c":"' + b"c" * 64 + b'","kc":"' + b"b" * 64 + b'",'
    b'"kid":"55555555-5555-4555-8555-555555555555","n":339}],"stream":"11111111-1111-4111-8111-111111111111",'
    b'"time":"2026-11-21T23:26:38.123456Z","type":"amends.compensation.granted.v1","v":1,"ver":17}'
)


def parts(**changes: Any) -> tuple[bytes, bytes, bytes]:
    members: dict[str, Any] = {
        "ledger": "main",
        "stream_id": STREAM,
        "version": 17,
        "event_id": EVENT,
        "kind": "amends.compensation.granted.v1",
        "occurred_at": OCCURRED,
        "actor": "k:till7",
        "public": Commitment("a" * 64, 214),
        "sections": (SECTION,),
        "correlation_id": CORR,
        "causation_id": CAUSE,
    }
    return header_parts(**members | changes)


def draft(**changes: Any) -> Draft:
    cut = parts(**changes)
    return Draft("main", STREAM, 17, EVENT, "compensation.granted", OCCURRED, *cut, b"{}", b"s" * 16, None, None)


def test_a_header_is_written_byte_for_byte_as_published():
    assert draft().complete(40281, RECORDED).header == WHOLE


def test_a_header_without_cause_correlation_or_section_leaves_them_out():
    header = draft(correlation_id=None, causation_id=None, sections=()).complete(1, RECORDED).header
    members = json.loads(header)
    assert "cause" not in members
    assert "corr" not in members
    assert members["sec"] == []
    assert read_header(header).pos == 1


def test_a_colleagues_section_keeps_the_second_place_when_it_stands_alone():
    header = draft(sections=(None, SECTION)).complete(1, RECORDED).header
    assert json.loads(header)["sec"][0] is None
    assert read_header(header).sec[1].kid == str(KID)


@hypothesis.given(
    position=st.integers(1, 2**53 - 1),
    recorded_at=st.datetimes(timezones=st.just(UTC)),
    occurred_at=st.datetimes(timezones=st.just(UTC)),
    version=st.integers(1, 2**53 - 1),
    sections=st.sampled_from([(), (SECTION,), (SECTION, SECTION), (None, SECTION)]),
    correlation_id=st.none() | st.uuids(),
    causation_id=st.none() | st.uuids(),
)
def test_the_spliced_header_equals_sorting_afresh(position: int, recorded_at: datetime, **changes: Any):
    header = draft(**changes).complete(position, recorded_at).header
    members = json.loads(header)
    assert canonical.dumps(members) == header
    assert (members["pos"], members["rec"]) == (position, stamp(recorded_at))
    assert read_header(header).ver == changes["version"]


def test_completing_keeps_every_column():
    record = draft().complete(7, RECORDED)
    assert (record.ledger, record.position, record.stream_id, record.version) == ("main", 7, STREAM, 17)
    assert (record.event_id, record.topic, record.occurred_at) == (EVENT, "compensation.granted", OCCURRED)
    assert (record.recorded_at, record.public, record.salt) == (RECORDED, b"{}", b"s" * 16)
    assert (record.personal, record.personal_2) == (None, None)


def test_a_leaf_is_hashed_as_rfc_6962_says():
    # The hash of the empty leaf, from the test data of Certificate Transparency.
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_parts_are_committed_to_with_their_own_prefix():
    assert public_commitment(b"salt", b"{}") == Commitment(hashlib.sha256(b"\x01salt{}").hexdigest(), 2)
    assert section_digest(b"nonce+sealed") == hashlib.sha256(b"\x02nonce+sealed").hexdigest()


def test_a_section_is_bound_to_its_place():
    assert section_aad("main", STREAM, 17, KID) == (
        b"1|main|11111111-1111-4111-8111-111111111111|17|55555555-5555-4555-8555-555555555555"
    )


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.000000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 60, UTC), "2026-01-02T03:04:05.000060Z"),
        (datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T23:00:00.000000Z"),
        (datetime(987, 1, 2, 3, 4, 5, 6, UTC), "0987-01-02T03:04:05.000006Z"),
    ],
)
def test_instants_stand_in_utc_with_six_digits(at: datetime, written: str):
    assert stamp(at) == written


def test_a_header_beyond_four_kibibytes_is_refused():
    with pytest.raises(HeaderTooLong):
        parts(kind="x" * 3700)


def changed(**members: Any) -> bytes:
    return canonical.dumps(json.loads(WHOLE) | members)


def test_a_genuine_header_is_read():
    header = read_header(WHOLE)
    assert (header.pos, header.actor, header.cause, header.sec[0].n) == (40281, "k:till7", str(CAUSE), 339)


@pytest.mark.parametrize(
    "header",
    [
        b"{}",
        WHOLE + b"\n",
        WHOLE.replace(b'"v":1', b'"v": 1'),
        changed(extra=1),
        changed(v=2),
        changed(pos=0),
        changed(pos="1"),
        changed(ver=True),
        changed(cause=None),
        changed(corr=None),
        changed(stream=str(STREAM).upper() + "A"),
        changed(time="2026-11-21T23:26:38Z"),
        changed(rec="2026-11-21T23:26:38.201334+00:00"),
        changed(actor="Μαρία"),
        changed(actor="u:maria"),
        changed(pub={"c": "A" * 64, "n": 1}),
        changed(sec=[None]),
        changed(sec=[None, None]),
        changed(sec=[{"kid": str(KID)}]),
        changed(sec=json.loads(WHOLE)["sec"] * 3),
        changed(sec=None),
        canonical.dumps({name: value for name, value in json.loads(WHOLE).items() if name != "rec"}),
        changed(type="x" * 5000),
    ],
    ids=lambda header: hashlib.sha256(header).hexdigest()[:6],
)
def test_anything_but_the_closed_schema_is_no_header(header: bytes):
    with pytest.raises(canonical.NotCanonical):
        read_header(header)
