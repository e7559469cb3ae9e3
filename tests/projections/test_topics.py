"""A read model that names its kinds of events says nothing about any other."""

import random

import pytest

from domain.budgets.events import KINDS
from domain.kinds import EVENTS
from projections import ALL
from projections.base import Projection
from projections.budgets import Budgets
from tests.support.histories import told
from tests.support.teller import TELLINGS

NAMING = [one for one in ALL if one.topics is not None]


@pytest.mark.parametrize("projection", NAMING, ids=lambda one: one.name)
def test_what_is_not_named_changes_nothing(projection: Projection):
    chance = random.Random(3)
    names = sorted(TELLINGS)
    other = 0
    for _ in range(60):
        choices = [(chance.choice((0, 1, 600)), chance.choice(names), chance.randrange(2**24)) for _ in range(40)]
        rows = {}
        for fact in told(choices):
            changes = projection.apply(rows, fact)
            if fact.event.TOPIC not in projection.topics:
                other += 1
                assert changes == {}, fact.event.TOPIC
            rows |= {key: row for key, row in changes.items() if row is not None}
    assert other


@pytest.mark.parametrize("projection", NAMING, ids=lambda one: one.name)
def test_every_name_is_one_of_a_kind_of_event(projection: Projection):
    assert projection.topics <= EVENTS.keys()


def test_everything_that_can_happen_to_a_budget_is_named():
    assert Budgets.topics == {kind.TOPIC for kind in EVENTS.values() if kind.OF == "budget"}
    assert len(KINDS) == len(Budgets.topics)
