"""Pages that cannot be folded as they are, and faults of one job that the others must not feel."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from infrastructure.bell import Bell
from infrastructure.checkpoints import Generation
from infrastructure.folding import Folder
from infrastructure.pace import Pace
from infrastructure.projector import Projector
from infrastructure.readmodels import ReadModels
from projections import ALL
from tests.support.counting import Counting, Row, create_tables
from tests.support.folded import FACTS, POISON, counted, poisoned, truly
from tests.support.ledgers import Book, book
from tests.support.processes import PATIENCE_SECONDS, eventually


def test_a_row_that_cannot_be_written_is_found_in_halves_with_one_commit_a_turn_at_most(shelf: Book):
    projector = shelf.projector([Counting(spoil=_refused)], page=300)
    shelf.record(FACTS)
    turns: list[int] = []
    with _commits(shelf.engine) as commits:
        while projector.lag():
            before = len(commits)
            projector.run_once()
            turns.append(len(commits) - before)
    assert max(turns) == 1
    assert len(turns) < 40
    assert [(one.stream_id, one.position) for one in projector.parked()] == [(POISON.stream_id, POISON.position)]
    assert counted(shelf).keys() == truly(FACTS).keys()


def test_a_rebuild_finds_a_row_that_cannot_be_written_with_one_commit_a_page_at_most(shelf: Book):
    shelf.record(FACTS)
    shelf.projector([Counting()]).catch_up()
    most = 0
    with _commits(shelf.engine) as commits:

        def progress(position: int, head: int) -> None:
            nonlocal most
            most = max(most, len(commits))
            commits.clear()

        mended = shelf.projector([Counting(spoil=_refused)], page=300)
        commits.clear()
        mended.rebuild("counting", progress)
    assert most <= 4  # with the lease taken, the generation begun, and the switch
    assert [(one.stream_id, one.position) for one in mended.parked()] == [(POISON.stream_id, POISON.position)]


def _refused(row: Row) -> Row:
    """A row that the database refuses where the poison is."""
    return dict(row) | ({"topic": None} if row.get("position") == POISON.position else {})


@contextmanager
def _commits(engine: Engine) -> Iterator[list[object]]:
    """Every commit while the block runs."""
    commits: list[object] = []
    noted = commits.append
    event.listen(engine, "commit", noted)
    yield commits
    event.remove(engine, "commit", noted)


# Pages that are too large for the time they may take.


@pytest.fixture
def hurried(postgres_database: str, tmp_path: Path) -> Iterator[Book]:
    """A ledger whose database cancels a statement that writes over ten rows, as if it had taken too long."""
    with book(postgres_database, tmp_path) as shelf:
        create_tables(shelf.engine)
        with shelf.engine.begin() as conn:
            conn.execute(text(_CANCELLED))
            conn.execute(
                text(
                    "CREATE TRIGGER hurried AFTER INSERT ON test_seen REFERENCING NEW TABLE AS added"
                    " FOR EACH STATEMENT EXECUTE FUNCTION hurried()"
                )
            )
        yield shelf


_CANCELLED = """
CREATE FUNCTION hurried() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF (SELECT count(*) FROM added) > 10 THEN RAISE 'took too long' USING ERRCODE = '57014'; END IF;
RETURN NULL; END $$
"""


def test_a_page_that_takes_too_long_is_tried_in_halves(hurried: Book):
    projector = hurried.projector([Counting()])
    hurried.record(FACTS)
    projector.catch_up()
    assert projector.parked() == []
    assert counted(hurried) == truly(FACTS)


def test_a_page_of_a_rebuild_that_takes_too_long_is_tried_in_halves(hurried: Book):
    projector = hurried.projector([Counting()])
    hurried.record(FACTS)
    projector.catch_up()
    projector.rebuild("counting")
    assert projector.position() == len(FACTS)
    assert counted(hurried) == truly(FACTS)


def test_a_single_event_that_cannot_be_folded_for_want_of_a_database_is_told(hurried: Book):
    projector = hurried.projector([Counting()])
    hurried.record(FACTS[:20])
    with hurried.engine.begin() as conn:
        conn.execute(text(_CANCELLED.replace("CREATE", "CREATE OR REPLACE").replace("> 10", "> 0")))
    with pytest.raises(DBAPIError):
        projector.catch_up()
    assert projector.parked() == []


def test_a_page_that_fails_is_halved_down_to_one_event_and_then_there_is_nothing_smaller():
    pace = Pace(8)
    sizes = [pace.page]
    while pace.failed():
        sizes.append(pace.page)
    assert sizes == [8, 4, 2, 1]
    assert pace.page == 1


def test_a_short_page_that_fails_is_halved_by_what_was_in_it():
    pace = Pace(400)
    assert pace.failed(6)
    assert pace.page == 3


def test_a_slow_page_smaller_than_the_fewest_is_not_followed_by_a_larger_one():
    pace = Pace()
    pace.failed(60)
    pace.took(30, 3_600)
    assert pace.page == 30


# Faults that are not about one value.


def test_a_fault_of_the_database_while_rows_are_loaded_parks_nobody(shelf: Book):
    projector = shelf.projector([Counting()])
    shelf.record(FACTS[:50])
    with _lost(shelf.engine, "test_counts"), pytest.raises(DBAPIError):
        projector.catch_up()
    projector.catch_up()
    assert projector.parked() == []
    assert counted(shelf) == truly(FACTS[:50])


@contextmanager
def _lost(engine: Engine, table: str) -> Iterator[None]:
    """The table is under another name while the block runs."""
    with engine.begin() as conn:
        conn.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    try:
        yield
    finally:
        with engine.begin() as conn:
            conn.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))


# Faults of one job.


def test_a_rebuild_that_fails_neither_holds_up_live_read_models_nor_drops_what_they_remember(shelf: Book):
    shelf.record(FACTS[:100])
    shelf.projector([*ALL, Counting()]).catch_up()
    bell = Bell()
    projector = shelf.projector([*ALL, Counting(version=2)], bell=bell)
    names = [one.name for one in ALL]
    try:
        with _lost(shelf.engine, "test_counts"):
            projector.start()  # not before: it would have built all there is by now
            for start in range(100, 300, 20):
                shelf.record(FACTS[start : start + 20])
                bell.ring()
                assert projector.wait(start + 20, PATIENCE_SECONDS, *names)
                eventually(lambda: _builds(shelf), "the rebuild has begun")
                assert _forgotten(projector) == []
        eventually(lambda: projector.position("counting") == 300, "the rebuild goes on by itself")
    finally:
        projector.stop()
    assert counted(shelf) == {stream: 2 * n for stream, n in truly(FACTS).items()}


def _builds(shelf: Book) -> bool:
    with shelf.engine.connect() as conn:
        return conn.execute(text("SELECT building FROM generations WHERE name = 'counting'")).scalar() is not None


def _forgotten(projector: Projector) -> list[str]:
    """The live read models that remember no rows, asked between two pages: what was folded is kept by then."""
    with projector._turn:
        return [folder.generation.name for folder in _folders(projector).values() if _empty(folder)]


def _empty(folder: Folder) -> bool:
    # One that names its kinds may have met none of them.
    wanted = bool(folder.projection.loaded) and folder.projection.topics is None
    return wanted and folder.generation.number == 1 and not folder._kept


def _folders(projector: Projector) -> dict[Generation, Folder]:
    return projector._models._folders


def test_a_stream_that_stays_parked_costs_nobody_the_rows_he_remembers(shelf: Book):
    projector = shelf.projector([Counting(on_apply=poisoned)])
    shelf.record(FACTS[:200])
    projector.catch_up()
    assert _forgotten(projector) == []
    assert projector.release() == 0
    assert _forgotten(projector) == []


def test_a_stream_set_free_beside_remembered_rows_is_folded_on_from_its_own(shelf: Book):
    faulty = True

    def failing(fact: object) -> None:
        if faulty:
            poisoned(fact)  # type: ignore[arg-type]

    projector = shelf.projector([Counting(on_apply=failing)], page=40)
    shelf.record(FACTS[:200])
    projector.catch_up()
    faulty = False
    assert projector.release() == 1
    shelf.record(FACTS[200:])
    projector.catch_up()
    assert counted(shelf) == truly(FACTS)


def test_whoever_folds_beside_a_rebuild_forgets_the_generation_that_it_replaced(shelf: Book):
    projector = shelf.projector([Counting()])
    shelf.record(FACTS[:100])
    projector.catch_up()
    shelf.projector([Counting()]).rebuild("counting")
    shelf.record(FACTS[100:120])
    projector.catch_up()
    assert list(_folders(projector)) == [Generation("counting", 2)]


def test_a_generation_that_is_being_built_keeps_what_it_remembers_while_others_fold(shelf: Book):
    projector = shelf.projector([Counting()], page=20)
    shelf.record(FACTS[:100])
    projector.catch_up()
    remembered: list[bool] = []

    def progress(position: int, head: int) -> None:
        projector.run_once()
        remembered.append(Generation("counting", 2) in _folders(projector))

    projector.rebuild("counting", progress)
    assert remembered[0]
    assert ReadModels(shelf.engine, shelf.mapper, [Counting()], Bell()).live() == [Generation("counting", 2)]
