"""The learner: two of them, crashes, pages of any size, rebuilds and upgrades ask for the same things once."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import select

from api import learning
from domain.errors import Busy, NewerProgramNeeded
from infrastructure.learning import Learner, Seen
from infrastructure.migrate import configured, upgrade
from infrastructure.orders import Order, Outcome
from infrastructure.passing import Part
from infrastructure.projector import Projector
from infrastructure.tables import tallies, tracking
from projections import ALL
from projections.base import Projection
from projections.satisfaction import SatisfactionState
from projections.signs import Signs
from projections.training_rows import Training
from tests.support.exposition import told_by
from tests.support.http import Service, service

CLERK = {"role": "representative", "role_class": "front", "team": "desk"}


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, on each database."""
    with service(database, tmp_path) as made:
        yield joined(made)


@pytest.fixture
def quick(sqlite_database: str, tmp_path: Path) -> Iterator[Service]:
    """The same on one database, for what the database has no part in."""
    with service(sqlite_database, tmp_path) as made:
        yield joined(made)


def learner(amends: Service, **chosen: Any) -> Learner:
    """Another one of the same ledger, as another process would have it."""
    parts = amends.container
    given = {"look": parts.learned, "submit": parts.writer.submit} | chosen
    look, submit = given.pop("look"), given.pop("submit")
    return Learner(parts.working, "main", look, submit, parts.keyring.fingerprint, amends.clock, **given)


def gaps(amends: Service, times: int, topic: str = "returns", of: str = "C-1042") -> None:
    """So often nobody had been trained in this, as this customer's story tells."""
    customer = amends.customer(of)
    said = {"kind": "no_training", "topic": topic, "by": {"colleague_id": "m-7"}}
    for _ in range(times):
        amends.post(f"/v1/customers/{customer}/report-obstacle", said)
    amends.project()


def joined(amends: Service) -> Service:
    """The same, where a colleague has joined."""
    amends.post("/v1/colleagues/m-7/join", CLERK)
    return amends


def asked(amends: Service) -> list[str]:
    """The topics in which help was asked for, in order."""
    facts = amends.container.ledger.facts(0, 10_000)
    return [fact.event.topic for fact in facts if fact.event.TOPIC == "help.asked"]  # type: ignore[attr-defined]


def counted(amends: Service) -> tuple[list[tuple[Any, ...]], int | None]:
    """Every count as it is stored, and how far it goes."""
    with amends.container.engine.connect() as conn:
        rows = [tuple(row) for row in conn.execute(select(tallies).order_by(*tallies.primary_key))]
        reached = conn.execute(select(tracking.c.position).where(tracking.c.name == "learning")).scalar()
    return rows, reached


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


@contextmanager
def poisoned(model: type[Projection], *streams: str) -> Iterator[None]:
    """Whatever happens on these streams meanwhile cannot be folded by this read model, and parks them in it."""
    apply = model.apply

    def stumbles(self: Projection, rows: Any, fact: Any) -> Any:
        if str(fact.stream_id) in streams:
            raise RuntimeError
        return apply(self, rows, fact)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "apply", stumbles)
        yield


def waiting(amends: Service) -> list[str]:
    """Whose signs are set apart, or are next."""
    with amends.container.engine.connect() as conn:
        names = conn.scalars(select(tracking.c.name).where(tracking.c.name.like("learning:a%")))
        return sorted(name.rpartition(":")[2] for name in names)


def test_whose_stream_is_parked_holds_up_nobody_else_and_is_counted_once_it_is_free(amends: Service):
    holds_up_nobody_else(amends, Signs)


@pytest.mark.parametrize("model", [Training, SatisfactionState], ids=lambda one: one.name)
def test_so_it_is_whichever_of_the_read_models_lacks_him(quick: Service, model: type[Projection]):
    holds_up_nobody_else(quick, model)


