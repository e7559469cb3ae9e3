"""The demo: every story can be told, on any seed, and reads as it should. What it ends with: test_ending.py."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from api.demo import Progress, first_midnight, play, script, tales
from api.stories import failures, kindness, languages, last_words, table, words
from api.stories.house import opening
from api.stories.telling import Tale, length
from domain.budgets.commands import OpenBudget
from domain.deciding import decided
from domain.duties import settle
from domain.kinds import AMENDS, Actor, Aggregate, Context, Elsewhere, Event, Fact
from domain.recovery import Recovery
from domain.relationship import Relationship, evolve
from infrastructure.ledger import Ledger
from infrastructure.orders import Order, Outcome
from infrastructure.tables import events
from tests.support.given import named_id
from tests.support.writing import Desk, desk

NOW = datetime(2026, 3, 31, 17, 20, tzinfo=UTC)


@dataclass
class Bare:
    """The rules alone, on a clock that the play sets: what the writer decides, without a database."""

    now: datetime = NOW
    states: dict[UUID, Relationship] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    known: dict[tuple[str, str], UUID] = field(default_factory=dict)
    minted: int = 0
    others: dict[UUID, Aggregate] = field(default_factory=dict)
    """Colleagues as they stand; the house has opened no budget."""

    def submit(self, order: Order) -> "Future[Outcome]":
        customer, references = self._customer(order)
        state = self.states.get(customer) or Relationship(customer)
        occurred_at = order.occurred_at or self.now
        for at, event in settle(state, min(occurred_at, self.now)):
            state = self._recorded(state, event, at, AMENDS)
        if order.command is not None:
            for one in decided(order.command, state, self._context(order, occurred_at, references)):
                if isinstance(one, Elsewhere):
                    self._recorded_elsewhere(one, occurred_at, order.actor)
                else:
                    state = self._recorded(state, one, occurred_at, order.actor)
        self.states[customer] = state
        future: Future[Outcome] = Future()
        future.set_result(Outcome(customer, (), len(self.facts), state.version, {}))
        return future

    def _context(self, order: Order, at: datetime, references: tuple[tuple[str, str], ...]) -> Context:
        return Context(
            occurred_at=at,
            recorded_at=self.now,
            actor=order.actor,
            new_id=self._new_id,
            pseudonym=lambda kind, value: named_id(f"{kind}:{value}"),
            references=references,
            other=self._other,
        )

    def _other(self, kind: type[Aggregate], stream: UUID | tuple[str, str]) -> Aggregate | None:
        return None if isinstance(stream, tuple) else self.others.get(stream) or kind.begun(stream)

    def _recorded_elsewhere(self, one: Elsewhere, at: datetime, actor: Actor) -> None:
        stream = one.stream.stream_id
        state = self.others.get(stream, one.stream)
        fact = Fact(one.event, stream, state.version + 1, 0, named_id("elsewhere"), at, self.now, actor, "")
        self.others[stream] = state.after(fact)

    def _customer(self, order: Order) -> tuple[UUID, tuple[tuple[str, str], ...]]:
        if isinstance(order.stream, UUID):
            return order.stream, ()
        if order.stream is None:
            return self._new_id(), ()
        reference = (order.stream.kind, order.stream.value)
        if reference in self.known:
            return self.known[reference], ()
        self.known[reference] = self._new_id()
        return self.known[reference], (reference,)

    def _new_id(self) -> UUID:
        self.minted += 1
        return named_id(f"minted {self.minted}")

    def _recorded(self, state: Relationship, event: Event, at: datetime, actor: Actor) -> Relationship:
        position = len(self.facts) + 1
        fact = Fact(
            event=event,
            stream_id=state.customer_id,
            version=state.version + 1,
            position=position,
            event_id=named_id(f"event {position}"),
            occurred_at=at,
            recorded_at=self.now,
            actor=actor,
            source="",
        )
        self.facts.append(fact)
        return evolve(state, fact)


def played(house: Desk, seed: int = 1, **choices: Any) -> list[Progress]:
    """How the play went that this desk was given, on a clock that never goes back."""
    house.clock.now = NOW - timedelta(days=400)

    def set_clock(now: datetime) -> None:
        assert now >= house.clock.now
        house.clock.now = now

    return list(play(house.writer.submit, set_clock, NOW, seed, **choices))


def told(tale: Tale) -> tuple[Relationship, list[str]]:
    """The customer of one tale after thirty days, and the topics of all that was recorded."""
    house = Bare(now=NOW - timedelta(days=400))
    # Ten days later, so that no tale is cut off at the end.
    lines = script(NOW, [tale], days=40)
    for line in lines:
        house.now = line.told_at
        customer = next(iter(house.states), line.reference)
        house.submit(Order(line.command, customer, line.actor, "urn:test", occurred_at=line.at)).result()
    house.now = NOW
    (customer,) = house.states
    house.submit(Order(None, customer, AMENDS, "urn:test")).result()
    return house.states[customer], [fact.event.TOPIC for fact in house.facts]


def only(state: Relationship) -> Recovery:
    (recovery,) = state.recoveries.values()
    return recovery


IN_THE_GATE = {(1, 7)}
"""Beside the play of test_ending.py, which is as long as most."""
EVERY_WAY = [
    pytest.param(seed, days, marks=[] if (seed, days) in IN_THE_GATE else pytest.mark.soak)
    for seed in (1, 7, 2026)
    for days in (1, 7, 30, 60, 365)
]


@pytest.mark.parametrize(("seed", "days"), EVERY_WAY)
def test_no_story_is_ever_refused(seed: int, days: int, sqlite_database: str, tmp_path: Path):
    # Whatever is refused is raised. Progress counts every line once.
    with desk(sqlite_database, tmp_path) as house:
        steps = played(house, seed, days=days, customers=24)
        assert house.clock.now == NOW
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    own = len(opening(first_midnight(NOW, days), NOW, 24).scenes)
    assert steps[-1].done == steps[-1].total == own + len(script(NOW, tales(seed, 24), days))


def test_the_same_seed_tells_the_same_and_another_one_does_not():
    first, again, other = (script(NOW, tales(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_all_ordinary_customers_can_speak_one_language():
    greek = [line for line in script(NOW, tales(1, 20, "el")) if line.reference and "C-20" in line.reference.value]
    words = [line.command.description for line in greek if hasattr(line.command, "description")]
    assert words
    assert all(any("\u0370" <= letter <= "\u03ff" for letter in one) for one in words)


def test_what_is_new_in_the_house_is_said_in_the_language_that_was_asked_for():
    said = {
        speaks: next(tale for tale in tales(1, 0, speaks) if tale.customer == "C-1030").scenes[1].deed
        for speaks in words.LANGUAGES
    }
    assert said["en"].customer_words.startswith("Five days without hot water.")
    assert said["el"].customer_words.startswith("Πέντε μέρες χωρίς ζεστό νερό.")
    assert said["pl"].customer_words.startswith("Pięć dni bez ciepłej wody.")


def test_a_year_that_turns_meanwhile_has_budgets_of_its_own():
    turned = datetime(2027, 1, 12, 9, 0, tzinfo=UTC)
    tale = opening(first_midnight(turned, 30), turned, 52)
    opened = [scene.deed for scene in tale.scenes if isinstance(scene.deed, OpenBudget)]
    assert [(one.cost_centre, one.period) for one in opened] == [
        ("main", "2026"),
        ("kitchen", "2026"),
        ("main", "2027"),
        ("kitchen", "2027"),
    ]


def test_every_told_customer_has_a_number_of_his_own_and_no_name():
    numbers = [tale.customer for tale in tales(1) if tale.customer is not None]
    assert len(numbers) == len(set(numbers))
    assert all(number.startswith("C-") for number in numbers)


def test_the_courier_story_names_the_rule_that_stood_in_the_way():
    state, topics = told(failures.courier())
    assert only(state).outcome == "partly"
    assert topics.count("obstacle.encountered") == topics.count("obstacle.removed") == 1


def test_the_last_word_opens_the_plums_again():
    state, topics = told(last_words.plums())
    assert topics.index("recovery.resolved") < topics.index("treatment.reported")
    assert topics[topics.index("treatment.reported") + 1] == "recovery.reopened"
    assert only(state).leaving


def test_the_coffees_are_told_late_and_no_clock_fires_for_what_is_long_past():
    state, topics = told(last_words.barista())
    assert topics.count("failure.reported") == 6
    assert topics.count("treatment.reported") == 4
    assert state.lost
    assert "silence.noticed" not in topics


def test_the_cd_is_replaced_without_a_question():
    state, topics = told(failures.faulty_cd())
    assert "information.requested" not in topics
    assert only(state).outcome == "satisfied"


def test_nobody_says_a_word_about_the_sewing_machine_for_days():
    _, topics = told(failures.silence())
    assert topics.count("silence.noticed") == 4
    assert "deadline.missed" in topics


def test_a_stranger_in_need_is_a_prospect():
    state, _ = told(kindness.flat_tyre())
    assert state.party_kind == "prospect"
    assert not state.recoveries


def test_the_invitation_brings_the_birthday_table_back():
    state, _ = told(table.free_starter("en"))
    assert [one.status for one in only(state).invitations.values()] == ["redeemed"]


def test_the_nameless_complaint_ends_by_itself():
    state, topics = told(last_words.nameless())
    assert only(state).outcome == "not_asked"
    assert "silence.noticed" not in topics


def test_lengths_are_read_as_they_are_written():
    assert length("2d 4h 5m") == timedelta(days=2, hours=4, minutes=5)
    assert length("0m") == timedelta(0)


def test_greek_words_pass_through_the_real_writer_unchanged(sqlite_database: str, tmp_path: Path):
    with desk(sqlite_database, tmp_path) as house:
        for line in script(NOW, [languages.greek_name_day()]):
            house.clock.now = line.told_at
            house.post(line.command, line.reference, occurred_at=line.at)
        with house.engine.connect() as conn:
            stored = conn.execute(select(events.c.header, events.c.public)).all()
        facts = Ledger(house.engine, house.mapper, "main").facts(0, 10_000, personal=True)
    said = [fact.event.description for fact in facts if fact.event.TOPIC == "failure.reported"]
    assert "Η τούρτα για τη γιορτή έφτασε μία μέρα αργότερα." in said
    assert not any("τούρτα".encode() in bytes(part) for row in stored for part in row)
    assert len(languages.TALES) == 4
