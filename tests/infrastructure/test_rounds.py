"""Work that is done again and again, and at once where something calls for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from infrastructure.bell import Bell
from infrastructure.rounds import SOONEST_SECONDS, Rounds

PATIENCE_SECONDS = 30.0


class Counted:
    """Work that counts its rounds and says each time whether it wants to be called."""

    def __init__(self, wants: Callable[[int], bool] = lambda round_: True) -> None:
        self.rounds, self._wants, self._changed = 0, wants, threading.Condition()

    def __call__(self) -> bool:
        with self._changed:
            self.rounds += 1
            self._changed.notify_all()
        return self._wants(self.rounds)

    def came_to(self, many: int, within_seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.rounds >= many, within_seconds)

    def wait_for(self, many: int) -> None:
        assert self.came_to(many, PATIENCE_SECONDS), self.rounds


@contextmanager
def going(work: Callable[[], object], bell: Bell, every_seconds: float = 3600) -> Iterator[None]:
    rounds = Rounds("counting", work, every_seconds, failed="counting_failed", at_once=True, bell=bell)
    rounds.start()
    yield
    rounds.stop(PATIENCE_SECONDS)
    assert not any(one.name == "counting" for one in threading.enumerate())


def test_a_bell_begins_the_next_round_long_before_its_time():
    bell, work = Bell(), Counted()
    with going(work, bell):
        for round_ in range(1, 4):
            work.wait_for(round_)
            bell.ring()
        work.wait_for(4)


def test_a_bell_that_rings_while_a_round_is_under_way_is_heard_after_it():
    bell = Bell()
    work = Counted(lambda round_: bool(bell.ring() or True) if round_ == 1 else True)
    with going(work, bell):
        work.wait_for(2)


def test_work_that_finds_nobody_to_work_for_is_left_alone_by_the_bell_until_its_time():
    bell, work = Bell(), Counted(lambda round_: round_ > 3)
    with going(work, bell, every_seconds=0.001):
        work.wait_for(4)
    quiet = Counted(lambda round_: False)
    with going(quiet, bell):
        quiet.wait_for(1)
        for _ in range(100):
            bell.ring()
        assert not quiet.came_to(2, within_seconds=3 * SOONEST_SECONDS)
