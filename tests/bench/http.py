"""B3: one command a POST over HTTP, key checked and logged, against a bare FastAPI and stock in process."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import psycopg
from sqlalchemy import make_url

from tests.bench.client import ROOT, Client, Job, Told, client
from tests.bench.place import Place
from tests.bench.rounds import Contender, Finding, Result, compared, interleaved
from tests.bench.town import Town, address, address_in, copied, town
from tests.bench.workload import raw_connection
from tests.bench.writer import saving
from tests.support.processes import eventually

POSTS: Final = 3_000
"""Requests a round."""
CONNECTIONS: Final = (32, 128)
OF_STOCK: Final = 2.0
OF_BARE: Final = 0.35
KEYED: Final = "32 connections, Idempotency-Key"


_BEHIND: Final = (
    "SELECT h.position - coalesce((SELECT min(position) FROM tracking t WHERE t.ledger = h.ledger"
    " AND t.name LIKE 'projection:%'), 0) FROM heads h WHERE h.ledger = 'main'"
)


class Refused(Exception):
    """The server said something else than what is measured."""


@dataclass
class Load:
    """The client with what it noticed besides the rates: its own share of a core, by contender."""

    client: Client
    shares: dict[str, list[float]] = field(default_factory=dict)
    last: Told = field(default_factory=Told)

    def contender(
        self,
        name: str,
        job: Callable[[int], Job],
        status: int,
        done: Callable[[Job], int] = lambda job: len(job.requests),
        before: Callable[[], None] = lambda: None,
    ) -> Contender:
        """Sends the job of each round; every answer must have this status. Gives how much was done by it."""

        def prepare(number: int) -> Callable[[], int]:
            before()
            made = job(number)
            self.client.prepare(made)
            return lambda: self._sent(name, made, status, done(made))

        return prepare

    def _sent(self, name: str, job: Job, status: int, done: int) -> int:
        self.last = self.client.go()
        if self.last.statuses != {status: len(job.requests)}:
            raise Refused(f"{name}: {dict(self.last.statuses)}")
        self.shares.setdefault(name, []).append(round(self.last.cpu_seconds / self.last.seconds, 2))
        return done

    def noted(self, finding: Finding, name: str, **more: Any) -> Finding:
        """The finding with the client's share of a core while it measured this contender."""
        if not isinstance(finding, Result):
            return finding
        details = {"client, of a core": self.shares.get(name, []), **more}
        return replace(finding, details={**finding.details, **details})


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    with ExitStack() as open_:
        shipped, plain, load = opened(place, open_)
        served = open_.enter_context(shipped.house.serving())
        alone = open_.enter_context(plain.house.serving("--no-worker"))
        bare = open_.enter_context(bare_fastapi(plain))
        behind = Behind(shipped.house.database, open_)
        contenders: dict[str, Contender] = {}
        for n in CONNECTIONS:
            for name, town_, at, before in (
                (f"{n} connections", shipped, address(served), behind.none),
                (f"{n} connections, --no-worker", plain, address(alone), behind.none),
                (f"bare FastAPI, {n}", plain, bare, behind.none),
            ):
                contenders[name] = load.contender(name, posting(town_, at, n), 201, before=before)
        keyed = posting(shipped, address(served), CONNECTIONS[0], keyed=True)
        contenders[KEYED] = load.contender(KEYED, keyed, 201, before=behind.none)
        contenders["stock"] = open_.enter_context(place.peer("stock")).contender("save", saving)
        contenders = {name: behind.looked_at(name, one) for name, one in contenders.items()}
        rates = interleaved(contenders, place.rounds)
    place.notes["B3"] = (
        "the bars are on the server as shipped, which projects and sweeps in the same process; "
        "each round begins when its read models have caught up"
    )
    return _findings(rates, load, behind)


def _findings(rates: Any, load: Load, behind: "Behind") -> list[Finding]:
    found = []
    for n in CONNECTIONS:
        for ours, of_stock, of_bare in (
            (f"{n} connections", OF_STOCK, OF_BARE),
            (f"{n} connections, --no-worker", None, None),
        ):
            more = {"events behind at the end": behind.noticed[ours]}
            stock = compared(f"POST, {ours}, of the stock save in process", rates, ours, "stock", of_stock)
            bare = compared(f"POST, {ours}, of a bare FastAPI POST", rates, ours, f"bare FastAPI, {n}", of_bare)
            found += [load.noted(one, ours, **more) for one in (stock, bare)]
    bare = compared(f"POST, {KEYED}, of a bare FastAPI POST", rates, KEYED, f"bare FastAPI, {CONNECTIONS[0]}")
    return [*found, load.noted(bare, KEYED)]


def opened(place: Place, open_: ExitStack) -> tuple[Town, Town, Load]:
    """Two towns alike on databases of their own, and a client."""
    first = open_.enter_context(town(place, open_.enter_context(place.database())))
    second = open_.enter_context(copied(place, first))
    return first, second, Load(open_.enter_context(client()))


def posting(town: Town, at: tuple[str, int], connections: int, *, keyed: bool = False) -> Callable[[int], Job]:
    """The posts of a round to this address."""
    return lambda number: Job([at], connections, town.posts(number, POSTS, keyed=keyed))


class Behind:
    """How far the read models of a database are behind its ledger."""

    def __init__(self, database: str, open_: ExitStack) -> None:
        self.database = database
        self.conn: psycopg.Connection[Any] = open_.enter_context(raw_connection(database))
        self.conn.autocommit = True
        self.noticed: dict[str, list[int]] = {}

    def events(self) -> int:
        """How many events the slowest read model has not folded yet."""
        row = self.conn.execute(_BEHIND).fetchone()
        return int(row[0]) if row else 0

    def none(self) -> None:
        """Waits until everything is folded: what the round before left to do is no work of the next."""
        eventually(lambda: self.events() == 0, "the read models catch up", 300)

    def looked_at(self, name: str, contender: Contender) -> Contender:
        """The contender, and at the end of its work a look at how much it left to fold."""
        noticed = self.noticed.setdefault(name, [])

        def prepare(number: int) -> Callable[[], int]:
            work = contender(number)

            def worked() -> int:
                done = work()
                noticed.append(self.events())
                return done

            return worked

        return prepare


@contextmanager
def bare_fastapi(town: Town) -> Iterator[tuple[str, int]]:
    """Where the bare FastAPI listens, on the database of this town, as long as the block lasts."""
    url = make_url(town.house.database).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.bench.bare", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield address_in(process.stdout.readline())  # type: ignore[union-attr]
        finally:
            process.kill()
