"""A page sorted once for all read models: each gets the events of its kinds by stream, in their order."""

from infrastructure.stories import Part, Told, Unreadable
from tests.support.folded import FACTS

STREAM = FACTS[0].stream_id
DAMAGED = Unreadable(STREAM, FACTS[-1].position + 1, "damaged")
PART = Part([*FACTS, DAMAGED])
KINDS = frozenset((FACTS[0].event.TOPIC, "apology.made", "customer.updated"))


def flat(topics: frozenset[str] | None, after: int = 0) -> list[Told]:
    """The events a read model gets, in the order of positions."""
    found = PART.streams(topics, after)
    assert all(one.stream_id == stream for stream, told in found.items() for one in told)
    assert all(list(told) == sorted(told, key=lambda one: one.position) for told in found.values())
    return sorted((one for told in found.values() for one in told), key=lambda one: one.position)


def test_who_names_no_kinds_gets_all_events():
    assert flat(None) == [*FACTS, DAMAGED]


def test_who_names_kinds_gets_those_and_what_cannot_be_read():
    wanted = [fact for fact in FACTS if fact.event.TOPIC in KINDS]
    assert 0 < len(wanted) < len(FACTS)
    assert flat(KINDS) == [*wanted, DAMAGED]


def test_what_was_folded_already_is_passed_over():
    half = FACTS[len(FACTS) // 2].position
    assert flat(None, half) == [*(fact for fact in FACTS if fact.position > half), DAMAGED]
    assert flat(None, DAMAGED.position) == []


def test_a_kind_that_nothing_on_the_page_is_of_costs_no_stream():
    assert Part(FACTS).streams(frozenset(("parade.held",)), 0) == {}
