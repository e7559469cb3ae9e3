"""The random histories are what they promise: plausible, complete in kinds, numbered as a ledger numbers."""

import random
from collections import defaultdict
from itertools import pairwise

from hypothesis import given

from domain.kinds import EVENTS, Fact
from domain.relationship import RecoveryEvent, RelationshipEvent
from tests.support.histories import GAPS, histories, relationships, told
from tests.support.soak import examples
from tests.support.teller import TELLINGS

NEVER_TOLD = {"personal_data.erased", "colleague_name.erased"}
"""Tests of erasing and forgetting tell of these themselves: after an erasure nothing else happens."""


def ours() -> set[str]:
    """The topics of a customer's stream that ship with the program; tests may define kinds of their own."""
    kinds = ((topic, kind) for topic, kind in EVENTS.items() if issubclass(kind, RelationshipEvent))
    return {topic for topic, kind in kinds if kind.__module__.startswith("domain.")}


def test_every_kind_of_event_is_told():
    chance = random.Random(1)
    names = sorted(TELLINGS)
    topics = {
        fact.event.TOPIC
        for _ in range(200)
        for fact in told([(chance.choice(GAPS), chance.choice(names), chance.randrange(2**24)) for _ in range(40)])
    }
    assert topics == ours() - NEVER_TOLD


@examples(100, many=2_000)
@given(histories())
def test_a_history_is_one_stream_in_which_every_recovery_was_reported_first(history: list[Fact]):
    assert [fact.version for fact in history] == list(range(1, len(history) + 1))
    assert [fact.position for fact in history] == list(range(1, len(history) + 1))
    assert len({fact.stream_id for fact in history}) == 1
    assert len({fact.event_id for fact in history}) == len(history)
    assert history[0].event.TOPIC == "relationship.opened"
    reported = set()
    for fact in history:
        if fact.event.TOPIC == "failure.reported":
            reported.add(fact.event.recovery_id)
        elif isinstance(fact.event, RecoveryEvent):
            assert fact.event.recovery_id in reported


@examples(100, many=2_000)
@given(relationships())
def test_relationships_are_numbered_as_one_ledger_does(ledger: list[Fact]):
    assert [fact.position for fact in ledger] == list(range(1, len(ledger) + 1))
    assert all(before.recorded_at <= after.recorded_at for before, after in pairwise(ledger))
    assert len({fact.event_id for fact in ledger}) == len(ledger)
    versions = defaultdict(list)
    for fact in ledger:
        versions[fact.stream_id].append(fact.version)
    for seen in versions.values():
        assert seen == list(range(1, len(seen) + 1))