def holds_up_nobody_else(amends: Service, model: type[Projection]) -> None:
    """Of two customers one gets stuck in this read model, and is free again in the end."""
    stuck = amends.customer("C-2")
    gaps(amends, 1, of="C-2")  # whole when it gets stuck, and counted in its place
    with poisoned(model, stuck):
        gaps(amends, 2, "tills", of="C-2")
        gaps(amends, 2)
        assert learner(amends).run_once() == 1
        gaps(amends, 2, "tills")
        assert learner(amends, at_once=1).run_once() == 0
    assert (asked(amends), waiting(amends)) == (["returns"], [stuck])
    assert amends.container.projector.release() == 1
    assert learner(amends).run_once() == 1
    assert (asked(amends), waiting(amends)) == (["returns", "tills"], [])
    assert learner(amends).run_once() == 0
    # One of the four is left over, and what comes now goes on from there.
    gaps(amends, 2, "tills", of="C-2")
    assert learner(amends).run_once() == 1


def test_who_gets_stuck_again_before_he_was_counted_loses_nothing(quick: Service):
    stuck = quick.customer("C-2")
    with poisoned(Signs, stuck):
        gaps(quick, 1, of="C-2")
        gaps(quick, 1, "tills")
        learner(quick).run_once()
    quick.container.projector.release()
    with poisoned(Training, stuck):
        gaps(quick, 1, of="C-2")
        learner(quick).run_once()
        assert waiting(quick) == [stuck]
    quick.container.projector.release()
    gaps(quick, 1)
    assert learner(quick).run_once() == 1
    assert (asked(quick), waiting(quick)) == (["returns"], [])


def test_whatever_fails_while_somebody_is_free_again_nothing_is_asked_for_twice(quick: Service):
    stuck = quick.customer("C-2")
    with poisoned(Signs, stuck):
        gaps(quick, 2, of="C-2")
        gaps(quick, 1)
        learner(quick).run_once()
    quick.container.projector.release()

    def recorded_and_lost(order: Order) -> "Future[Outcome]":
        quick.container.writer.submit(order).result(30)
        answer: Future[Outcome] = Future()
        answer.set_exception(ConnectionError("nobody heard the answer"))
        return answer

    with pytest.raises(ConnectionError):
        learner(quick, submit=recorded_and_lost).run_once()
    # Were it counted first, what happened since would complete the count with another trigger.
    gaps(quick, 1)
    assert learner(quick).run_once() == 0
    assert (asked(quick), waiting(quick)) == (["returns"], [])


def full(order: Order) -> "Future[Outcome]":
    """The writer has no room."""
    raise Busy


def test_who_is_next_and_gets_stuck_by_a_rebuild_is_set_apart_again_with_all_he_had_to_say(amends: Service):
    stuck, parts = amends.customer("C-2"), amends.container
    with poisoned(Signs, stuck):
        gaps(amends, 3, of="C-2")
        gaps(amends, 1, "tills")
        learner(amends).run_once()
    parts.projector.release()
    with pytest.raises(Busy):
        learner(amends, submit=full).run_once()
    with poisoned(Signs, stuck):
        Projector(parts.engine, parts.mapper, ALL, clock=amends.clock).rebuild("signs")
        gaps(amends, 2, "tills")
        # Everybody else's are counted all the same.
        assert learner(amends).run_once() == 1
        assert (asked(amends), waiting(amends)) == (["tills"], [stuck])
    parts.projector.release()
    assert learner(amends).run_once() == 1
    assert (asked(amends), waiting(amends)) == (["tills", "returns"], [])


def test_who_is_next_waits_while_others_signs_cannot_be_read_as_far_as_they_were_counted(quick: Service):
    stuck, parts = quick.customer("C-2"), quick.container
    lead = str(parts.keyring.pseudonym("colleague", "lead"))
    quick.post("/v1/colleagues/lead/join", CLERK | {"role_class": "manager"})
    with poisoned(Signs, stuck):
        gaps(quick, 3, of="C-2")
        gaps(quick, 1, "tills")
        learner(quick).run_once()
    parts.projector.release()
    with pytest.raises(Busy):
        learner(quick, submit=full).run_once()
    with poisoned(Training, lead):
        Projector(parts.engine, parts.mapper, ALL, clock=quick.clock).rebuild("training")
        for _ in range(2):
            assert (learner(quick).run_once(), waiting(quick)) == (0, [stuck])
    parts.projector.release()
    assert learner(quick).run_once() == 1
    assert (asked(quick), waiting(quick)) == (["returns"], [])


