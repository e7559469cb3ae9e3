"""What readers get from a ledger: pages in order, one customer's story, and where it stood at a time."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent
from sqlalchemy import Engine

from domain.kinds import AMENDS, Actor, Event
from domain.moves.apology import ApologyMade
from domain.moves.failure import FailureReported
from domain.values import WITHHELD
from infrastructure.bell import Bell
from infrastructure.engine import writing
from infrastructure.facts import ForeignEvent
from infrastructure.key_file import create_secrets
from infrastructure.keys import Keyring
from infrastructure.ledger import PAGE, Ledger
from infrastructure.library import SQLAlchemyRecorder
from infrastructure.mapper import Mapper
from infrastructure.record import Record
from infrastructure.recorder import insert_records, lock_head, move_head
from tests.support.rows import NOON, PLUM, record

QUINCE = UUID("0190a1b2-0000-4000-8000-000000000002")
CASE = UUID("0190a1b2-0000-4000-8000-00000000000c")
CLERK = Actor(kind="service", ref="s:crm")
WAITED_SECONDS = 30.0


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    create_secrets(tmp_path / "amends.key")
    return Keyring(tmp_path / "amends.key")


@pytest.fixture
def ledger(engine: Engine, keyring: Keyring) -> Ledger:
    return Ledger(engine, Mapper("main", keyring), "main", Bell())


def append(ledger: Ledger, records: Sequence[Record]) -> None:
    with writing(ledger.engine) as conn:
        lock_head(conn, ledger.name)
        insert_records(conn, records)
        move_head(conn, ledger.name, records[-1].position, records[-1].recorded_at)
    ledger.bell.ring()


def tell(ledger: Ledger, keyring: Keyring, stream: UUID, position: int, version: int, event: Event) -> None:
    with writing(ledger.engine) as conn:
        key = keyring.make_subject_key(conn, "main", stream, NOON) if event.PERSONAL else None
    draft = Mapper("main", keyring).draft(
        event,
        stream_id=stream,
        version=version,
        event_id=UUID(int=position),
        occurred_at=NOON,
        actor=CLERK,
        source="crm",
        customer_key=key,
    )
    append(ledger, [draft.complete(position, NOON)])


def late(**fields: Any) -> FailureReported:
    said = {"recovery_id": str(CASE), "what": "late", "failure_kind": "procedural", "resource": "time"}
    said |= {"similarity_key": "late:parcel", "description": "the plums came a week late"}
    return FailureReported.model_validate(said | fields)


def sorry() -> ApologyMade:
    return ApologyMade(recovery_id=CASE, stage="acknowledgement", said="regret")


def test_an_empty_ledger_has_nothing_to_read(ledger: Ledger):
    assert ledger.head() == 0
    assert ledger.records(0) == []
    assert ledger.stream(PLUM) == []
    assert ledger.position_at(NOON) == 0
    assert ledger.record(UUID(int=1)) is None


def test_pages_follow_each_other_without_gap_or_overlap(ledger: Ledger):
    append(ledger, [record(n) for n in range(1, 8)])
    first, second = ledger.records(0, 4), ledger.records(4, 4)
    assert [one.position for one in first + second] == [1, 2, 3, 4, 5, 6, 7]
    assert ledger.head() == 7


def test_an_event_is_found_by_its_id(ledger: Ledger):
    append(ledger, [record(1), record(2)])
    found = ledger.record(UUID(int=2))
    assert found is not None
    assert found.position == 2


def test_a_story_is_told_in_order_and_only_of_its_customer(ledger: Ledger, keyring: Keyring):
    tell(ledger, keyring, PLUM, 1, 1, late())
    tell(ledger, keyring, QUINCE, 2, 1, late(description="no bread at all"))
    tell(ledger, keyring, PLUM, 3, 2, sorry())
    assert [(fact.position, fact.event.TOPIC) for fact in ledger.stream(PLUM)] == [
        (1, "failure.reported"),
        (3, "apology.made"),
    ]


def test_a_story_can_be_cut_at_both_ends(ledger: Ledger, keyring: Keyring):
    for n in range(1, 6):
        tell(ledger, keyring, PLUM, n, n, sorry())
    assert [fact.version for fact in ledger.stream(PLUM, after_version=1, to_version=4)] == [2, 3, 4]


def test_a_story_longer_than_a_page_is_told_whole(ledger: Ledger):
    length = 2 * PAGE + 1
    append(ledger, [record(n) for n in range(1, length + 1)])
    assert [one.version for one in ledger.stream(PLUM)] == list(range(1, length + 1))


def test_personal_words_are_withheld_unless_asked_for(ledger: Ledger, keyring: Keyring):
    tell(ledger, keyring, PLUM, 1, 1, late())
    [shown] = ledger.stream(PLUM)
    [told] = ledger.stream(PLUM, personal=True)
    assert shown.event.description is WITHHELD
    assert told.event.description == "the plums came a week late"
    assert ledger.facts(0)[0].event.description is WITHHELD
    assert ledger.facts(0, personal=True)[0].event.description == "the plums came a week late"


@pytest.mark.parametrize(
    ("minutes", "position"),
    [(-1, 0), (0, 3), (1, 3), (10, 4), (15, 4), (20, 6), (1000, 6)],
)
def test_where_it_stood_at_a_time_is_the_last_position_recorded_by_then(
    ledger: Ledger, minutes: int, position: int
):
    recorded = [0, 0, 0, 10, 20, 20]
    append(ledger, [record(n, recorded_at=NOON + timedelta(minutes=m)) for n, m in enumerate(recorded, start=1)])
    assert ledger.position_at(NOON + timedelta(minutes=minutes)) == position


def test_waiting_ends_as_soon_as_the_position_is_there(ledger: Ledger):
    append(ledger, [record(1)])
    assert ledger.wait(1, 0.0)
    appending = threading.Thread(target=append, args=(ledger, [record(2)]))
    appending.start()
    assert ledger.wait(2, WAITED_SECONDS)
    appending.join()


def test_waiting_gives_up_when_the_time_is_over(ledger: Ledger):
    assert not ledger.wait(1, 0.01)


def test_what_another_program_wrote_is_kept_as_it_is(ledger: Ledger):
    SQLAlchemyRecorder(ledger.engine).insert_events(
        [StoredEvent(PLUM, 1, "school:Dog.Registered", b"\x80 not JSON")]
    )
    [fact] = ledger.facts(0)
    assert fact.event == ForeignEvent(topic="school:Dog.Registered", state=b"\x80 not JSON")
    assert (fact.position, fact.version, fact.actor) == (1, 1, AMENDS)
