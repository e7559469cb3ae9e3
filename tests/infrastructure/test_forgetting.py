"""Forgetting: 180 days after a report was recorded nobody can read whom it names, and every proof still holds."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, func, select

from domain.colleagues.asking import AskForHelp
from domain.errors import Erased, OwnCase
from domain.kinds import Actor, Event
from domain.moves.cause import AttributeCause
from domain.moves.treatment import AnswerTreatment, ReportTreatment, TreatmentReported
from domain.values import ERASED, WITHHELD
from infrastructure.engine import writing
from infrastructure.forgetting import Forgetter
from infrastructure.keys import SubjectKey
from infrastructure.ledger import Ledger
from infrastructure.orders import Order, Outcome
from infrastructure.record import leaf_hash
from infrastructure.recorder import to_record
from infrastructure.tables import commands, events, subject_keys
from projections import ALL
from projections.base import fold
from tests.support.canaries import kept
from tests.support.given import named_id
from tests.support.ledgers import Book, book
from tests.support.teller import Teller
from tests.support.writing import NOON, Desk, crm, desk, late

LOGIN = "m.vance"
RUDE = ReportTreatment(treatment="rude", by_colleague=LOGIN)


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Desk]:
    with desk(database, tmp_path) as made:
        yield made


def forgetter(amends: Desk) -> Forgetter:
    return Forgetter(amends.engine, amends.mapper, amends.keyring, amends.writer.submit, amends.clock)


def himself(amends: Desk) -> Actor:
    return Actor(kind="colleague", ref=f"u:{amends.keyring.pseudonym('colleague', LOGIN)}", role="sales")


def said_by_him(amends: Desk, command: Any, customer: UUID) -> Outcome:
    return amends.writer.submit(replace(amends.order(command, customer), actor=himself(amends))).result(30)


def reported(amends: Desk, number: str = "C-1", **more: Any) -> UUID:
    """A customer who was treated rudely by a named colleague."""
    customer = amends.post(late(), crm(number)).customer_id
    amends.post(RUDE, customer, **more)
    return customer


def stored(engine: Engine) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(select(events).order_by(events.c.position)))


def topics(engine: Engine) -> list[str]:
    return [row.topic for row in stored(engine)]


def about_him(amends: Desk) -> list[Event]:
    ledger = Ledger(amends.engine, amends.mapper)
    return [fact.event for fact in ledger.about(amends.keyring.pseudonym("colleague", LOGIN))]


def test_s2_2_it_can_be_read_for_180_days_and_not_a_moment_longer(amends: Desk) -> None:
    reported(amends)
    amends.clock.now = NOON + timedelta(days=180) - timedelta(microseconds=1)
    assert forgetter(amends).run_once() == 0
    assert len(about_him(amends)) == 1
    amends.clock.now = NOON + timedelta(days=180)
    assert forgetter(amends).run_once() == 1
    assert about_him(amends) == []
    assert topics(amends.engine)[-1] == "colleague_name.erased"


def test_it_goes_by_when_it_was_recorded_not_by_when_it_happened(amends: Desk) -> None:
    reported(amends, occurred_at=NOON - timedelta(days=100))
    amends.clock.now = NOON + timedelta(days=100)
    assert forgetter(amends).run_once() == 0


def test_afterwards_neither_ciphertext_nor_key_nor_whose_it_was_is_left(amends: Desk) -> None:
    reported(amends)
    before = stored(amends.engine)
    amends.clock.forward(days=180)
    forgetter(amends).run_once()
    after = stored(amends.engine)
    [report] = [row for row in after if row.topic == "treatment.reported"]
    assert report.personal_2 is None
    assert amends.mapper.fact(to_record(report)).event.by_colleague is ERASED  # type: ignore[attr-defined]
    with amends.engine.connect() as conn:
        assert amends.mapper.facts([to_record(report)], conn)[0].event.by_colleague is ERASED  # type: ignore[attr-defined]
        [key] = [row for row in conn.execute(select(subject_keys)) if row.state == "destroyed"]
    assert (key.wrapped, key.subject, key.destroyed_at) == (None, key.kid, amends.clock.now)
    # What proves it: the same headers, so the same leaves.
    assert [leaf_hash(row.header) for row in after[: len(before)]] == [leaf_hash(row.header) for row in before]


def test_no_table_ever_says_in_the_clear_whom_a_report_names(amends: Desk) -> None:
    customer = reported(amends, key="said-once", said="rude, by m.vance")
    own = ReportTreatment.model_validate({"treatment": "blaming", "from": "self"})
    said_by_him(amends, own, customer)
    said_by_him(amends, AnswerTreatment(note="I was alone with twelve people."), customer)
    him = himself(amends).colleague_id
    assert him is not None
    assert len(about_him(amends)) == 3
    traces = (str(him).encode(), him.hex.encode(), him.bytes, LOGIN.encode())
    for when in (0, 180):
        amends.clock.forward(days=when)
        forgetter(amends).run_once()
        found = {place for place, value in kept(amends.engine) for trace in traces if trace in value}
        assert found == set()
    assert about_him(amends) == []


def test_no_fingerprint_is_left_from_which_the_name_could_be_guessed(amends: Desk) -> None:
    customer = reported(amends, key="said-once", said="rude, by m.vance")
    amends.clock.forward(days=180)
    forgetter(amends).run_once()
    with amends.engine.connect() as conn:
        named = [row for row in conn.execute(select(commands)) if row.fingerprint is None]
    assert [row.customer_id for row in named] == [customer]
    with pytest.raises(Erased):
        amends.post(RUDE, customer, key="said-once", said="rude, by m.vance")


def test_his_answer_goes_with_the_report_however_late_he_gave_it(amends: Desk) -> None:
    customer = reported(amends)
    amends.clock.forward(days=179)
    said_by_him(amends, AnswerTreatment(note="I was alone."), customer)
    amends.clock.forward(days=1)
    assert forgetter(amends).run_once() == 1
    assert about_him(amends) == []
    assert [row.topic for row in stored(amends.engine) if row.personal_2 is not None] == []


def test_an_answer_to_a_report_that_names_nobody_has_a_time_of_its_own(amends: Desk) -> None:
    customer = amends.post(late(), crm("C-1")).customer_id
    amends.post(ReportTreatment(treatment="rude"), customer)
    amends.clock.forward(days=100)
    said_by_him(amends, AnswerTreatment(note="It may have been me."), customer)
    amends.clock.forward(days=179)
    assert forgetter(amends).run_once() == 0
    amends.clock.forward(days=1)
    assert forgetter(amends).run_once() == 1
    assert about_him(amends) == []


def test_then_he_may_own_and_explain_the_case_like_anybody(amends: Desk) -> None:
    customer = reported(amends)
    with pytest.raises(OwnCase):
        said_by_him(amends, AttributeCause(cause_class="training"), customer)
    amends.clock.forward(days=180)
    forgetter(amends).run_once()
    assert said_by_him(amends, AttributeCause(cause_class="training"), customer).receipts


def test_done_again_or_by_two_at_once_it_is_recorded_once(amends: Desk, database: str, tmp_path: Path) -> None:
    reported(amends)
    reported(amends, "C-2")
    amends.clock.forward(days=180)
    with desk(database, tmp_path) as other:
        other.clock.now = amends.clock.now
        first, erased = forgetter(other), []

        def too_late(order: Order) -> "Future[Outcome]":
            # Between looking and giving the order somebody else did both.
            erased.append(first.run_once())
            return amends.writer.submit(order)

        second = Forgetter(amends.engine, amends.mapper, amends.keyring, too_late, amends.clock)
        assert (second.run_once(), erased) == (2, [2, 0])
        assert second.run_once() == 0
    assert topics(amends.engine).count("colleague_name.erased") == 2


def test_who_is_still_kept_stays(amends: Desk) -> None:
    reported(amends)
    amends.clock.forward(days=100)
    young = reported(amends, "C-2")
    amends.clock.forward(days=80)
    assert forgetter(amends).run_once() == 1
    assert [fact.stream_id for fact in Ledger(amends.engine, amends.mapper).about(_him(amends))] == [young]


def test_read_models_come_out_alike_before_and_after(amends: Desk) -> None:
    customer = reported(amends)
    said_by_him(amends, AnswerTreatment(note="I was alone."), customer)
    ledger = Ledger(amends.engine, amends.mapper)
    before = ledger.stream(customer)
    amends.clock.forward(days=180)
    forgetter(amends).run_once()
    after = ledger.stream(customer)[: len(before)]
    assert [fact.event.by_colleague for fact in before if fact.event.COLLEAGUE] == [WITHHELD] * 2  # type: ignore[attr-defined]
    assert [fact.event.by_colleague for fact in after if fact.event.COLLEAGUE] == [ERASED] * 2  # type: ignore[attr-defined]
    for projection in ALL:
        assert fold(projection, after) == fold(projection, before), projection.name


# What was recorded before every section had a key of its own.


class OldBook(Book):
    """A ledger written as it used to be: whatever names a colleague is sealed with the key of his stream."""

    def _own_key(self, conn: Connection, at: datetime) -> SubjectKey:
        return self._key(conn, named_id("maria"))


@pytest.fixture
def old(database: str, tmp_path: Path) -> Iterator[OldBook]:
    with book(database, tmp_path) as made:
        shelf = OldBook(made.engine, made.mapper, made.keyring)
        with writing(shelf.engine) as conn:
            for day in (0, 90):
                teller = Teller(day, now=NOON + timedelta(days=day))
                teller.say(TreatmentReported(treatment="rude", by_colleague=named_id("maria")))
                shelf.append(conn, teller.facts, teller.now)
        yield shelf


def test_an_old_report_is_read_as_ever_and_erased_in_its_time(old: OldBook, database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        ledger = Ledger(amends.engine, amends.mapper)
        assert len(ledger.about(named_id("maria"))) == 2
        amends.clock.now = NOON + timedelta(days=180)
        assert forgetter(amends).run_once() == 1
        assert len(ledger.about(named_id("maria"))) == 1
        amends.clock.forward(days=90)
        assert forgetter(amends).run_once() == 1
        assert ledger.about(named_id("maria")) == []
        with amends.engine.connect() as conn:
            sealed = conn.scalar(select(func.count()).where(events.c.personal_2.is_not(None)))
            assert sealed == 0
            assert named_id("maria") not in set(conn.scalars(select(subject_keys.c.subject)))


def test_what_he_says_after_an_old_report_was_erased_can_be_read(
    old: OldBook, database: str, tmp_path: Path
) -> None:
    """With the key in memory by which the old report was opened, words could be sealed that nobody reads again."""
    with desk(database, tmp_path) as amends:
        assert len(Ledger(amends.engine, amends.mapper).about(named_id("maria"))) == 2
        amends.clock.now = NOON + timedelta(days=270)
        assert forgetter(amends).run_once() == 2
        ask = AskForHelp(kind="training", topic="returns", note="I only know diesels.")
        maria = Actor(kind="colleague", ref=f"u:{named_id('maria')}", role="sales")
        amends.writer.submit(replace(amends.order(ask, named_id("maria")), actor=maria)).result(30)
        words = Ledger(amends.engine, amends.mapper).stream(named_id("maria"), personal=True)
        assert [fact.event.note for fact in words if hasattr(fact.event, "note")] == ["I only know diesels."]


def test_an_old_key_that_also_opens_his_own_words_is_taken_from_him_and_opens_them_still(
    old: OldBook, database: str, tmp_path: Path
) -> None:
    with desk(database, tmp_path) as amends:
        kid = old.keys[named_id("maria")].kid
        ask = AskForHelp(kind="training", topic="returns", note="I only know diesels.")
        maria = Actor(kind="colleague", ref=f"u:{named_id('maria')}", role="sales")
        asked = replace(amends.order(ask, named_id("maria")), actor=maria)
        amends.writer.submit(asked).result(30)
        amends.clock.now = NOON + timedelta(days=270)
        assert forgetter(amends).run_once() == 2
        assert kid not in _destroyed(amends.engine)
        with amends.engine.connect() as conn:
            [row] = [row for row in conn.execute(select(subject_keys)) if row.kid == kid]
        assert row.subject not in (kid, named_id("maria"))
        words = Ledger(amends.engine, amends.mapper).stream(named_id("maria"), personal=True)
        assert [fact.event.note for fact in words if hasattr(fact.event, "note")] == ["I only know diesels."]


def _destroyed(engine: Engine) -> set[UUID]:
    with engine.connect() as conn:
        return set(conn.scalars(select(subject_keys.c.kid).where(subject_keys.c.wrapped.is_(None))))


def _him(amends: Desk) -> UUID:
    return amends.keyring.pseudonym("colleague", LOGIN)
