"""Leases: of several that could do a job one does it, whatever their clocks say."""

from datetime import timedelta

from sqlalchemy import Engine

from infrastructure.leases import LASTS, Lease
from tests.support.writing import Clock


def test_a_lease_is_held_by_one_and_taken_over_when_it_has_run_out(engine: Engine):
    clock = Clock()
    first, second = (Lease(engine, "main", "job", name, clock) for name in ("first", "second"))
    assert first.hold()
    assert not second.hold()
    clock.now += LASTS + timedelta(seconds=1)
    assert second.hold()
    assert not first.hold()
    second.release()
    assert first.hold()


def test_a_lease_that_a_jump_of_the_clock_left_far_ahead_counts_as_run_out(engine: Engine):
    clock = Clock()
    first, second = (Lease(engine, "main", "job", name, clock) for name in ("first", "second"))
    now = clock.now
    clock.now = now + timedelta(days=400)
    assert first.hold()
    clock.now = now
    assert second.hold()
    assert not first.hold()


def test_clocks_that_differ_a_little_do_not_take_each_others_lease(engine: Engine):
    clock, ahead = Clock(), Clock()
    ahead.now = clock.now + LASTS / 2
    assert Lease(engine, "main", "job", "first", ahead).hold()
    assert not Lease(engine, "main", "job", "second", clock).hold()
