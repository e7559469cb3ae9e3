"""The sweeper, on a simulated clock: with a writer played by the test, and with the real one."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from domain.colleagues.state import Colleague
from domain.errors import Busy
from domain.kinds import AMENDS
from domain.relationship import Relationship
from infrastructure.ledger import Ledger
from infrastructure.orders import Order, Outcome, Receipt
from infrastructure.sweeper import Sweeper
from tests.support.given import named_id
from tests.support.writing import NOON as WRITTEN_AT
from tests.support.writing import crm, desk, late

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLUMS, CDS, TYRES = named_id("plums"), named_id("cds"), named_id("tyres")


@dataclass
class House:
    """Streams due since when, and a ledger that answers at once."""

    due_since: dict[UUID, datetime]
    silent: set[UUID] = field(default_factory=set)
    """These have nothing to say: the projection lags behind the ledger."""
    faulty: dict[UUID, Exception] = field(default_factory=dict)
    full_after: int = 1_000
    now: datetime = NOON
    asked: list[UUID] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def due(self, now: datetime, limit: int) -> list[UUID]:
        overdue = sorted((at, stream) for stream, at in self.due_since.items() if at <= now)
        return [stream for _, stream in overdue][:limit]

    def submit(self, order: Order) -> "Future[Outcome]":
        assert isinstance(order.stream, UUID)
        if len(self.asked) >= self.full_after:
            raise Busy
        self.asked.append(order.stream)
        self.enough.set()
        future: Future[Outcome] = Future()
        if order.stream in self.faulty:
            future.set_exception(self.faulty[order.stream])
            return future
        spoke = order.stream not in self.silent
        if spoke:
            self.due_since.pop(order.stream, None)
        future.set_result(outcome(order.stream, spoke))
        return future

    def sweeper(self, **settings: float) -> Sweeper:
        return Sweeper(self.due, self.submit, lambda: self.now, **settings)

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def outcome(stream: UUID, spoke: bool) -> Outcome:
    receipt = Receipt(named_id("event"), "deadline.missed", stream, 2, 2, "00")
    return Outcome(stream, (receipt,) if spoke else (), 2, 2, {})


def test_every_stream_that_is_due_is_settled_and_the_others_are_left_alone():
    house = House({PLUMS: NOON, CDS: NOON - timedelta(hours=1), TYRES: NOON + timedelta(seconds=1)})
    assert house.sweeper().run_once() == 2
    assert house.asked == [CDS, PLUMS]


def test_what_is_no_customer_is_settled_as_what_it_is_and_first_for_it_is_rare():
    house = House({PLUMS: NOON, CDS: NOON})
    orders: list[Order] = []

    def submit(order: Order) -> "Future[Outcome]":
        orders.append(order)
        return house.submit(order)

    others = [(Colleague, lambda now, limit: [TYRES])]
    sweeper = Sweeper(house.due, submit, lambda: house.now, limit=2, others=others)
    assert sweeper.run_once() == 2
    assert [(order.stream, order.kind) for order in orders] == [
        (TYRES, Colleague),
        (min(PLUMS, CDS), Relationship),
    ]


def test_a_stream_that_becomes_due_later_is_settled_later():
    house = House({TYRES: NOON + timedelta(seconds=1)})
    sweeper = house.sweeper()
    assert sweeper.run_once() == 0
    house.passes(1)
    assert sweeper.run_once() == 1


def test_a_stream_that_yields_nothing_is_not_asked_again_at_once_and_rests_longer_each_time():
    house = House({PLUMS: NOON}, silent={PLUMS})
    sweeper = house.sweeper()
    asked_at = []
    for second in range(16):
        before = len(house.asked)
        sweeper.run_once()
        sweeper.run_once()
        if len(house.asked) > before:
            asked_at.append(second)
        house.passes(1)
    assert asked_at == [0, 1, 3, 7, 15]


def test_a_stream_never_rests_longer_than_five_minutes():
    house = House({PLUMS: NOON}, silent={PLUMS})
    sweeper = house.sweeper()
    for _ in range(12):
        sweeper.run_once()
        house.passes(300)
    assert len(house.asked) == 12


def test_resting_streams_do_not_keep_others_waiting():
    early = NOON - timedelta(hours=1)
    house = House({PLUMS: early, CDS: early, TYRES: NOON}, silent={PLUMS, CDS})
    sweeper = house.sweeper(limit=2)
    assert sweeper.run_once() == 0
    assert sweeper.run_once() == 1
    assert house.asked[2:] == [TYRES]


def test_one_faulty_stream_does_not_keep_the_others_from_being_settled():
    house = House({PLUMS: NOON - timedelta(hours=1), CDS: NOON}, faulty={PLUMS: ValueError("poison")})
    assert house.sweeper().run_once() == 1
    assert house.asked == [PLUMS, CDS]


def test_a_full_writer_is_left_alone_and_the_rest_follows_at_the_next_sweep():
    house = House({PLUMS: NOON - timedelta(hours=1), CDS: NOON}, full_after=1)
    sweeper = house.sweeper()
    assert sweeper.run_once() == 1
    house.full_after = 10
    assert sweeper.run_once() == 1


def test_the_thread_sweeps_by_itself_and_ends_at_once_when_told_to():
    house = House({PLUMS: NOON})
    sweeper = house.sweeper(every_seconds=0.001)
    sweeper.start()
    assert house.enough.wait(30)
    sweeper.stop()
    patient = House({CDS: NOON}).sweeper(every_seconds=3600)
    patient.start()
    patient.stop(timeout_seconds=10)
    assert not [thread for thread in threading.enumerate() if thread.name == "sweeper"]


def test_a_lost_database_does_not_end_the_thread():
    house = House({PLUMS: NOON})
    failures = iter([OSError("gone")])

    def due(now: datetime, limit: int) -> list[UUID]:
        for failure in failures:
            raise failure
        return house.due(now, limit)

    sweeper = Sweeper(due, house.submit, lambda: house.now, every_seconds=0.001)
    sweeper.start()
    assert house.enough.wait(30)
    sweeper.stop()
    assert house.asked == [PLUMS]


def test_what_is_due_is_recorded_by_the_real_writer_once(sqlite_database: str, tmp_path: Path):
    with desk(sqlite_database, tmp_path) as house:
        customer = house.post(late(), crm("C-1001")).customer_id
        sweeper = Sweeper(lambda now, limit: [customer], house.writer.submit, house.clock)
        assert sweeper.run_once() == 0
        house.clock.forward(hours=4)
        assert sweeper.run_once() == 1
        house.clock.forward(seconds=10)
        assert sweeper.run_once() == 0
        facts = Ledger(house.engine, house.mapper, "main").stream(customer)
    assert [fact.event.TOPIC for fact in facts][-1] == "deadline.missed"
    assert facts[-1].actor == AMENDS
    assert facts[-1].occurred_at == WRITTEN_AT + timedelta(hours=4)
