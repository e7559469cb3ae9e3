"""The mapper: every kind of event comes back as it was, and personal words only to those who have the key."""

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import Field

import domain.moves  # noqa: F401 - registers every kind
from domain.errors import NewerProgramNeeded
from domain.kinds import AMENDS, EVENTS, Actor, Event, Fact
from domain.milestones import EscalationRaised, Reference, RelationshipOpened, SatisfactionStated
from domain.moves.failure import FailureReported
from domain.moves.treatment import TreatmentReported
from domain.values import ERASED, WITHHELD, ColleaguePersonal, Personal, Words
from infrastructure import canonical
from infrastructure.canonical import NotCanonical
from infrastructure.codecs import Unmappable
from infrastructure.facts import ForeignEvent
from infrastructure.key_file import create_secrets
from infrastructure.keys import Keyring, SubjectKey, WrongKey
from infrastructure.mapper import Mapper
from infrastructure.record import Record, Told, public_commitment, read_header, section_digest
from tests.support.entropy import seeded
from tests.support.instances import instances

STREAM = UUID("11111111-1111-4111-8111-111111111111")
EVENT_ID = UUID("22222222-2222-4222-8222-222222222222")
RECOVERY = UUID("33333333-3333-4333-8333-333333333333")
MARIA = UUID("44444444-4444-4444-8444-444444444444")
OCCURRED = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
RECORDED = datetime(2026, 3, 2, 10, 30, 1, 5, UTC)
TILL = Actor(kind="service", ref="k:till7", role="till", role_class="front")
KEY = SubjectKey(UUID("55555555-5555-4555-8555-555555555555"), b"k" * 32)
MARIAS_KEY = SubjectKey(UUID("66666666-6666-4666-8666-666666666666"), b"m" * 32)
GREEK = "Περίμενα δύο ώρες και κανείς δεν μου είπε γιατί. 😞"


@pytest.fixture(scope="module")
def mapper(tmp_path_factory: pytest.TempPathFactory) -> Mapper:
    path: Path = tmp_path_factory.mktemp("keys") / "amends.key"
    create_secrets(path, seeded())
    return Mapper("main", Keyring(path, seeded()))


def record(mapper: Mapper, event: Event, **changes: Any) -> Record:
    envelope: dict[str, Any] = {
        "stream_id": STREAM,
        "version": 3,
        "event_id": EVENT_ID,
        "occurred_at": OCCURRED,
        "actor": TILL,
        "source": "urn:till:7",
        "customer_key": KEY,
        "colleague_key": MARIAS_KEY,
    }
    return mapper.draft(event, **envelope | changes).complete(9, RECORDED)


def complaint(**changes: Any) -> FailureReported:
    told: dict[str, Any] = {
        "recovery_id": RECOVERY,
        "what": "late",
        "failure_kind": "procedural",
        "resource": "time",
        "similarity_key": "late:till",
        "description": GREEK,
        "order": "A-1099",
    }
    return FailureReported(**told | changes)


def treatment() -> TreatmentReported:
    return TreatmentReported(recovery_id=RECOVERY, treatment="rude", by_colleague=MARIA)


@pytest.fixture
def both() -> Iterator[type[Event]]:
    """A kind that holds words of the customer and names a colleague; there is none among ours yet."""

    class Overheard(Event, topic="test.overheard"):
        words: Personal[Words]
        by_colleague: ColleaguePersonal[UUID]

    yield Overheard
    del EVENTS["test.overheard"]


@pytest.mark.parametrize("topic", sorted(EVENTS))
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=15, deadline=None)
def test_every_kind_comes_back_as_it_was(mapper: Mapper, topic: str, data: st.DataObject):
    event = data.draw(instances(EVENTS[topic]))
    stored = record(mapper, event)
    fact = mapper.fact(stored, {KEY.kid: KEY, MARIAS_KEY.kid: MARIAS_KEY})
    assert fact.event == event
    assert type(fact.event) is type(event)
    assert canonical.loads(stored.public)
    assert read_header(stored.header).type == type(event).TYPE


@pytest.mark.parametrize("topic", sorted(EVENTS))
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=10, deadline=None)
def test_without_keys_every_kind_is_read_with_its_personal_fields_withheld(
    mapper: Mapper, topic: str, data: st.DataObject
):
    event = data.draw(instances(EVENTS[topic]))
    read = mapper.fact(record(mapper, event)).event
    for name in type(event).model_fields:
        said, shown = getattr(event, name), getattr(read, name)
        if name in event.PERSONAL | event.COLLEAGUE:
            assert shown is WITHHELD or (not said and not shown)
        else:
            assert shown == said


