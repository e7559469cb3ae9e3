"""B7: how long a write takes, and how long after it an event can be seen in the satisfaction state.

At two loads: half of what the service takes on this machine, and fifty posts a second, which is a busy house.

Requests leave when they are due, whether earlier ones were answered or not, and are timed from then. A reader of
its own is woken by a trigger on the read model's checkpoint, which moves in the transaction that writes the rows;
PostgreSQL tells it after that commit, and it looks at the checkpoint over its own connection before it takes the
time. So what is measured is what another process can see, and costs one short query a page.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import psycopg

from tests.bench.client import Job, Told, client
from tests.bench.http import Behind, Load, posting
from tests.bench.place import Place
from tests.bench.rounds import Finding, Result
from tests.bench.town import Town, address, town
from tests.bench.workload import raw_connection

SECONDS: Final = 8.0
"""How long requests leave in each round."""
CONNECTIONS: Final = 32
BARS_MS: Final = {50: 50.0, 99: 250.0}
"""Percentile -> milliseconds from sending to seeing that it must not pass, at half of what is taken."""
A_BUSY_HOUSE: Final = 50.0
"""Posts a second."""
WRITTEN_MS: Final = 25.0
"""What the slowest of a hundred writes may take until it is answered. Source: practices S4.26."""
LAG_MS: Final = 1000.0
"""What the slowest of a hundred may take from its answer until it can be seen. Source: practices S4.26."""
_TRIGGER: Final = (
    "CREATE FUNCTION bench_moved() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN PERFORM pg_notify('bench_moved', ''); RETURN NULL; END $$",
    "CREATE TRIGGER bench_moved AFTER UPDATE ON tracking FOR EACH ROW"
    " WHEN (NEW.name LIKE 'projection:satisfaction:%') EXECUTE FUNCTION bench_moved()",
)
_REACHED: Final = "SELECT max(position) FROM tracking WHERE name LIKE 'projection:satisfaction:%'"


@dataclass
class Reader:
    """Looks at the satisfaction state over its own connection, and remembers when it saw which position."""

    conn: "psycopg.Connection[Any]"
    seen: list[tuple[int, float]] = field(default_factory=list)
    """In the order of both."""

    def look(self) -> None:
        """How far the read model has come, by what can be read."""
        row = self.conn.execute(_REACHED).fetchone()
        if row and row[0] is not None and (not self.seen or row[0] > self.seen[-1][0]):
            self.seen.append((int(row[0]), monotonic()))

    def when(self, position: int) -> float:
        """When an event at this position could be seen first."""
        return self.seen[bisect_left(self.seen, (position, 0.0))][1]


@dataclass
class Timed:
    """Rounds at one load: how many posts left a second, and when each was answered and could be seen."""

    load: str
    rates: list[float] = field(default_factory=list)
    written: list[list[float]] = field(default_factory=list)
    lagged: list[list[float]] = field(default_factory=list)
    visible: list[list[float]] = field(default_factory=list)

    def keep(self, told: Told, reader: Reader, rate: float) -> None:
        """Keeps what came of a round."""
        seen = [(due, heard, reader.when(position)) for due, heard, position in told.answers]
        self.rates.append(rate)
        self.written.append([heard - due for due, heard, _ in seen])
        self.lagged.append([max(0.0, visible - heard) for _, heard, visible in seen])
        self.visible.append([visible - due for due, _, visible in seen])

    def result(self, what: str, percentile: int, rounds: Sequence[Sequence[float]], bar: float) -> Result:
        """The figure: this percentile of each round."""
        found = tuple(_percentile(percentile, one) for one in rounds)
        rates = {"posts": tuple(self.rates)}
        return Result(f"{what}, p{percentile}, at {self.load}", found, rates, bar, unit="ms", at_most=True)


def measure(place: Place) -> list[Finding]:
    """The part's figures."""
    half, busy = Timed("half of B3's rate"), Timed(f"{A_BUSY_HOUSE:.0f} posts a second")
    with ExitStack() as open_:
        served = open_.enter_context(town(place, open_.enter_context(place.database())))
        server = open_.enter_context(served.production())
        load = Load(open_.enter_context(client()))
        behind = Behind((served.house.database,), open_)
        for statement in _TRIGGER:
            behind.conns[0].execute(statement)
        for number in range(place.rounds):
            taken = _taken_a_second(load, served, address(server), number)
            for timed, rate in ((half, taken / 2), (busy, A_BUSY_HOUSE)):
                behind.none()
                told, reader = _round(load, served, address(server), timed.load, number, rate, behind)
                timed.keep(told, reader, rate)
    place.notes["B7"] = (
        f"at half: of what {CONNECTIONS} connections got through just before, in each round; timed from when a "
        "request was due, its lag from its answer, until another connection saw the checkpoint of its rows; "
        "served and projected as in production, by `serve --no-worker` and a `worker` on the same machine"
    )
    return [
        *(
            load.noted(half.result("sent to visible", percentile, half.visible, bar), half.load)
            for percentile, bar in BARS_MS.items()
        ),
        *(
            load.noted(timed.result(what, 99, rounds, bar), timed.load)
            for timed in (half, busy)
            for what, rounds, bar in (
                ("sent to answered", timed.written, WRITTEN_MS),
                ("answered to visible", timed.lagged, LAG_MS),
            )
        ),
    ]


def _taken_a_second(load: Load, town: Town, at: tuple[str, int], number: int) -> float:
    work = load.contender("B3", posting(town, at, CONNECTIONS), 201)(number)
    return work() / load.last.seconds


def _round(
    load: Load, town: Town, at: tuple[str, int], name: str, number: int, per_second: float, behind: Behind
) -> tuple[Told, Reader]:
    requests = town.posts(number, max(1, int(per_second * SECONDS)))
    # More connections than are ever busy, so that a slow answer keeps nobody from leaving in time.
    job = Job([at], 4 * CONNECTIONS, requests, per_second)
    work = load.contender(name, lambda _: job, 201)(number)
    with _reading(behind) as reader:
        work()
        behind.none()
    return load.last, reader


@contextmanager
def _reading(behind: Behind) -> Iterator[Reader]:
    # One hears and one looks: a connection that waits for notices cannot be asked anything.
    [database] = behind.databases
    with raw_connection(database) as hearing, raw_connection(database) as looking:
        hearing.autocommit = looking.autocommit = True
        hearing.execute("LISTEN bench_moved")
        reader, done = Reader(looking), threading.Event()

        def follow() -> None:
            while not done.is_set():
                for _ in hearing.notifies(timeout=0.5):
                    reader.look()

        thread = threading.Thread(target=follow, name="reader")
        thread.start()
        try:
            yield reader
        finally:
            done.set()
            thread.join()
        reader.look()


def _percentile(percentile: int, seconds: Sequence[float]) -> float:
    """In milliseconds."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, len(seconds) * percentile // 100)]
