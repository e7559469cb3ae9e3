"""Records for tests of the store: real headers, small payloads of a kind nobody knows, ids that count."""

from datetime import UTC, datetime
from uuid import UUID

from infrastructure.record import Draft, Record, header_parts, public_commitment

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLUM = UUID("0190a1b2-0000-4000-8000-000000000001")
"""The stream of one customer."""


def record(
    position: int,
    *,
    ledger: str = "main",
    stream: UUID = PLUM,
    version: int | None = None,
    event_id: UUID | None = None,
    public: bytes = b'{"grams":1200}',
    personal: bytes | None = None,
    personal_2: bytes | None = None,
    recorded_at: datetime = NOON,
) -> Record:
    """A record at this position; version and event id follow from it unless given."""
    salt = bytes(16)
    version = position if version is None else version
    event_id = event_id or UUID(int=position)
    parts = header_parts(
        ledger=ledger,
        stream_id=stream,
        version=version,
        event_id=event_id,
        kind="other.parcel.weighed.v1",
        occurred_at=NOON,
        actor="s:crm",
        public=public_commitment(salt, public),
        sections=(),
    )
    topic = "parcel.weighed"
    draft = Draft(ledger, stream, version, event_id, topic, NOON, *parts, public, salt, personal, personal_2)
    return draft.complete(position, recorded_at)