def test_the_envelope_comes_back_as_it_was(mapper: Mapper):
    correlation, causation = UUID(int=7 << 64 | 8 << 60), UUID(int=8 << 60)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    actor = Actor(kind="colleague", ref=f"u:{MARIA}", role="cashier", role_class="front")
    stored = record(
        mapper,
        EscalationRaised(recovery_id=RECOVERY, trigger="legal"),
        actor=actor,
        correlation_id=correlation,
        causation_id=causation,
        traceparent=trace,
        time_known=False,
    )
    fact = mapper.fact(stored)
    assert (fact.stream_id, fact.version, fact.position, fact.event_id) == (STREAM, 3, 9, EVENT_ID)
    assert (fact.occurred_at, fact.recorded_at) == (OCCURRED, RECORDED)
    assert (fact.actor, fact.source, fact.traceparent, fact.time_known) == (actor, "urn:till:7", trace, False)
    assert (fact.correlation_id, fact.causation_id) == (correlation, causation)


def test_the_public_part_is_canonical_and_says_where_it_came_from(mapper: Mapper):
    stored = record(mapper, EscalationRaised(recovery_id=RECOVERY, level=2, trigger="legal"))
    assert stored.public == (
        b'{"level":2,"m":{"kind":"service","role":"till","role_class":"front","source":"urn:till:7"},'
        b'"recovery_id":"33333333-3333-4333-8333-333333333333","trigger":"legal"}'
    )
    assert (stored.topic, stored.personal, stored.personal_2) == ("escalation.raised", None, None)
    assert len(stored.salt) == 16


def test_the_header_commits_to_what_it_leaves_out(mapper: Mapper):
    stored = record(mapper, complaint())
    header = read_header(stored.header)
    assert (header.ledger, header.pos, header.ver, header.actor) == ("main", 9, 3, "k:till7")
    assert (header.pub.c, header.pub.n) == public_commitment(stored.salt, stored.public)
    (section,) = header.sec
    assert stored.personal is not None
    assert (section.kid, section.kc) == (str(KEY.kid), KEY.kc.hex())
    assert (section.c, section.n) == (section_digest(stored.personal), len(stored.personal))


def test_personal_words_stand_nowhere_in_the_clear(mapper: Mapper):
    stored = record(mapper, complaint())
    for column in (stored.header, stored.public, stored.personal):
        assert column is not None
        assert GREEK.encode() not in column
        assert b"\\u03a0" not in column
        assert b"A-1099" not in column
    assert json.loads(stored.public).keys().isdisjoint({"description", "order"})


def test_greek_words_survive_unchanged(mapper: Mapper):
    fact = mapper.fact(record(mapper, complaint()), {KEY.kid: KEY})
    assert fact.event.description == "Περίμενα δύο ώρες και κανείς δεν μου είπε γιατί. 😞"
    assert fact.event.order == "A-1099"


def test_an_absent_personal_field_is_none_to_those_who_may_read(mapper: Mapper):
    assert mapper.fact(record(mapper, complaint(order=None)), {KEY.kid: KEY}).event.order is None


def test_an_event_without_personal_words_needs_no_key(mapper: Mapper):
    silent = SatisfactionStated(instrument="CSAT", value=4)
    assert mapper.needs(silent) == (False, False)
    stored = record(mapper, silent, customer_key=None, colleague_key=None)
    assert stored.personal is None
    assert mapper.fact(stored).event == silent


def test_an_empty_list_of_references_makes_no_section(mapper: Mapper):
    unnamed = RelationshipOpened()
    assert mapper.needs(unnamed) == (False, False)
    stored = record(mapper, unnamed, customer_key=None)
    assert stored.personal is None
    assert mapper.fact(stored).event == unnamed


def test_references_are_personal(mapper: Mapper):
    named = RelationshipOpened(references=(Reference(kind="email", value="eleni@example.gr"),))
    assert mapper.needs(named) == (True, False)
    stored = record(mapper, named)
    assert b"eleni" not in stored.public
    assert mapper.fact(stored).event.references is WITHHELD
    assert mapper.fact(stored, {KEY.kid: KEY}).event == named


def test_a_named_colleague_is_sealed_apart_from_the_customers_words(mapper: Mapper):
    event = treatment()
    assert mapper.needs(event) == (False, True)
    stored = record(mapper, event)
    assert str(MARIA).encode() not in stored.public + stored.header
    assert stored.personal_2 is not None
    assert read_header(stored.header).sec[1].kid == str(MARIAS_KEY.kid)
    assert mapper.fact(stored, {KEY.kid: KEY}).event.by_colleague is WITHHELD
    assert mapper.fact(stored, {MARIAS_KEY.kid: MARIAS_KEY}).event.by_colleague == MARIA


