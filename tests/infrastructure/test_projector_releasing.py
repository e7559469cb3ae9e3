"""Parked streams set free: by an operator, by a mended program that starts, or by themselves after a while."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.kinds import EVENTS, Fact
from infrastructure.bell import Bell
from infrastructure.parking import Parking
from infrastructure.readmodels import ReadModels
from infrastructure.stories import Key, ProjectionLike, Row
from projections import ALL
from tests.support import checker
from tests.support.counting import Counting, create_tables
from tests.support.folded import FACTS, POISON, Misunderstood, counted, poisoned, truly
from tests.support.ledgers import Book, book
from tests.support.processes import eventually


@dataclass
class Faulty:
    """A read model as it is, but for one event that it cannot fold."""

    inner: ProjectionLike

    def __post_init__(self) -> None:
        self.name, self.version = self.inner.name, self.inner.version
        self.tables, self.loaded = self.inner.tables, self.inner.loaded
        self.volatile, self.only_volatile = self.inner.volatile, self.inner.only_volatile
        self.topics = None

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> Mapping[Key, Row | None]:
        """What the read model says, but for the one event."""
        poisoned(fact)
        return self.inner.apply(rows, fact)

    def stored(self, key: Key, row: Row) -> Row:
        """The row as it is written."""
        return self.inner.stored(key, row)


def raw(shelf: Book) -> checker.Rows:
    """Every row of the live read models as the database has it."""
    with shelf.engine.connect() as conn:
        return checker.live_rows(conn)


def parking(shelf: Book, on_apply: Callable[[Fact], None]) -> Parking:
    """The parked streams of a counting read model in a program of its own."""
    return Parking(ReadModels(shelf.engine, shelf.mapper, [Counting(on_apply=on_apply)], Bell()), shelf.clock)


# By an operator.


def test_released_rows_are_those_of_a_clean_rebuild_byte_for_byte(shelf: Book) -> None:
    shelf.record(FACTS[:250])
    broken = shelf.projector([Faulty(one) for one in ALL], page=40)
    broken.catch_up()
    shelf.record(FACTS[250:])
    broken.catch_up()
    assert {one.projection for one in broken.parked()} == {one.name for one in ALL}
    fixed = shelf.projector(ALL)
    assert fixed.release() == len(ALL)
    live = raw(shelf)
    for one in ALL:
        fixed.rebuild(one.name)
    assert raw(shelf) == live


def test_a_stream_released_while_another_program_folds_misses_nothing_and_counts_nothing_twice(
    shelf: Book,
) -> None:
    shelf.record(FACTS[:150])
    bell = Bell()
    folding, mended = shelf.projector([Counting(on_apply=poisoned)], bell=bell), shelf.projector([Counting()])
    folding.start()
    try:
        eventually(lambda: bool(folding.parked()), "the stream is parked")
        for start in range(150, 300, 10):
            shelf.record(FACTS[start : start + 10])
            bell.ring()
            mended.release()
        assert folding.wait(300, 60)
    finally:
        folding.stop()
    assert folding.parked() == []
    assert counted(shelf) == truly(FACTS)


def test_a_stream_that_got_stuck_in_a_rebuild_is_released_after_the_switch(shelf: Book) -> None:
    shelf.record(FACTS[:200])
    shelf.projector([Counting()]).catch_up()
    shelf.projector([Counting(on_apply=poisoned)], page=40).rebuild("counting")
    fixed = shelf.projector([Counting()])
    (stuck,) = fixed.parked()
    assert (stuck.stream_id, stuck.position) == (POISON.stream_id, POISON.position)
    assert counted(shelf) != truly(FACTS[:200])
    assert fixed.release() == 1
    assert counted(shelf) == truly(FACTS[:200])


def test_a_row_too_large_for_an_index_of_postgresql_parks_its_stream_and_nobody_else(
    postgres_database: str, tmp_path: Path
) -> None:
    with book(postgres_database, tmp_path) as shelf:
        create_tables(shelf.engine)
        _index_rows_too_large(shelf)


def _index_rows_too_large(shelf: Book) -> None:
    with shelf.engine.begin() as conn:
        conn.execute(text("CREATE INDEX ON test_seen (topic)"))
    large = "".join(chr(0x4E00 + n * n % 20_000) for n in range(20_000))

    def spoil(row: Row) -> Row:
        return row | ({"topic": large} if row.get("position") == POISON.position else {})

    shelf.record(FACTS[:200])
    projector = shelf.projector([Counting(spoil=spoil)], page=40)
    projector.catch_up()
    assert [(one.stream_id, one.position) for one in projector.parked()] == [(POISON.stream_id, POISON.position)]
    assert projector.release() == 0
    fixed = shelf.projector([Counting()])
    assert fixed.release() == 1
    assert counted(shelf) == truly(FACTS[:200])


# By a program that starts.


def test_a_mended_program_frees_what_is_parked_by_itself_when_it_starts(shelf: Book) -> None:
    shelf.record(FACTS[:200])
    shelf.projector([Counting(on_apply=poisoned)], page=40).catch_up()
    mended = shelf.projector([Counting()])
    mended.start()
    try:
        eventually(lambda: not mended.parked(), "the mended program frees the stream")
    finally:
        mended.stop()
    assert counted(shelf) == truly(FACTS[:200])


def test_an_event_that_only_a_newer_program_can_read_waits_for_it(
    shelf: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.record(FACTS[:200])
    with monkeypatch.context() as older:
        older.delitem(EVENTS, POISON.event.TOPIC)
        behind = shelf.projector(ALL, page=40)
        behind.catch_up()
        assert behind.lag() == 0
        unread = {fact.stream_id for fact in FACTS[:200] if fact.event.TOPIC == POISON.event.TOPIC}
        assert {one.stream_id for one in behind.parked()} == unread
        assert {one.error for one in behind.parked()} == {"apology.made is a newer program's"}
    newer = shelf.projector(ALL)
    newer.start()
    try:
        eventually(lambda: not newer.parked(), "the newer program reads what the older could not")
    finally:
        newer.stop()
    live = raw(shelf)
    for one in ALL:
        newer.rebuild(one.name)
    assert raw(shelf) == live


# By themselves.


def test_a_fault_that_passes_heals_by_itself(shelf: Book) -> None:
    passed = threading.Event()

    def failing(fact: Fact) -> None:
        if not passed.is_set():
            poisoned(fact)

    shelf.record(FACTS[:200])
    bell = Bell()
    projector = shelf.projector([Counting(on_apply=failing)], bell=bell)
    projector.start()
    try:
        eventually(lambda: bool(projector.parked()), "the stream is parked")
        passed.set()

        def freed() -> bool:
            shelf.clock.forward(seconds=5)
            bell.ring()
            return not projector.parked()

        eventually(freed, "the stream is free")
    finally:
        projector.stop()
    assert counted(shelf) == truly(FACTS[:200])


def test_what_stays_broken_is_tried_ever_more_rarely_but_every_five_minutes(shelf: Book) -> None:
    tried: list[datetime] = []

    def noting(fact: Fact) -> None:
        if fact.event_id == POISON.event_id:
            tried.append(shelf.clock.now)
        poisoned(fact)

    shelf.record(FACTS[:200])
    shelf.projector([Counting(on_apply=poisoned)]).catch_up()
    waiting = parking(shelf, noting)
    for _ in range(1_000):
        waiting.retry()
        shelf.clock.forward(seconds=1)
    assert [(after - before).seconds for before, after in pairwise(tried)] == [10, 20, 40, 80, 160, 300, 300]


def test_a_clock_that_is_put_back_does_not_keep_streams_parked(shelf: Book) -> None:
    shelf.record(FACTS[:200])
    shelf.projector([Counting(on_apply=poisoned)]).catch_up()
    mended = threading.Event()

    def failing(fact: Fact) -> None:
        if not mended.is_set():
            poisoned(fact)

    waiting = parking(shelf, failing)
    assert waiting.retry()
    mended.set()
    shelf.clock.forward(hours=-1)
    assert waiting.retry()
    assert waiting.streams() == []


def test_many_parked_streams_are_tried_a_few_at_a_time(shelf: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.parking.TRIED_AT_ONCE", 2)
    tried: list[int] = []

    def failing(fact: Fact) -> None:
        tried.append(fact.position)
        raise Misunderstood

    shelf.record(FACTS[:100])
    shelf.projector([Counting(on_apply=failing)]).catch_up()
    tried.clear()
    waiting, told = parking(shelf, failing), []
    for _ in range(4):
        waiting.retry()
        told.append(len(tried))
    assert told == [2, 4, 5, 5]
