"""Completeness: whatever writers do to each other, every reader sees every event once and in order."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

import httpx2
import pytest

from infrastructure.bell import Bell, Listener
from infrastructure.ledger import Ledger
from infrastructure.library import SQLAlchemyRecorder
from tests.support import checker
from tests.support.inspection import inspect, let_it_learn, reading
from tests.support.ledgers import Book, book
from tests.support.load import Load, Plan, customers_of
from tests.support.processes import House, Serving, eventually
from tests.support.transactions import Naive, Outside, quiet_facts, transactions
from tests.support.witnesses import SOUND, Read, Reader, Seen, Verdict, Witnesses, following, verdict

SEED: Final = 20_260_911
WRITERS: Final = 16


@dataclass(frozen=True, slots=True)
class Size:
    """How much is written: customers opened, moves alone, batches of 500, transactions from outside."""

    customers: int
    singles: int
    batches: int
    outside: int


SIZES: Final = (
    pytest.param(Size(customers=20, singles=120, batches=2, outside=16), id="short"),
    pytest.param(Size(customers=500, singles=5_000, batches=40, outside=200), id="long", marks=pytest.mark.soak),
)


# Readers of a ledger: through the library, through ours, and over HTTP.


@contextmanager
def subscribed(a_book: Book) -> Iterator[Reader]:
    """A subscription of the library `eventsourcing`, woken as in production."""
    bell = Bell()
    recorder = SQLAlchemyRecorder(a_book.engine, bell=bell)
    listener = Listener(a_book.engine, "main", bell)
    listener.start()

    def reader(over: Event) -> Iterator[Seen]:
        at = 0
        with recorder.subscribe(gt=0) as subscription:

            def end() -> None:
                over.wait()
                last = recorder.max_notification_id() or 0
                try:
                    eventually(lambda: at >= last, "the subscription reaches the end")
                finally:
                    subscription.stop()

            Thread(target=end).start()
            for one in subscription:
                at = one.id
                yield Seen(one.id, str(one.originator_id), one.originator_version)

    try:
        yield reader
    finally:
        listener.stop()


def paged(a_book: Book) -> Read:
    """Pages of records, as exports and projectors read them."""
    ledger = Ledger(a_book.engine, a_book.mapper)
    return lambda after: [Seen(one.position, str(one.stream_id), one.version) for one in ledger.records(after)]


def over_http(http: httpx2.Client) -> Read:
    """GET /v1/events, going on after the last one seen."""

    def read(after: int) -> list[Seen]:
        entries, _ = checker.page_over_http(http, after)
        return [Seen(one.position, one.stream, one.version) for one in entries]

    return read


@contextmanager
def readers(a_book: Book, servers: Sequence[Serving]) -> Iterator[tuple[dict[str, Reader], dict[str, Reader]]]:
    """Those who follow from the beginning, and those who will come later and catch up."""
    with ExitStack() as open_:
        subscription = open_.enter_context(subscribed(a_book))
        one, other = (open_.enter_context(server.http()) for server in (servers[0], servers[-1]))
        yield (
            {"subscription": subscription, "following over HTTP": following(over_http(one))},
            {"pages": following(paged(a_book)), "catching up over HTTP": following(over_http(other))},
        )


@pytest.mark.parametrize("size", SIZES)
def test_every_reader_sees_every_event_once_and_in_order_whatever_writers_do(any_house: House, size: Size) -> None:
    plan = Plan(SEED, size.customers)
    with ExitStack() as open_:
        servers = [open_.enter_context(any_house.serving()) for _ in range(2)]
        facts = quiet_facts(streams=8, each=2 * size.outside)
        outside = Outside(open_.enter_context(book(any_house.database, any_house.folder)), facts)
        tailing, coming = open_.enter_context(readers(outside.book, servers))
        witnesses = open_.enter_context(Witnesses(len(tailing) + len(coming)))
        load = open_.enter_context(Load(servers, WRITERS))

        for name, reader in tailing.items():
            witnesses.begin(name, reader)
        load.start(plan.openings())
        opened = load.finish()
        load.start(plan.mixed(customers_of(opened), size.singles, size.batches))
        script = transactions(SEED, size.outside)
        outside.run(script[: size.outside // 2])
        for name, reader in coming.items():
            witnesses.begin(name, reader)
        outside.run(script[size.outside // 2 :])
        answers = opened + load.finish()

        # What is recorded after this is seen by some readers and not by others.
        let_it_learn(any_house, servers[0])
        with reading(any_house) as conn:
            truth = [Seen(one.position, one.stream, one.version) for one in checker.in_headers(conn)]
        assert witnesses.verdicts(truth) == dict.fromkeys(tailing | coming, SOUND)
        assert outside.cut_off > 0 or any_house.database.startswith("sqlite")
        inspect(any_house, servers, answers, outside.told)


# The same harness on a table that is read by the numbers of a sequence.


def verdict_on(naive: Naive) -> Verdict:
    """What a reader of that table saw while 16 connections wrote to it."""
    naive.make()
    scripts = {f"writer-{n}": transactions(SEED + n, 8) for n in range(WRITERS)}
    with Witnesses(1) as witnesses:
        witnesses.begin("following", following(naive.read))
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(naive.write, scripts, scripts.values()))
        return witnesses.verdicts(naive.truth())["following"]


def test_a_reader_that_follows_a_sequence_loses_events_and_the_harness_sees_it(postgres_database: str) -> None:
    # On SQLite there is one writer at a time, so positions commit in the order in which they were drawn.
    found = verdict_on(Naive(postgres_database, locked=False))
    assert found.lost > 0
    assert found.never_there == 0


def test_the_same_reader_loses_nothing_when_writers_take_turns(postgres_database: str) -> None:
    assert verdict_on(Naive(postgres_database, locked=True)) == SOUND


TRUTH: Final = [Seen(1, "plum", 1), Seen(2, "pear", 1), Seen(3, "plum", 2)]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (TRUTH, SOUND),
        (TRUTH[:2], Verdict(lost=1, twice=0, out_of_order=0, never_there=0)),
        ([*TRUTH, TRUTH[2]], Verdict(lost=0, twice=1, out_of_order=0, never_there=0)),
        ([TRUTH[1], TRUTH[0], TRUTH[2]], Verdict(lost=0, twice=0, out_of_order=1, never_there=0)),
        ([*TRUTH, Seen(4, "plum", 3)], Verdict(lost=0, twice=0, out_of_order=0, never_there=1)),
    ],
    ids=["sound", "lost", "twice", "out of order", "rolled back"],
)
def test_a_verdict_says_what_a_reader_missed_or_imagined(seen: list[Seen], found: Verdict) -> None:
    assert verdict(seen, TRUTH) == found