def test_the_two_sections_of_an_event_open_and_end_apart(mapper: Mapper, both: type[Event]):
    event = both(words=GREEK, by_colleague=MARIA)
    stored, all_keys = record(mapper, event), {KEY.kid: KEY, MARIAS_KEY.kid: MARIAS_KEY}
    assert mapper.fact(stored, all_keys).event == event
    colleague_gone = mapper.fact(stored._replace(personal_2=None), all_keys).event
    assert (colleague_gone.words, colleague_gone.by_colleague) == (GREEK, ERASED)
    customer_gone = mapper.fact(stored._replace(personal=None), all_keys).event
    assert (customer_gone.words, customer_gone.by_colleague) == (ERASED, MARIA)


def test_a_colleagues_lonely_section_is_not_taken_for_the_customers(mapper: Mapper):
    assert read_header(record(mapper, treatment()).header).sec[0] is None
    read = mapper.fact(record(mapper, treatment())._replace(personal_2=None)).event
    assert read.by_colleague is ERASED


def test_erased_words_show_as_erased_to_everybody(mapper: Mapper):
    scrubbed = record(mapper, complaint())._replace(personal=None)
    for keys in (None, {}, {KEY.kid: KEY}):
        assert mapper.fact(scrubbed, keys).event.description is ERASED
        assert mapper.fact(scrubbed, keys).event.customer_words is ERASED


def test_a_destroyed_key_shows_as_erased_before_the_ciphertext_is_gone(mapper: Mapper):
    assert mapper.fact(record(mapper, complaint()), {KEY.kid: None}).event.description is ERASED


def test_what_was_read_without_its_words_cannot_be_written_again(mapper: Mapper):
    withheld = mapper.fact(record(mapper, complaint())).event
    with pytest.raises(Unmappable):
        record(mapper, withheld)


def test_personal_words_without_a_key_are_refused(mapper: Mapper):
    with pytest.raises(Unmappable):
        record(mapper, complaint(), customer_key=None)
    with pytest.raises(Unmappable):
        record(mapper, treatment(), colleague_key=None)


@pytest.mark.parametrize(
    "moved",
    [
        {"stream_id": UUID(int=5)},
        {"version": 4},
        {"ledger": "other"},
        {"personal": b""},
        {"personal": b"x" * 40},
    ],
    ids=str,
)
def test_a_ciphertext_moved_or_changed_does_not_open(mapper: Mapper, moved: dict[str, Any]):
    stored = record(mapper, complaint())._replace(**moved)
    reader = Mapper(stored.ledger, mapper._keyring)
    with pytest.raises(WrongKey):
        reader.fact(stored, {KEY.kid: KEY})


def test_another_key_under_the_same_id_is_noticed(mapper: Mapper):
    with pytest.raises(WrongKey):
        mapper.fact(record(mapper, complaint()), {KEY.kid: SubjectKey(KEY.kid, b"x" * 32)})


def test_a_kind_we_do_not_know_is_kept_as_it_is(mapper: Mapper):
    stored = record(mapper, EscalationRaised(recovery_id=RECOVERY, trigger="legal"))
    fact = mapper.fact(stored._replace(topic="parade.held"))
    assert fact.event == ForeignEvent(topic="parade.held", state=stored.public)
    assert (fact.actor, fact.source, fact.event.links()) == (TILL, "urn:till:7", ())


def test_a_newer_version_of_a_kind_is_foreign(mapper: Mapper):
    stored = record(mapper, EscalationRaised(recovery_id=RECOVERY, trigger="legal"))
    newer = stored._replace(header=stored.header.replace(b"raised.v1", b"raised.v2"))
    assert isinstance(mapper.fact(newer).event, ForeignEvent)


def test_what_another_program_stored_is_foreign(mapper: Mapper):
    stored = record(mapper, EscalationRaised(recovery_id=RECOVERY, trigger="legal"))
    fact = mapper.fact(stored._replace(topic="pkg:Class", header=b"", public=b"\xff\x00", salt=b""))
    assert fact.event == ForeignEvent(topic="pkg:Class", state=b"\xff\x00")
    assert fact.actor == AMENDS


@pytest.mark.parametrize(
    "ref", ["", "k:", "u:maria", "maria", 'k:"', "k:a b", "k:" + "a" * 65, "s:Ελένη", "k:a\n"]
)
def test_an_actor_outside_the_small_alphabet_is_refused(mapper: Mapper, ref: str):
    with pytest.raises(Unmappable):
        record(mapper, complaint(), actor=Actor(kind="service", ref=ref))


def told(stored: Record) -> Told:
    """What deciding needs of the record."""
    return Told(*(getattr(stored, name) for name in Told._fields))


