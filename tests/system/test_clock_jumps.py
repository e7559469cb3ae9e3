"""A clock that jumps: positions and times of recording never fall, nothing is refused wrongly or due twice."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select

from infrastructure.clock import HouseClock
from infrastructure.leases import Lease
from infrastructure.orders import Order, Outcome
from infrastructure.sweeper import Sweeper
from infrastructure.tables import events
from tests.support.http import Service, service
from tests.support.writing import NOON, Clock, crm, desk, late

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
YEAR = 365 * DAY
BACK = -HOUR
LATE = {"what": "late", "severity": 3, "fault": "firm", "description": "the parcel did not come"}


@dataclass
class Machine:
    """The machine that a service runs on: its clock can be set, its ticks cannot."""

    house: Service
    ticks: list[float]

    def pass_time(self, time: timedelta) -> None:
        self.house.clock.now += time
        self.ticks[0] += time.total_seconds()

    def set_clock(self, by: timedelta) -> None:
        self.house.clock.now += by

    def sweep(self) -> int:
        """How many streams had something to say, until none has."""
        spoke = 0
        self.house.project()
        while found := self.house.container.sweeper.run_once():
            spoke += found
            self.house.project()
        return spoke

    def report(self, customer: str, occurred_at: datetime | None = None, **headers: str) -> dict[str, Any]:
        said: dict[str, Any] = dict(LATE)
        if occurred_at is not None:
            said["occurred_at"] = occurred_at.isoformat()
        return self.house.post(f"/v1/customers/{customer}/report-failure", said, **headers)

    def recorded(self) -> list[tuple[int, datetime, datetime, str]]:
        """(position, time of recording, time of happening, what) of everything."""
        columns = (events.c.position, events.c.recorded_at, events.c.occurred_at, events.c.topic)
        with self.house.container.engine.connect() as conn:
            return [tuple(row) for row in conn.execute(select(*columns).order_by(events.c.position))]

    def missed(self) -> list[datetime]:
        """When each promise was missed, as recorded."""
        return [at for _, _, at, topic in self.recorded() if topic == "deadline.missed"]


def running(database: str, folder: Path, ticks: list[float], doubting: bool) -> AbstractContextManager[Service]:
    """A service that was started in time and doubts leaps; or one that takes the clock at its word.

    The second is what a process is that was started by the wrong time.
    """

    def told_by(clock: Clock) -> Callable[[], datetime]:
        return HouseClock(clock, lambda: ticks[0]) if doubting else clock

    return service(database, folder, told_by=told_by)


def in_order(machine: Machine) -> None:
    """Positions have no gaps, and no time of recording lies before the one of the event before."""
    recorded = machine.recorded()
    assert [position for position, *_ in recorded] == list(range(1, len(recorded) + 1))
    assert all(one[1] <= other[1] for one, other in pairwise(recorded))


def test_an_hour_back_refuses_nothing_that_happens_now(database: str, tmp_path: Path) -> None:
    ticks = [0.0]
    with running(database, tmp_path, ticks, doubting=True) as house:
        machine = Machine(house, ticks)
        customer = house.customer()
        machine.report(customer)
        machine.set_clock(BACK)
        # Doubted at first, then believed, then caught up with: somebody else's clock was right all the time.
        for minutes in range(1, 90, 8):
            really = NOON + timedelta(minutes=minutes)
            machine.pass_time(8 * MINUTE)
            machine.report(customer, occurred_at=really)
        too_early = dict(LATE, occurred_at=(NOON + DAY).isoformat())
        house.post(f"/v1/customers/{customer}/report-failure", too_early, status=422)
        in_order(machine)


def test_an_hour_back_at_its_word_lets_time_stand_still(database: str, tmp_path: Path) -> None:
    ticks = [0.0]
    with running(database, tmp_path, ticks, doubting=False) as house:
        machine = Machine(house, ticks)
        customer = house.customer()
        first = machine.report(customer, Idempotency_Key='"one"')
        machine.set_clock(BACK)
        machine.report(customer)
        assert machine.report(customer, Idempotency_Key='"one"') == first
        assert {at for _, _, at, topic in machine.recorded() if topic == "failure.reported"} == {NOON}
        machine.set_clock(2 * HOUR)
        machine.report(customer)
        in_order(machine)
        assert machine.recorded()[-1][1] == NOON + HOUR


def test_a_year_forward_and_back_within_minutes_leaves_no_trace(database: str, tmp_path: Path) -> None:
    ticks = [0.0]
    with running(database, tmp_path, ticks, doubting=True) as house:
        machine = Machine(house, ticks)
        customer = house.customer()
        machine.report(customer)
        machine.set_clock(YEAR)
        assert machine.sweep() == 0
        machine.pass_time(5 * MINUTE)
        machine.report(customer)
        machine.set_clock(-YEAR)
        assert machine.sweep() == 0
        in_order(machine)
        assert machine.recorded()[-1][1] == NOON + 5 * MINUTE
        assert machine.missed() == []


def test_a_year_forward_at_its_word_is_told_once_and_the_ledger_stays_of_use(
    database: str, tmp_path: Path
) -> None:
    ticks = [0.0]
    with running(database, tmp_path, ticks, doubting=False) as house:
        machine = Machine(house, ticks)
        customer, other = house.customer("C-1"), house.customer("C-2")
        lease = Lease(house.container.engine, "main", "test", "somebody", house.clock)
        first = machine.report(customer, Idempotency_Key='"one"')
        # What the wrong time made due is recorded, each at its own time and once.
        machine.set_clock(YEAR)
        assert lease.hold()
        assert machine.sweep() == 1
        missed = machine.missed()
        assert len(missed) == len(set(missed)) > 0
        assert max(missed) < NOON + 30 * DAY
        # Right again: news counts from the time it is, and only the time of recording stands still.
        machine.set_clock(-YEAR)
        assert machine.sweep() == 0
        machine.report(other)
        machine.report(other, occurred_at=NOON + MINUTE)
        assert machine.report(customer, Idempotency_Key='"one"') == first
        told = [(at, recorded) for _, recorded, at, topic in machine.recorded() if topic == "failure.reported"]
        assert told == [(NOON, NOON), (NOON, NOON + YEAR), (NOON + MINUTE, NOON + YEAR)]
        assert machine.missed() == missed
        in_order(machine)
        # Another process takes over the work that a lease of next year would keep from it.
        assert Lease(house.container.engine, "main", "test", "another", house.clock).hold()


def test_a_stream_that_rested_by_a_wrong_clock_is_looked_at_again(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        looked_at: list[Order] = []

        def submit(order: Order) -> "Future[Outcome]":
            looked_at.append(order)
            return amends.writer.submit(order)

        sweeper = Sweeper(lambda now, limit: [customer], submit, amends.clock)
        amends.clock.now += YEAR
        # The first time it says what fell due; then it has nothing to say, and rests.
        assert [sweeper.run_once() for _ in range(3)] == [1, 0, 0]
        assert len(looked_at) == 2
        amends.clock.now -= YEAR
        sweeper.run_once()
        assert len(looked_at) == 3
