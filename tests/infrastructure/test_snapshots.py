"""Snapshots: they make loading quicker and change nothing, whatever became of them."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import Connection, Row, select, update

import domain.all_kinds  # noqa: F401 - every kind must be known
from domain.kinds import EVENTS, Fact
from domain.moves.contact import UpdateCustomer
from domain.relationship import Relationship, evolve
from infrastructure.engine import writing
from infrastructure.ledger import Ledger
from infrastructure.states import FOLD, SNAPSHOT_EVERY, load, save_snapshots, shape_of
from infrastructure.tables import events, snapshots
from tests.support.folded import FACTS
from tests.support.histories import histories
from tests.support.ledgers import Book, book
from tests.support.soak import examples
from tests.support.writing import Desk, desk, late

STREAM = FACTS[0].stream_id
STORY = [fact for fact in FACTS if fact.stream_id == STREAM]
"""One customer's story of some 60 facts."""
Spoil = Callable[[bytes], bytes]


def folded(facts: list[Fact], stream: UUID = STREAM) -> Relationship:
    """The state that these facts give, one after the other."""
    state = Relationship(stream)
    for fact in facts:
        state = evolve(state, fact)
    return state


def loaded(shelf: Book, stream: UUID = STREAM) -> Relationship:
    """The state as a writer finds it."""
    with writing(shelf.engine) as conn:
        return load(conn, shelf.mapper, "main", [stream], Relationship)[stream]


def told(shelf: Book, stream: UUID = STREAM) -> list[Fact]:
    """The facts of the stream as the ledger has them."""
    query = select(events.c.position).where(events.c.stream_id == stream).order_by(events.c.version)
    with shelf.engine.connect() as conn:
        positions = list(conn.scalars(query))
    by_position = {fact.position: fact for fact in _facts(shelf)}
    return [by_position[position] for position in positions]


def _facts(shelf: Book) -> list[Fact]:
    return Ledger(shelf.engine, shelf.mapper, "main").facts(0, 10_000)


def kept(shelf: Book) -> list[Row[tuple[int, str, bytes]]]:
    """(version, format, state) of every snapshot, oldest first."""
    with shelf.engine.connect() as conn:
        columns = (snapshots.c.version, snapshots.c.format, snapshots.c.state)
        return list(conn.execute(select(*columns).order_by(snapshots.c.version)))


def snapshot(shelf: Book, state: Relationship) -> None:
    """Stores this state."""
    with writing(shelf.engine) as conn:
        save_snapshots(conn, "main", [state])


@pytest.fixture
def halfway(shelf: Book) -> Book:
    """A ledger with one customer's story, and a snapshot of him in the middle of it."""
    shelf.record(FACTS)
    snapshot(shelf, folded(told(shelf)[:30]))
    return shelf


# With and without.


@examples(15, many=400)
@hypothesis.given(facts=histories(), data=st.data())
def test_the_state_is_the_same_with_and_without_a_snapshot(
    sqlite_template: Path, facts: list[Fact], data: st.DataObject
) -> None:
    versions = data.draw(st.lists(st.integers(1, len(facts)), unique=True, max_size=3))
    stream = facts[0].stream_id
    with _fresh(sqlite_template) as shelf:
        shelf.record(facts)
        stored = told(shelf, stream)
        without = loaded(shelf, stream)
        assert without == folded(stored, stream)
        for version in versions:
            snapshot(shelf, folded(stored[:version], stream))
            assert loaded(shelf, stream) == without
            # Each takes the place of the older ones.
            assert next(row.version for row in kept(shelf)) == version
        assert [row.version for row in kept(shelf)] == _not_replaced(versions)


def _not_replaced(versions: list[int]) -> list[int]:
    """Those that no higher one came after, in their order."""
    return sorted(one for n, one in enumerate(versions) if all(later < one for later in versions[n + 1 :]))


@contextmanager
def _fresh(template: Path) -> Iterator[Book]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "amends.db"
        shutil.copyfile(template, path)
        with book(f"sqlite:///{path}", Path(folder)) as one:
            yield one


def test_a_snapshot_is_read_instead_of_the_events_before_it(halfway: Book) -> None:
    state = folded(told(halfway)[:30])
    snapshot(halfway, replace(state, contactable=not state.contactable))
    assert loaded(halfway) != folded(told(halfway))


def test_whoever_adds_a_kind_of_event_raises_the_fold() -> None:
    kinds = sorted(kind.TYPE for kind in EVENTS.values() if kind.__module__.startswith("domain."))
    # An older program of the same fold would take a newer one's snapshot for something it could have made itself.
    assert (FOLD, len(kinds), sha256(" ".join(kinds).encode()).hexdigest()[:16]) == (3, 88, "bf570d3ad6e9470e")