@pytest.mark.parametrize("topic", sorted(EVENTS))
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=10, deadline=None)
def test_whoever_decides_is_told_of_every_kind_what_readers_without_keys_are(
    mapper: Mapper, topic: str, data: st.DataObject
):
    stored = record(mapper, data.draw(instances(EVENTS[topic])))
    read = mapper.fact(stored)
    for known in (mapper.known(stored), mapper.known(told(stored))):
        assert known.event == read.event
        assert {one.name: getattr(known, one.name) for one in fields(Fact)} == {
            one.name: getattr(read, one.name) for one in fields(Fact)
        }


def test_the_envelope_that_is_read_when_asked_for_is_the_one_that_was_written(mapper: Mapper):
    correlation, causation = UUID(int=7 << 64 | 8 << 60), UUID(int=8 << 60)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    envelope: dict[str, Any] = {"correlation_id": correlation, "causation_id": causation, "traceparent": trace}
    fact = mapper.known(told(record(mapper, complaint(), time_known=False, **envelope)))
    assert (fact.traceparent, fact.correlation_id, fact.causation_id) == (trace, correlation, causation)
    assert (fact.actor, fact.source, fact.time_known) == (TILL, "urn:till:7", False)
    with pytest.raises(AttributeError):
        fact.weather  # noqa: B018 - nobody says


def test_whoever_decides_is_shown_no_personal_part(mapper: Mapper, both: type[Event]):
    known = mapper.known(told(record(mapper, both(words=GREEK, by_colleague=MARIA)))).event
    assert (known.words, known.by_colleague) == (WITHHELD, WITHHELD)  # type: ignore[attr-defined]
    lonely = mapper.known(told(record(mapper, treatment()))).event
    assert lonely.by_colleague is WITHHELD  # type: ignore[attr-defined]


def test_nobody_decides_by_what_a_newer_program_wrote(mapper: Mapper):
    stored = record(mapper, EscalationRaised(recovery_id=RECOVERY, trigger="legal"))
    for newer in (
        told(stored)._replace(topic="parade.held"),
        told(stored)._replace(header=stored.header.replace(b"raised.v1", b"raised.v2")),
    ):
        with pytest.raises(NewerProgramNeeded):
            mapper.known(newer)


@pytest.mark.parametrize("header", [b"", b'{"actor":"s:eventsourcing","sec":[],"type":"foreign.0a"}'])
def test_what_another_program_stored_counts_for_nothing(mapper: Mapper, header: bytes):
    stored = told(record(mapper, EscalationRaised(recovery_id=RECOVERY, trigger="legal")))
    known = mapper.known(stored._replace(topic="pkg:Class", header=header, public=b"\xff\x00"))
    assert known.event == ForeignEvent(topic="pkg:Class", state=b"\xff\x00")
    assert (known.actor, known.version, known.position) == (AMENDS, 3, 9)


@pytest.mark.parametrize("part", ["header", "public"])
def test_nobody_decides_by_what_cannot_be_read(mapper: Mapper, part: str):
    stored = told(record(mapper, complaint()))
    damaged = getattr(stored, part)[:-2]
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it is, this stream waits for somebody to look
        mapper.known(stored._replace(**{part: damaged})).actor  # noqa: B018 - it is read when it is asked for


def test_versions_begin_at_one(mapper: Mapper):
    with pytest.raises(Unmappable):
        record(mapper, complaint(), version=0)


@pytest.mark.parametrize("name", ["", "Main", "a|b", "a b", "ä", "-a", "x" * 65, "a\n"])
def test_a_ledgers_name_is_plain(mapper: Mapper, name: str):
    with pytest.raises(Unmappable):
        Mapper(name, mapper._keyring)


def test_a_source_with_a_nul_is_refused(mapper: Mapper):
    with pytest.raises(NotCanonical):
        record(mapper, complaint(), source="urn:\x00")


def test_the_same_draft_twice_has_other_salt_and_nonce(mapper: Mapper):
    one, two = record(mapper, complaint()), record(mapper, complaint())
    assert one.public == two.public
    assert one.salt != two.salt
    assert one.personal is not None
    assert two.personal is not None
    assert one.personal[:12] != two.personal[:12]


def test_a_kind_whose_fields_hide_the_envelope_is_a_mistake(mapper: Mapper):
    class Hiding(Event, topic="test.hiding"):
        m: bool = True

    del EVENTS["test.hiding"]
    with pytest.raises(TypeError):
        record(mapper, Hiding())


def test_a_personal_field_under_another_name_is_a_mistake(mapper: Mapper):
    class Renamed(Event, topic="test.renamed"):
        words: Personal[Words] = Field(alias="said")

    del EVENTS["test.renamed"]
    with pytest.raises(TypeError):
        record(mapper, Renamed(said=GREEK))
