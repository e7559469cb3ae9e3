"""What befalls receivers, processes, clocks and databases, and that nobody is told too little for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from domain.kinds import Fact
from infrastructure.projector import Projector
from infrastructure.webhooks.messages import LATER, Message
from infrastructure.webhooks.tables import dead_letters, webhooks
from projections import ALL
from tests.support.exposition import told_by
from tests.support.receivers import Delivered, Receiver, in_turn, receiver, status
from tests.support.webhooks import Hook, Office


@contextmanager
def lost_at(engine: Engine, statement: str) -> Iterator[None]:
    """The database is lost each time that a statement begins so."""

    def lose(_conn: Any, _cursor: Any, asked: str, *_: Any) -> None:
        if asked.startswith(statement):
            raise OperationalError(asked, None, Exception("connection lost"))

    event.listen(engine, "before_cursor_execute", lose)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", lose)


def test_t_38_a_receiver_that_never_answers_delays_nobody_else(desk: Office, crm: Receiver, hook: Hook):
    def stays_silent(told: Delivered, handler: Any) -> None:
        stuck.ended.wait()
        handler.close_connection = True

    desk.house.clock.forward(seconds=10)
    working = desk.another(every_seconds=0.01)
    with receiver() as stuck, desk.telling(stuck):
        stuck.answer = stays_silent
        positions = desk.happen("beside a stuck one", 2)
        working.start()
        stuck.wait_for(1)
        crm.wait_for(len(positions))
        positions += desk.happen("while it is stuck", 1)
        crm.wait_for(len(positions))
        assert crm.positions == positions
        assert stuck.positions == positions[:1]
        stuck.ended.set()
        working.stop()
    desk.house.clock.forward(seconds=10)


def test_t_38_a_dead_receiver_is_tried_four_times_in_an_hour_however_much_happens(
    desk: Office, crm: Receiver, hook: Hook
):
    crm.answer = status(503)
    first = desk.house.container.ledger.head() + 1
    for minute in range(60):
        if minute % 20 == 0:
            desk.happen(f"storm {minute}", 3)
        desk.deliver()
        desk.house.clock.forward(minutes=1)
    assert len(crm.told) == 4
    assert set(crm.positions) == {first}
    waiting = desk.house.container.ledger.head() - first + 1
    figures = told_by(desk.house.container.metrics.registry)
    assert figures.value("amends_webhook_lag_events") == hook.now()["behind"] == waiting
    assert desk.house.get("/readyz")["status"] == "ready"


def test_a_crash_after_the_receiver_took_it_tells_it_again_with_the_same_id(
    desk: Office, crm: Receiver, hook: Hook
):
    positions = desk.happen("crash", 2)
    with lost_at(desk.house.container.delivering, "UPDATE webhooks"):
        desk.deliver()
        desk.house.clock.forward(seconds=5)
        desk.deliver()
    assert crm.positions == [positions[0]] * 2
    desk.house.clock.forward(minutes=5)
    desk.deliver()
    assert crm.positions == [positions[0]] * 2 + positions
    assert len({one.id for one in crm.told}) == len(positions)
    assert in_crm(crm.told) == in_crm(crm.told[2:])


def test_a_database_that_cannot_be_written_lets_nobody_be_told_the_same_at_every_look(
    desk: Office, crm: Receiver, hook: Hook
):
    positions = desk.happen("not written down", 0)
    with lost_at(desk.house.container.delivering, "UPDATE webhooks"), capture_logs() as lines:
        for _ in range(3):
            desk.deliver()
    assert crm.positions == positions
    [said] = [one for one in lines if one["event"] == "delivering_failed"]
    assert (said["webhook"], said["reason"]) == (hook.webhook_id, "internal")
    desk.house.clock.forward(seconds=5)
    desk.deliver()
    assert (crm.positions, hook.now()["behind"]) == (positions * 2, 0)


def in_crm(told: list[Delivered]) -> dict[str, int]:
    """What a receiver that knows what it has seen keeps: the newest version of each subject."""
    seen: set[str] = set()
    kept: dict[str, int] = {}
    for one in told:
        if one.id not in seen:
            seen.add(one.id)
            data = one.json["data"]
            kept[data["subject"]] = max(kept.get(data["subject"], 0), data["version"])
    return kept


def test_of_two_processes_one_delivers_and_the_other_takes_over_when_it_is_gone(
    desk: Office, crm: Receiver, hook: Hook
):
    second = desk.another()
    crm.answer = lambda told, handler: (crm.ended.wait(), status(204)(told, handler))[1]
    positions = desk.happen("two processes", 1)
    desk.courier.begin()
    crm.wait_for(1)
    second.run_once()
    assert crm.positions == positions[:1]
    crm.answer = status(204)
    crm.ended.set()
    desk.deliver()
    assert crm.positions == positions
    desk.happen("after the first is gone", 0)
    desk.house.clock.forward(seconds=10)
    second.run_once()
    assert len(crm.told) == len(positions) + 1
    desk.house.clock.forward(seconds=10)


def test_who_delivers_late_moves_nothing_that_somebody_else_has_moved(desk: Office, crm: Receiver, hook: Hook):
    positions = desk.happen("moved meanwhile", 2)

    def rewinds(told: Delivered, handler: Any) -> None:
        crm.answer = status(204)
        hook.resend(after=positions[0] - 1)
        status(204)(told, handler)

    crm.answer = in_turn(status(204), rewinds)
    desk.deliver()
    desk.deliver()
    assert crm.positions == positions[:2] + positions


def test_a_rebuild_of_a_read_model_tells_nobody_anything(desk: Office, crm: Receiver, hook: Hook):
    positions = desk.happen("before a rebuild", 1)
    desk.deliver()
    parts = desk.house.container
    Projector(parts.working, parts.mapper, ALL, clock=desk.house.clock).rebuild("feed")
    desk.deliver()
    assert crm.positions == positions


def test_a_restored_dump_goes_on_where_the_dump_stood(desk: Office, crm: Receiver, hook: Hook):
    positions = desk.happen("dumped", 1)
    desk.deliver()
    engine = desk.house.container.delivering
    with engine.connect() as conn:
        dumped = dict(conn.execute(select(webhooks.c.position, webhooks.c.revision)).one()._mapping)
    more = desk.happen("after the dump", 1)
    desk.deliver()
    with engine.begin() as conn:
        conn.execute(webhooks.update().values(dumped))
    desk.deliver()
    assert crm.positions == positions + more + more


def test_an_event_that_a_restored_dump_does_not_have_is_waited_for_by_nobody(
    desk: Office, crm: Receiver, hook: Hook
):
    [position] = desk.happen("the last one", 0)
    desk.deliver()
    hook.resend(position=position)
    with desk.house.container.delivering.begin() as conn:
        conn.execute(dead_letters.update().values(position=position + 1000))
    desk.deliver()
    assert (hook.dead_letters(), crm.positions) == ([], [position])


def test_what_only_a_newer_program_knows_waits_for_it_with_all_that_follows(
    desk: Office, crm: Receiver, hook: Hook
):
    positions = desk.happen("of a newer kind", 3)
    unknown = positions[1]

    def knows_less(fact: Fact) -> Message | None:
        return LATER if fact.position == unknown else desk.house.container.told_of(fact)

    desk.house.clock.forward(seconds=10)
    older = desk.another(knows_less)
    older.run_once()
    older.run_once()
    assert crm.positions == positions[:1]
    waiting = hook.now()
    assert (waiting["position"], waiting["behind"], waiting["failures"]) == (positions[0], len(positions) - 1, 0)
    hook.resend(position=unknown)
    older.run_once()
    assert crm.positions == positions[:1]
    assert hook.dead_letters()[0]["reason"] == "newer_program_needed"
    desk.house.clock.forward(seconds=10)
    desk.deliver()
    assert crm.positions == positions


def test_a_clock_that_was_set_back_keeps_nobody_waiting(desk: Office, crm: Receiver):
    crm.answer = in_turn(status(503), status(204))
    with desk.telling(crm):
        positions = desk.happen("a clock", 0)
        desk.deliver()
        desk.house.clock.forward(days=-2)
        desk.deliver()
        assert crm.positions == positions * 2
    desk.house.clock.forward(days=2)


def test_what_is_recorded_is_told_without_waiting_for_the_next_look(desk: Office, crm: Receiver, hook: Hook):
    desk.house.clock.forward(seconds=10)
    working = desk.another(every_seconds=3600, bell=desk.house.container.bell)
    working.start()
    positions: list[int] = []
    for number in range(3):
        positions += desk.happen(f"the bell {number}", 1)
        crm.wait_for(len(positions))
    working.stop()
    desk.house.clock.forward(seconds=10)
    assert crm.positions == positions


def test_it_works_in_threads_of_its_own_and_ends_when_told(desk: Office, crm: Receiver, hook: Hook):
    positions = desk.happen("by itself", 1)
    desk.house.clock.forward(seconds=10)
    working = desk.another(every_seconds=0.01)
    working.start()
    crm.wait_for(len(positions))
    working.stop()
    desk.house.clock.forward(seconds=10)
    desk.happen("after the end", 0)
    assert crm.positions == positions
    desk.deliver()
