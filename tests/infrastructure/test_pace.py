"""The pace of who catches up, and what his pages leave behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from infrastructure.folding import KEPT_ROWS, Folder
from infrastructure.pace import FEWEST, MOST, MOST_REST_SECONDS, QUICK_SECONDS, Pace, rest_after
from infrastructure.states import snapshot_due
from projections.timeline import timeline
from tests.support.counting import create_tables
from tests.support.folded import FACTS, expected, same
from tests.support.ledgers import Book, book


@pytest.fixture
def shelf(database: str, tmp_path: Path) -> Iterator[Book]:
    """An empty ledger, with the tables of a counting read model."""
    with book(database, tmp_path) as one:
        create_tables(one.engine)
        yield one


def test_full_pages_that_go_quickly_grow_up_to_the_most():
    pace = Pace()
    sizes = [pace.page]
    while len(sizes) < 6:
        pace.took(pace.page, QUICK_SECONDS / 2)
        sizes.append(pace.page)
    assert sizes == [500, 1_000, 2_000, 4_000, 8_000, 10_000]


def test_a_page_that_was_not_full_does_not_grow():
    pace = Pace()
    pace.took(FEWEST - 1, 0.0)
    assert pace.page == FEWEST


def test_a_slow_page_is_followed_by_half_of_it_but_never_by_fewer_than_the_fewest():
    pace = Pace()
    for _ in range(5):
        pace.took(pace.page, 0.0)
    pace.took(MOST, 3 * QUICK_SECONDS)
    assert pace.page == MOST // 2
    for _ in range(4):
        pace.took(pace.page, 3 * QUICK_SECONDS)
    assert pace.page == FEWEST


def test_whoever_asks_for_small_pages_gets_no_larger_ones():
    pace = Pace(40)
    pace.took(40, 0.0)
    assert pace.page == 40
    pace.took(40, 3 * QUICK_SECONDS)
    assert pace.page == 40


@pytest.mark.parametrize(("worked", "rest"), [(0.0, 0.01), (0.004, 0.01), (0.03, 0.03), (0.2, 0.2), (3.0, 0.25)])
def test_after_a_page_it_rests_as_long_as_it_worked_within_bounds(worked: float, rest: float):
    assert rest_after(worked) == rest


def test_where_few_events_come_they_are_seen_soon():
    pages = _steady(events_a_second=200)
    assert max(waited for _, waited, _ in pages) < 0.06


def test_where_many_come_pages_grow_and_an_event_costs_less_while_none_waits_for_a_second():
    few, many = _steady(events_a_second=200), _steady(events_a_second=1_000)
    assert _cost(many) < 0.6 * _cost(few)
    assert max(waited for _, waited, _ in many) < 1.0


def test_where_nothing_else_bounds_the_rest_the_most_does():
    assert rest_after(_steady(events_a_second=1_300)[-1][2]) == MOST_REST_SECONDS


def _steady(events_a_second: float) -> list[tuple[int, float, float]]:
    """(Events of a page, how long its first has waited, seconds worked), in time that the pages themselves move.

    A page costs 10 milliseconds of work, and 0.4 for each event; a third more passes in waiting for the database.
    """
    now, folded, pages = 0.0, 0, []
    while now < 60.0:
        came = int(now * events_a_second)
        n, first = came - folded, folded / events_a_second
        worked = 0.010 + 0.0004 * n
        now += worked * 4 / 3
        pages.append((n, now - first, worked))
        folded = came
        now += rest_after(worked)
    return pages[len(pages) // 2 :]


def _cost(pages: list[tuple[int, float, float]]) -> float:
    return sum(worked for _, _, worked in pages) / sum(n for n, _, _ in pages)


def test_pages_that_grow_give_the_rows_of_a_plain_fold(shelf: Book, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infrastructure.pace.FEWEST", 3)
    monkeypatch.setattr("infrastructure.pace.QUICK_SECONDS", 3_600)
    projector = shelf.projector()
    shelf.record(FACTS)
    reached: list[int] = []
    projector.catch_up(lambda position, head: reached.append(position))
    assert reached == [3, 9, 21, 45, 93, 189, 300]
    assert same(shelf.rows(), expected(FACTS))


def test_a_row_that_should_not_be_there_yet_is_written_over(shelf: Book):
    projector = shelf.projector()
    shelf.record(FACTS)
    fact = FACTS[0]
    left = {"position": 1, "kind": "left.behind", "role_class": "system", "time_known": True}
    place = {"ledger": "main", "generation": 1, "stream_id": fact.stream_id, "occurred_at": fact.occurred_at}
    with shelf.engine.begin() as conn:
        conn.execute(insert(timeline).values(**place, **left))
    projector.catch_up()
    assert projector.parked() == []
    assert same(shelf.rows(), expected(FACTS))


def test_memory_holds_the_rows_of_the_streams_touched_last_and_no_more(
    shelf: Book, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infrastructure.folding.KEPT_ROWS", 2)
    shelf.record(FACTS)
    kept: list[int] = []
    keep = Folder.keep

    def seen(folder: Folder, *given: object) -> None:
        keep(folder, *given)  # type: ignore[arg-type]
        kept.append(sum(map(len, folder._kept.values())))

    monkeypatch.setattr(Folder, "keep", seen)
    shelf.projector(page=40).catch_up()
    assert KEPT_ROWS > 2
    assert max(kept) <= 2
    assert same(shelf.rows(), expected(FACTS))


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [(19, 20, True), (20, 21, False), (38, 41, True), (399, 400, True), (419, 420, False)]
    + [(439, 440, True), (3_199, 3_200, True), (3_219, 3_220, False)],
)
def test_snapshots_of_a_long_stream_are_taken_at_about_a_tenth_of_it(before: int, after: int, due: bool):
    assert snapshot_due(before, after) is due
