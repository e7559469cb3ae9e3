"""A clock that jumps: positions and times of recording never fall, nothing is refused wrongly or due twice."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from infrastructure.clock import HouseClock
from infrastructure.leases import Lease
from infrastructure.orders import Order, Outcome
from infrastructure.sweeper import Sweeper
from infrastructure.tables import events
from tests.support.http import Service, service
from tests.support.processes import eventually
from tests.support.writing import NOON, Clock, crm, desk, late

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
YEAR, MONTH = 365 * DAY, 30 * DAY
BACK = -HOUR
LATE = {"what": "late", "severity": 3, "fault": "firm", "description": "the parcel did not come"}


class Recorded(NamedTuple):
    """What a ledger says of one event."""

    position: int
    recorded_at: datetime
    at: datetime
    topic: str
    customer: str


@dataclass
class Machine:
    """The machine that a service runs on: its clock can be set, its ticks cannot."""

    house: Service
    ticks: list[float]
    fell_due: list[Recorded] = field(default_factory=list)
    """What the sweeps recorded."""

    def pass_time(self, time: timedelta) -> None:
        self.house.clock.now += time
        self.ticks[0] += time.total_seconds()

    def set_clock(self, by: timedelta) -> None:
        self.house.clock.now += by

    def sweep(self) -> int:
        """How many streams had something to say, until none has."""
        spoke, before = 0, len(self.recorded())
        self.house.project()
        while found := self.house.container.sweeper.run_once():
            spoke += found
            self.house.project()
        self.fell_due += self.recorded()[before:]
        return spoke

    def report(self, customer: str, occurred_at: datetime | None = None, **headers: str) -> dict[str, Any]:
        said: dict[str, Any] = dict(LATE)
        if occurred_at is not None:
            said["occurred_at"] = occurred_at.isoformat()
        return self.house.post(f"/v1/customers/{customer}/report-failure", said, **headers)

    def recorded(self) -> list[Recorded]:
        """Everything, in order."""
        of = events.c
        query = select(of.position, of.recorded_at, of.occurred_at, of.topic, of.stream_id).order_by(of.position)
        with self.house.container.engine.connect() as conn:
            return [Recorded(*row[:-1], str(row.stream_id)) for row in conn.execute(query)]

    def missed(self) -> list[datetime]:
        """When each promise was missed, as recorded."""
        return [one.at for one in self.recorded() if one.topic == "deadline.missed"]

    def due_of(self, customer: str) -> list[tuple[datetime, str]]:
        """When what fell due of this customer, in the order of recording."""
        return [(one.at, one.topic) for one in self.fell_due if one.customer == customer]


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
    assert [one.position for one in recorded] == list(range(1, len(recorded) + 1))
    assert all(one.recorded_at <= other.recorded_at for one, other in pairwise(recorded))


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


@pytest.mark.parametrize("doubting", [True, False], ids=["doubted", "at its word"])
def test_an_hour_back_after_a_deadline_makes_nothing_due_twice(
    database: str, tmp_path: Path, doubting: bool
) -> None:
    ticks = [0.0]
    with running(database, tmp_path, ticks, doubting) as house:
        machine = Machine(house, ticks)
        customer = house.customer()
        machine.report(customer)
        # One promise has run out when the clock is set back to before that; the next runs out later.
        machine.pass_time(2 * HOUR)
        assert machine.sweep() == 1
        first = machine.due_of(customer)
        assert first == [(NOON + 2 * HOUR, "deadline.missed")]
        machine.set_clock(BACK)
        assert machine.sweep() == 0
        machine.pass_time(2 * HOUR)
        assert machine.sweep() == 0
        assert machine.due_of(customer) == first
        machine.pass_time(MONTH)
        assert machine.sweep() == 1
        everything = machine.due_of(customer)
        assert everything[1] == (NOON + 4 * HOUR, "deadline.missed")
        assert len(everything) == len(set(everything))
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
        assert {one.at for one in machine.recorded() if one.topic == "failure.reported"} == {NOON}
        machine.set_clock(2 * HOUR)
        machine.report(customer)
        in_order(machine)
        assert machine.recorded()[-1].recorded_at == NOON + HOUR


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
        assert machine.recorded()[-1].recorded_at == NOON + 5 * MINUTE
        assert machine.missed() == []


def test_a_year_forward_at_its_word_is_told_once_and_the_ledger_stays_of_use(
    database: str, tmp_path: Path
) -> None:
    ticks = [0.0]
    with running(database, tmp_path, ticks, doubting=False) as house:
        machine = Machine(house, ticks)
        customer, other, third = (house.customer(number) for number in ("C-1", "C-2", "C-3"))
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
        reports = [one for one in machine.recorded() if one.topic == "failure.reported"]
        told = [(one.at, one.recorded_at) for one in reports]
        assert told == [(NOON, NOON), (NOON, NOON + YEAR), (NOON + MINUTE, NOON + YEAR)]
        assert machine.missed() == missed
        in_order(machine)
        # Another process takes over the work that a lease of next year would keep from it.
        assert Lease(house.container.engine, "main", "test", "another", house.clock).hold()
        # Real time goes on, past what was recorded beforehand, then past where the ledger stands: none of it comes
        # again. What was told meanwhile looks like news of long ago, so it never falls due: see decision 6.
        machine.pass_time(40 * DAY)
        assert machine.sweep() == 0
        machine.pass_time(YEAR)
        assert machine.sweep() == 0
        # From then on everything falls due as ever, once and at its own time.
        reported = house.clock.now
        machine.report(third)
        machine.pass_time(40 * DAY)
        assert machine.sweep() == 1
        due = machine.due_of(third)
        assert due[:2] == [(reported + 2 * HOUR, "deadline.missed"), (reported + 4 * HOUR, "deadline.missed")]
        assert len(due) == len(set(due)) == len(machine.due_of(customer))
        assert len(machine.fell_due) == len(due) + len(machine.due_of(customer))
        in_order(machine)


def test_a_key_ends_by_the_time_that_has_passed_and_not_by_a_leap(database: str, tmp_path: Path) -> None:
    ticks = [0.0]
    with running(database, tmp_path, ticks, doubting=True) as house:
        machine = Machine(house, ticks)
        bearer = house.container.api_keys.create("main", "a month", ["read"], [], expires_at=NOON + MONTH)

        def status() -> int:
            return house.http.get("/v1/feed", headers={"Authorization": f"Bearer {bearer}"}).status_code

        machine.set_clock(YEAR)
        assert status() == 200
        machine.set_clock(-YEAR)
        machine.pass_time(MONTH + DAY)
        # A key that was good is trusted for one more second of the machine.
        eventually(lambda: status() == 401, "the key has ended")


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