# Damaged, strange, ahead.


def flipped(state: bytes) -> bytes:
    """One bit is not what it was."""
    middle = len(state) // 2
    return state[:middle] + bytes([state[middle] ^ 1]) + state[middle + 1 :]


SPOILT = {
    "empty": lambda state: b"",
    "cut short": lambda state: state[:-1],
    "one bit": flipped,
    "no digest": lambda state: state[32:],
    "zeroes": lambda state: bytes(len(state)),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=list(SPOILT))
def test_damaged_bytes_are_passed_over_and_replaced(halfway: Book, spoil: Spoil) -> None:
    (row,) = kept(halfway)
    _spoil(halfway, state=spoil(row.state))
    assert loaded(halfway) == folded(told(halfway))
    (anew,) = kept(halfway)
    assert (anew.version, anew.format) == (len(STORY), shape_of(Relationship).format)
    assert loaded(halfway) == folded(told(halfway))


def test_a_snapshot_of_somebody_else_is_passed_over(halfway: Book) -> None:
    other = next(fact.stream_id for fact in FACTS if fact.stream_id != STREAM)
    (row,) = kept(halfway)
    with writing(halfway.engine) as conn:
        version = {"stream_id": other, "version": row.version, "position": 1, "ledger": "main"}
        conn.execute(snapshots.insert().values(**version, format=shape_of(Relationship).format, state=row.state))
    assert loaded(halfway, other) == folded(told(halfway, other), other)
    assert loaded(halfway) == folded(told(halfway))


@pytest.mark.parametrize("strange", ["relationship:0:0123456789abcdef", "pkg:Snapshot", ""])
def test_a_snapshot_in_another_format_is_passed_over(halfway: Book, strange: str) -> None:
    _spoil(halfway, format=strange)
    assert loaded(halfway) == folded(told(halfway))


def test_one_of_ours_takes_the_place_of_another_formats_at_the_same_version(halfway: Book) -> None:
    _spoil(halfway, format="relationship:0:0123456789abcdef", state=b"{}")
    snapshot(halfway, folded(told(halfway)[:30]))
    assert [(row.version, row.format) for row in kept(halfway)] == [(30, shape_of(Relationship).format)]
    assert loaded(halfway) == folded(told(halfway))


def test_a_snapshot_ahead_of_a_ledger_that_was_restored_is_passed_over_and_taken_away(shelf: Book) -> None:
    shelf.record(FACTS[:200])
    before = folded(told(shelf))
    ahead = folded(STORY)
    assert ahead.version > before.version
    snapshot(shelf, ahead)
    assert loaded(shelf) == before
    assert [row.version for row in kept(shelf)] == [before.version]


def test_a_snapshot_of_what_the_ledger_held_before_a_restore_is_not_taken_for_what_it_holds_now(
    shelf: Book,
) -> None:
    gone = next(fact.position for fact in FACTS if fact.stream_id != STREAM)
    shelf.record(FACTS[: gone - 1])
    shelf.record(FACTS[gone:])  # without it, everything after it stands one lower
    stored = told(shelf)
    before = folded([fact for fact in STORY if fact.version <= 30])
    assert before.position != stored[29].position
    snapshot(shelf, before)
    assert loaded(shelf) == folded(stored)
    assert [row.version for row in kept(shelf)] == [len(stored)]


# Through the writer.


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Desk]:
    """A writer that keeps no states in memory, so that each page loads what it needs."""
    with desk(database, tmp_path, states=0) as made:
        yield made


def test_a_customer_whose_snapshot_is_damaged_is_served_as_if_nothing_were(amends: Desk) -> None:
    customer = amends.post(late()).customer_id
    while amends.post(UpdateCustomer(kind="progress"), customer).version < SNAPSHOT_EVERY + 5:
        pass
    with amends.engine.begin() as conn:
        assert _versions(conn) == [SNAPSHOT_EVERY]
        conn.execute(update(snapshots).values(state=b"not what was written"))
    assert amends.post(UpdateCustomer(kind="progress"), customer).version == SNAPSHOT_EVERY + 6
    with amends.engine.begin() as conn:
        assert _versions(conn) == [SNAPSHOT_EVERY + 5]


def _versions(conn: Connection) -> list[int]:
    return list(conn.scalars(select(snapshots.c.version)))


def _spoil(shelf: Book, **values: object) -> None:
    with writing(shelf.engine) as conn:
        conn.execute(update(snapshots).values(**values))
