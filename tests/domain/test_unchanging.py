"""States are values: what somebody keeps stays as it was, whatever is folded onto it later."""

import hypothesis
import pytest
from pydantic import TypeAdapter

from domain.kinds import Fact
from domain.relationship import Relationship, evolve
from domain.values import Frozen
from tests.support.histories import histories
from tests.support.ledgers import mixed
from tests.support.soak import examples

STATE = TypeAdapter(Relationship)
FACTS = mixed(streams=3, tellings=160)


def changed_later(facts: list[Fact]) -> list[int]:
    """After which facts a state stood that is another at the end than it was then."""
    states: dict[object, Relationship] = {}
    kept: list[tuple[Relationship, bytes]] = []
    for fact in facts:
        state = evolve(states.get(fact.stream_id, Relationship(fact.stream_id)), fact)
        states[fact.stream_id] = state
        kept.append((state, STATE.dump_json(state)))
    return [n for n, (state, then) in enumerate(kept) if STATE.dump_json(state) != then]


@examples(30, many=2_000)
@hypothesis.given(facts=histories())
def test_a_state_that_was_kept_stays_as_it_was(facts: list[Fact]) -> None:
    assert changed_later(facts) == []


def test_states_of_several_customers_stay_as_they_were() -> None:
    assert changed_later(FACTS) == []


def test_the_check_sees_a_copy_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Frozen, "but", Frozen.completed)
    assert changed_later(FACTS) != []


def test_an_event_that_gives_what_somebody_keeps_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(next(fact.event for fact in FACTS if fact.event.TOPIC == "customer.updated"))
    first = kind.change
    given: list[object] = []

    def change(event: object, recovery: object, fact: Fact) -> object:
        # It keeps what it gave, and gives it once more.
        given.append(given[-1] if len(given) % 2 else first(event, recovery, fact))  # type: ignore[arg-type]
        return given[-1]

    monkeypatch.setattr(kind, "change", change)
    assert changed_later(FACTS) != []
