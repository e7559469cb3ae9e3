"""What one more fact costs a customer with many recoveries: what is written does not grow with their number."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kinds import Fact
from domain.relationship import Relationship, evolve
from projections import ALL
from projections.base import Key, Projection, Row, replaced
from projections.recovery_cases import Standing
from tests.support.histories import histories, told
from tests.support.soak import examples


def one_more(projection: Projection, facts: Sequence[Fact]) -> tuple[list[Key], int]:
    """The rows that the last of these facts changes, and how many bytes the states in them have."""
    rows: dict[Key, Row] = {}
    changes: dict[Key, Row | None] = {}
    loaded = {table.name for table in projection.loaded}
    for fact in facts:
        changes = projection.apply(rows, fact)
        rows |= {key: row for key, row in changes.items() if row is not None and key[0] in loaded}
    size = 0
    for key, row in changes.items():
        (table,) = (one for one in projection.tables if one.name == key[0])
        stored = projection.stored(key, row or {})
        kept = (column for column in table.c if type(column.type).__name__ == "Folded")
        size += sum(len(column.type.process_bind_param(stored[column.name], None) or b"") for column in kept)
    return list(changes), size


@pytest.mark.parametrize("projection", ALL, ids=lambda one: one.name)
def test_a_fact_writes_no_more_for_two_hundred_recoveries_than_for_two(projection: Projection):
    few, many = (told([(20 * 24 * 60, "failure", 7)] * n + [(5, "apologised", 0)]) for n in (2, 200))
    few_rows, few_bytes = one_more(projection, few)
    many_rows, many_bytes = one_more(projection, many)
    assert len(many_rows) == len(few_rows)
    assert many_bytes <= few_bytes + 50


@examples(40, many=2_000)
@given(facts=histories(), chosen=st.lists(st.integers(0, 200), max_size=8))
def test_what_is_true_of_all_recoveries_does_not_depend_on_what_was_asked_before(
    facts: list[Fact], chosen: list[int]
):
    states = [Relationship(facts[0].stream_id)]
    for fact in facts:
        states.append(evolve(states[-1], fact))
    used = Standing()
    for n in chosen:
        state = states[n % len(states)]
        fresh, again = Standing().look(state), used.look(state)
        assert (again.next_due_at, again.open, again.phases) == (fresh.next_due_at, fresh.open, fresh.phases)
        assert not fresh.phases or again.last is fresh.last


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=12),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=12),
)
def test_entries_replaced_are_those_that_are_other_objects_or_new(
    then: list[tuple[int, int]], more: list[tuple[int, int]]
):
    before = {key: [value] for key, value in then}
    after = {**before, **{key: [value] for key, value in more}}
    assert dict(replaced(before, after)) == {key: [value] for key, value in more}
    assert replaced(after, after) == []