def test_whoever_looked_long_ago_sets_nobody_apart_who_was_counted_meanwhile(amends: Service):
    stuck, first = amends.customer("C-2"), learner(amends)
    with poisoned(Signs, stuck):
        gaps(amends, 2, of="C-2")
        gaps(amends, 1, "tills")

    def slept(*given: Any) -> Seen:
        found = amends.container.learned(*given)
        if found.stuck:
            first.run_once()
            amends.container.projector.release()
            first.run_once()
        return found

    learner(amends, look=slept).run_once()
    assert (learner(amends).run_once(), asked(amends), waiting(amends)) == (0, [], [])
    gaps(amends, 1)
    assert learner(amends).run_once() == 1


def test_whoever_looked_long_ago_sets_nobody_apart_who_is_next(quick: Service):
    stuck = quick.customer("C-2")
    with poisoned(Signs, stuck):
        gaps(quick, 3, of="C-2")
    slow = learner(quick, look=quick.container.learned)

    def slept(*given: Any) -> Seen:
        found = quick.container.learned(*given)
        if found.stuck:
            learner(quick).run_once()
            quick.container.projector.release()
            gaps(quick, 1, "tills")
            with pytest.raises(Busy):
                learner(quick, submit=full).run_once()
        return found

    assert learner(quick, look=slept).run_once() == 1
    assert (slow.run_once(), asked(quick), waiting(quick)) == (0, ["returns"], [])


def test_where_very_many_are_parked_everybody_waits_for_the_fix(quick: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learning, "MOST_APART", 1)
    with poisoned(Signs, quick.customer("C-2"), quick.customer("C-3")):
        gaps(quick, 1, of="C-2")
        gaps(quick, 1, of="C-3")
        gaps(quick, 3, "tills")
        assert (learner(quick).run_once(), waiting(quick)) == (0, [])
    quick.container.projector.release()
    gaps(quick, 1, of="C-3")
    assert learner(quick).run_once() == 2
    assert sorted(asked(quick)) == ["returns", "tills"]


def test_two_that_count_whoever_is_free_again_count_him_once(quick: Service):
    stuck = quick.customer("C-2")
    with poisoned(Signs, stuck):
        gaps(quick, 5, of="C-2")
        gaps(quick, 1, "tills")
        learner(quick).run_once()
    quick.container.projector.release()
    first = learner(quick)

    def overtaken(conn: Any, part: Part, counts: Any) -> Seen:
        found = quick.container.learned(conn, part, counts)
        if part.of is not None:
            assert first.run_once() == 1
        return found

    assert learner(quick, look=overtaken).run_once() == 0
    gaps(quick, 1)
    assert learner(quick).run_once() == 1
    assert asked(quick) == ["returns", "returns"]


def test_where_a_colleague_is_parked_what_follows_waits_since_he_may_be_the_one_to_ask(amends: Service):
    gaps(amends, 2)
    lead = str(amends.container.keyring.pseudonym("colleague", "lead"))
    with poisoned(Training, lead):
        amends.post("/v1/colleagues/lead/join", CLERK | {"role_class": "manager"})
        gaps(amends, 1)
        assert learner(amends).run_once() == 0
    assert amends.container.projector.release() == 1
    assert learner(amends).run_once() == 1
    [one] = [fact for fact in amends.container.ledger.facts(0, 10_000) if fact.event.TOPIC == "help.asked"]
    assert str(one.stream_id) == str(amends.http.get("/v1/colleagues/lead").json()["colleague_id"])


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
