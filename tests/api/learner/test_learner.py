"""The learner: two of them, crashes, pages of any size, rebuilds and upgrades ask for the same things once."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from domain.errors import Busy, NewerProgramNeeded
from infrastructure.learning import Seen
from infrastructure.migrate import configured, upgrade
from infrastructure.orders import Order, Outcome
from infrastructure.projector import Projector
from projections import ALL
from tests.support.exposition import told_by
from tests.support.http import Service, service
from tests.support.learners import CLERK, asked, counted, gaps, joined, learner


def test_two_that_look_at_the_same_time_ask_once_and_count_once(amends: Service):
    gaps(amends, 4)
    first = learner(amends)

    def overtaken(*given: Any) -> Seen:
        found = amends.container.learned(*given)
        assert first.run_once() == 1
        return found

    second = learner(amends, look=overtaken)
    assert second.run_once() == 0
    assert asked(amends) == ["returns"]
    gaps(amends, 1)
    assert (first.run_once(), learner(amends).run_once()) == (0, 0)
    gaps(amends, 1)
    assert learner(amends).run_once() == 1
    assert asked(amends) == ["returns", "returns"]


def test_one_by_one_or_all_at_once_it_asks_for_the_same_and_counts_the_same(quick: Service, tmp_path: Path):
    folder = tmp_path / "other"
    folder.mkdir()
    with service(f"sqlite:///{folder}/amends.db", folder) as other:
        joined(other)
        for topic in ("returns", "tills", "returns", "returns", "tills", "returns", "tills", "returns", "returns"):
            gaps(quick, 1, topic)
            learner(quick, at_once=1).run_once()
            gaps(other, 1, topic)
        assert learner(other, at_once=3).run_once() == 3
        assert asked(other) == asked(quick) == ["returns", "tills", "returns"]
        # Positions differ by the requests that stand between.
        assert [row[:3] for row in counted(other)[0]] == [row[:3] for row in counted(quick)[0]]


def test_what_the_writer_had_no_room_for_is_asked_for_the_next_time(quick: Service):
    gaps(quick, 3)

    def full(order: Any) -> Any:
        raise Busy

    with pytest.raises(Busy):
        learner(quick, submit=full).run_once()
    assert counted(quick) == ([], None)
    assert learner(quick).run_once() == 1
    assert asked(quick) == ["returns"]


def test_who_left_before_he_could_be_asked_stops_nobody_else_s_lesson(quick: Service):
    gaps(quick, 3)
    quick.post("/v1/colleagues/m-7/leave")
    customer = quick.customer()
    for _ in range(3):
        quick.post(f"/v1/customers/{customer}/report-failure", {"what": "late", "description": "An hour."})
    quick.project()
    assert quick.container.learner.run_once() == 1
    assert asked(quick) == []
    told = told_by(quick.container.metrics.registry)
    assert told.each("amends_learning_orders_total", "result")["refused"] == 1
    assert told.value("amends_last_learning_timestamp_seconds", ledger="main") == quick.clock().timestamp()
    assert quick.container.learner.run_once() == 0


def test_a_rebuild_under_way_asks_for_nothing_of_its_own_and_hides_nothing(quick: Service):
    gaps(quick, 2)
    parts = quick.container
    assert parts.learner.run_once() == 0
    gaps(quick, 1)
    seen: list[int] = []

    def progress(position: int, head: int) -> None:
        seen.append(parts.learner.run_once())

    Projector(parts.engine, parts.mapper, ALL, clock=quick.clock, page=4).rebuild("signs", progress)
    assert seen[0] == 1
    assert sum(seen) == 1
    assert parts.learner.run_once() == 0
    assert asked(quick) == ["returns"]


def test_an_upgrade_counts_what_happened_before_and_asks_for_none_of_it(database: str, tmp_path: Path):
    with service(database, tmp_path) as amends:
        gaps(joined(amends), 5)
    with configured(database) as config:
        command.downgrade(config, "0009")
    upgrade(database)
    with service(database, tmp_path) as amends:
        amends.project()
        assert amends.container.learner.run_once() == 0
        gaps(amends, 1)
        assert amends.container.learner.run_once() == 1
        assert asked(amends) == ["returns"]


def test_a_look_that_fails_is_made_again_by_the_thread(quick: Service):
    gaps(quick, 3)
    asked_for, faults = threading.Event(), [ConnectionError("the database went away")]

    def look(*given: Any) -> Seen:
        if faults:
            raise faults.pop()
        return quick.container.learned(*given)

    def submit(order: Any) -> Any:
        future = quick.container.writer.submit(order)
        future.add_done_callback(lambda _: asked_for.set())
        return future

    one = learner(quick, look=look, submit=submit, every_seconds=0.01)
    one.start()
    assert asked_for.wait(30)
    one.stop()
    assert asked(quick) == ["returns"]


def test_whoever_works_on_a_ledger_learns_and_whoever_serves_alone_does_not(quick: Service):
    def learns() -> bool:
        samples = told_by(quick.container.metrics.registry).samples()
        return any(one.name == "amends_last_learning_timestamp_seconds" for one in samples)

    assert not learns()
    quick.container.start_working()
    assert learns()


def test_two_signs_at_one_position_are_counted_together_however_few_are_looked_at(quick: Service):
    customer = quick.customer()
    for n in range(5):
        said = {"kind": "no_training", "topic": "tills", "rule_id": "receipt", "by": {"colleague_id": "m-7"}}
        quick.post(f"/v1/customers/{customer}/report-obstacle", said | {"minutes_lost": n})
    quick.post("/v1/colleagues/lead/join", CLERK | {"role_class": "manager"})
    quick.project()
    assert learner(quick, at_once=1).run_once() == 1
    assert asked(quick) == ["tills"]


def test_a_fault_with_one_order_loses_neither_it_nor_the_others(quick: Service):
    def stumbles(order: Order) -> "Future[Outcome]":
        if getattr(order.command, "topic", None) != "returns":
            return quick.container.writer.submit(order)
        answer: Future[Outcome] = Future()
        answer.set_exception(ZeroDivisionError())
        return answer

    gaps(quick, 3)
    gaps(quick, 3, "brakes")
    with pytest.raises(ZeroDivisionError):
        learner(quick, submit=stumbles).run_once()
    assert [one["topic"] for one in quick.get("/v1/colleagues/m-7")["help"]] == ["brakes"]
    assert learner(quick).run_once() == 1
    assert {one["topic"] for one in quick.get("/v1/colleagues/m-7")["help"]} == {"brakes", "returns"}


def test_what_only_a_newer_program_may_record_is_left_to_it(quick: Service):
    def outdated(_: Order) -> "Future[Outcome]":
        answer: Future[Outcome] = Future()
        answer.set_exception(NewerProgramNeeded())
        return answer

    gaps(quick, 3)
    with pytest.raises(NewerProgramNeeded):
        learner(quick, submit=outdated).run_once()
    assert learner(quick).run_once() == 1
