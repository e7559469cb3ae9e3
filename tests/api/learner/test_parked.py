"""The learner and those whom a read model cannot fold: nobody waits for them, and nothing they said is lost."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from api import learning
from domain.errors import Busy
from infrastructure.learning import Seen
from infrastructure.orders import Order, Outcome
from infrastructure.passing import Part
from infrastructure.projector import Projector
from infrastructure.tables import tracking
from projections import ALL
from projections.base import Projection
from projections.satisfaction import SatisfactionState
from projections.signs import Signs
from projections.training_rows import Training
from tests.support.http import Service
from tests.support.learners import CLERK, asked, gaps, learner


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
