"""Streams that a read model cannot fold: they wait, nobody else does, and nothing of them is lost."""

from uuid import UUID

from sqlalchemy import LargeBinary, literal, update

from infrastructure.engine import writing
from infrastructure.recorder import insert_records, lock_head, move_head, read_records
from projections import ALL
from projections.recovery_rows import recovery_streams
from tests.support.counting import Counting
from tests.support.folded import FACTS, POISON, counted, expected, poisoned, same, truly
from tests.support.ledgers import Book


def test_a_poison_event_parks_its_stream_and_nobody_else(shelf: Book):
    shelf.record(FACTS)
    projector = shelf.projector([*ALL, Counting(on_apply=poisoned)], page=40)
    projector.catch_up()
    assert projector.lag() == 0
    (stuck,) = projector.parked()
    assert (stuck.projection, stuck.stream_id, stuck.position) == ("counting", POISON.stream_id, POISON.position)
    assert "Misunderstood" in stuck.error
    assert "canary" not in stuck.error
    found, wanted = counted(shelf), truly(FACTS)
    before = [fact for fact in FACTS[: POISON.position - 1] if fact.stream_id == POISON.stream_id]
    assert found.pop(str(POISON.stream_id)) == len(before)
    wanted.pop(str(POISON.stream_id))
    assert found == wanted
    assert same(shelf.rows(), expected(FACTS))


def test_released_after_a_fix_it_equals_a_clean_rebuild(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector([Counting(on_apply=poisoned)], page=40).catch_up()
    fixed = shelf.projector([Counting()])
    assert fixed.release() == 1
    assert fixed.parked() == []
    assert counted(shelf) == truly(FACTS[:200])
    shelf.record(FACTS[200:250])
    fixed.catch_up()
    assert counted(shelf) == truly(FACTS[:250])


def test_released_without_a_fix_it_stays_parked(shelf: Book):
    shelf.record(FACTS[:200])
    projector = shelf.projector([Counting(on_apply=poisoned)])
    projector.catch_up()
    stuck = projector.parked()
    assert projector.release() == 0
    assert [(one.stream_id, one.position) for one in projector.parked()] == [
        (one.stream_id, one.position) for one in stuck
    ]


def test_a_row_that_the_database_refuses_parks_its_stream_at_that_very_event(shelf: Book):
    def spoil(row: dict[str, object]) -> dict[str, object]:
        return row | ({"topic": None} if row.get("position") == POISON.position else {})

    shelf.record(FACTS)
    projector = shelf.projector([Counting(spoil=spoil)], page=40)
    projector.catch_up()
    assert [(one.stream_id, one.position) for one in projector.parked()] == [(POISON.stream_id, POISON.position)]
    others = {stream: n for stream, n in truly(FACTS).items() if stream != str(POISON.stream_id)}
    assert {stream: n for stream, n in counted(shelf).items() if stream in others} == others


def test_an_event_that_cannot_be_decoded_parks_its_stream_everywhere(shelf: Book):
    shelf.record(FACTS[:50])
    _record_damaged(shelf)
    projector = shelf.projector([*ALL, Counting()])
    projector.catch_up()
    damaged = stream_at(shelf, 51)
    assert {(one.projection, one.stream_id, one.position) for one in projector.parked()} == {
        (one.name, damaged, 52) for one in (*ALL, Counting())
    }


def _record_damaged(shelf: Book) -> None:
    shelf.record(FACTS[50:51])
    with shelf.engine.connect() as conn:
        (good,) = read_records(conn, "main", 50, 1)
    bad = good._replace(position=52, public=b"not JSON", version=good.version + 1, event_id=UUID(int=99))
    with writing(shelf.engine) as conn:
        lock_head(conn, "main")
        insert_records(conn, [bad])
        move_head(conn, "main", 52, good.recorded_at)


def stream_at(shelf: Book, position: int) -> UUID:
    with shelf.engine.connect() as conn:
        return read_records(conn, "main", position - 1, 1)[0].stream_id


def test_stored_rows_that_cannot_be_read_park_their_stream_and_nobody_else(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector(page=40).catch_up()
    damaged = FACTS[200].stream_id
    streams = recovery_streams.c.stream_id
    with shelf.engine.begin() as conn:
        conn.execute(
            update(recovery_streams)
            .where(streams == damaged)
            .values(cases=literal(b"not what was written", LargeBinary))
        )
    shelf.record(FACTS[200:])
    projector = shelf.projector(page=40)
    projector.catch_up()
    assert projector.lag() == 0
    assert [(one.projection, one.stream_id, one.position) for one in projector.parked()] == [
        ("recoveries", damaged, 201)
    ]
    assert projector.release() == 0
    projector.rebuild("recoveries")
    assert projector.parked() == []
    assert same(shelf.rows(), expected(FACTS))


def test_a_parked_stream_is_gone_with_a_rebuild_of_the_fixed_projection(shelf: Book):
    shelf.record(FACTS[:200])
    shelf.projector([Counting(on_apply=poisoned)]).catch_up()
    fixed = shelf.projector([Counting()])
    fixed.rebuild("counting")
    assert fixed.parked() == []
    assert counted(shelf) == truly(FACTS[:200])
