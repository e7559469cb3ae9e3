"""The time of the house: the system's clock, doubted when it leaps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from infrastructure.clock import HOLD, HouseClock
from tests.support.writing import NOON, Clock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
YEAR = timedelta(days=365)


@dataclass
class Machine:
    """A machine whose clock can be set, and whose ticks cannot."""

    clock: Clock
    ticks: float = 5_000.0

    def pass_time(self, time: timedelta) -> None:
        self.clock.now += time
        self.ticks += time.total_seconds()

    def house(self) -> HouseClock:
        return HouseClock(self.clock, lambda: self.ticks)


def started() -> tuple[Machine, HouseClock]:
    machine = Machine(Clock())
    return machine, machine.house()


def test_it_follows_the_system_as_long_as_that_keeps_pace_with_the_machine():
    machine, house = started()
    machine.pass_time(8 * HOUR)  # the machine may have slept meanwhile: its ticks went on
    assert house() == NOON + 8 * HOUR


def test_small_corrections_are_taken_over_at_once():
    machine, house = started()
    machine.clock.now += MINUTE
    assert house() == NOON + MINUTE
    machine.clock.now -= MINUTE
    assert house() == NOON


def test_a_leap_is_not_believed_and_time_goes_on():
    for leap in (-HOUR, YEAR):
        machine, house = started()
        machine.clock.now += leap
        assert house() == NOON
        machine.pass_time(9 * MINUTE)
        assert house() == NOON + 9 * MINUTE


def test_what_a_doubted_clock_says_may_be_right_so_news_by_it_is_not_from_the_future():
    machine, house = started()
    machine.clock.now += HOUR  # as after a pause of the whole machine
    assert house() == NOON
    assert house.latest() == NOON + HOUR


def test_a_leap_that_is_taken_back_leaves_no_trace():
    machine, house = started()
    machine.clock.now += YEAR
    house()
    machine.pass_time(9 * MINUTE)
    machine.clock.now -= YEAR
    assert house() == NOON + 9 * MINUTE
    machine.pass_time(HOUR)
    assert house() == NOON + HOUR + 9 * MINUTE


def test_a_clock_that_stands_by_its_leap_is_believed_in_the_end():
    machine, house = started()
    machine.clock.now -= HOUR
    house()
    machine.pass_time(HOLD)
    assert house() == NOON - HOUR + HOLD


def test_a_second_leap_is_doubted_anew():
    machine, house = started()
    machine.clock.now -= HOUR
    house()
    machine.pass_time(9 * MINUTE)
    machine.clock.now += YEAR
    assert house() == NOON + 9 * MINUTE
    machine.pass_time(9 * MINUTE)
    assert house() == NOON + 18 * MINUTE


def test_at_its_start_it_knows_no_better_than_the_system():
    late: datetime = NOON + YEAR
    assert HouseClock(Clock(late), lambda: 0.0)() == late
