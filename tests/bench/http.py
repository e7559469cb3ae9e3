"""B3: one command a POST over HTTP, key checked and logged, against a bare FastAPI and stock in process.

The bars are on the production layout: `amends serve --no-worker`, and `amends worker` which projects at the same
time on the same cores. What one process does that projects by itself, the embedded default, stands beside it.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
import psycopg
from sqlalchemy import make_url

from tests.bench.client import ROOT, Client, Job, Told, client
from tests.bench.place import Place
from tests.bench.rounds import Contender, Finding, Result, compared, interleaved
from tests.bench.town import Town, address, address_in, copied, town
from tests.bench.workload import raw_connection
from tests.bench.writer import saving
from tests.support.processes import Serving, eventually

POSTS: Final = 3_000
"""Requests a round."""
CONNECTIONS: Final = (32, 128)
LOGGED_WITHIN_SECONDS: Final = 5.0
"""How long the log of the last posts may take: each is written when its answer was given."""
OF_STOCK: Final = 2.0
OF_BARE: Final = 0.35
Served = tuple[Town, Serving]
KEYED: Final = "32 connections, Idempotency-Key"
LAYOUT: Final = (
    "the bars are on the production layout: `serve --no-worker`, and a `worker` that projects and sweeps at the "
    "same time on the same machine; embedded is one `serve` that does all of it, as it comes"
)

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
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How many requests each address has answered so far."""

    def contender(
        self,
        name: str,
        job: Callable[[int], Job],
        status: int,
        done: Callable[[Job], int] = lambda job: len(job.requests),
    ) -> Contender:
        """Sends the job of each round; every answer must have this status. Gives how much was done by it."""

        def prepare(number: int) -> Callable[[], int]:
            made = job(number)
            self.client.prepare(made)
            return lambda: self._sent(name, made, status, done(made))

        return prepare

    def _sent(self, name: str, job: Job, status: int, done: int) -> int:
        self.last = self.client.go()
        if self.last.statuses != {status: len(job.requests)}:
            raise Refused(f"{name}: {dict(self.last.statuses)}")
        self.answered[job.addresses[0]] += len(job.requests)
        self.shares.setdefault(name, []).append(round(self.last.cpu_seconds / self.last.seconds, 2))
        return done

    def refuse_unlogged(self, server: Serving) -> None:
        """Raises Refused where the log of this server, to which only posts were sent, lacks a line of some."""
        posted = self.answered[address(server)]
        try:
            eventually(lambda: logged(server) >= posted, "every post is in the log", LOGGED_WITHIN_SECONDS)
        except AssertionError as fault:
            raise Refused(f"{logged(server)} of {posted} posts are in the log of the server") from fault

    def noted(self, finding: Finding, name: str, **more: Any) -> Finding:
        """The finding with the client's share of a core while it measured this contender."""
        if not isinstance(finding, Result):
            return finding
        details = {"client, of a core": self.shares.get(name, []), **more}
        return replace(finding, details={**finding.details, **details})


def measure(place: Place) -> list[Finding]:
    """The part's ratios."""
    with ExitStack() as open_:
        (town_, server), (other, embedded), load, behind = opened(place, open_)
        bare = open_.enter_context(bare_fastapi(other))
        contenders: dict[str, Contender] = {}
        for n in CONNECTIONS:
            for name, whose, at in (
                (f"{n} connections", town_, address(server)),
                (f"{n} connections, embedded", other, address(embedded)),
                (f"bare FastAPI, {n}", other, bare),
            ):
                contenders[name] = load.contender(name, posting(whose, at, n), 201)
        keyed = posting(town_, address(server), CONNECTIONS[0], keyed=True)
        contenders[KEYED] = load.contender(KEYED, keyed, 201)
        contenders["stock"] = open_.enter_context(place.peer("stock")).contender("save", saving)
        rates = interleaved(behind.between(contenders), place.rounds)
        for each in (server, embedded):
            load.refuse_unlogged(each)
    place.notes["B3"] = f"{LAYOUT}; each round begins when the read models of both have caught up"
    return _findings(rates, load, behind)


def _findings(rates: Any, load: Load, behind: "Behind") -> list[Finding]:
    found = []
    for n in CONNECTIONS:
        for ours, of_stock, of_bare in (
            (f"{n} connections", OF_STOCK, OF_BARE),
            (f"{n} connections, embedded", None, None),
        ):
            more = {"events behind at the end": behind.noticed[ours]}
            stock = compared(f"POST, {ours}, of the stock save in process", rates, ours, "stock", of_stock)
            bare = compared(f"POST, {ours}, of a bare FastAPI POST", rates, ours, f"bare FastAPI, {n}", of_bare)
            found += [load.noted(one, ours, **more) for one in (stock, bare)]
    bare = compared(f"POST, {KEYED}, of a bare FastAPI POST", rates, KEYED, f"bare FastAPI, {CONNECTIONS[0]}")
    return [*found, load.noted(bare, KEYED)]


def opened(place: Place, open_: ExitStack) -> tuple[Served, Served, Load, "Behind"]:
    """Two towns alike, one served as in production and one embedded, a client, and a look at both databases."""
    first = open_.enter_context(town(place, open_.enter_context(place.database())))
    second = open_.enter_context(copied(place, first))
    server = open_.enter_context(first.production())
    embedded = open_.enter_context(second.house.serving())
    behind = Behind((first.house.database, second.house.database), open_)
    return (first, server), (second, embedded), Load(open_.enter_context(client())), behind


def logged(server: Serving) -> int:
    """How many posts have a line in its log."""
    lines = map(orjson.loads, server.log.read_bytes().split(b"\n")[:-1])
    return sum(line["event"] == "request" and line["method"] == "POST" for line in lines)


def posting(town: Town, at: tuple[str, int], connections: int, *, keyed: bool = False) -> Callable[[int], Job]:
    """The posts of a round to this address."""
    return lambda number: Job([at], connections, town.posts(number, POSTS, keyed=keyed))


class Behind:
    """How far the read models of databases are behind their ledgers."""

    def __init__(self, databases: Sequence[str], open_: ExitStack) -> None:
        self.databases = databases
        self.conns: list[psycopg.Connection[Any]] = [open_.enter_context(raw_connection(one)) for one in databases]
        for conn in self.conns:
            conn.autocommit = True
        self.noticed: dict[str, list[int]] = {}

    def events(self) -> int:
        """How many events the slowest read model of each has not folded yet, taken together."""
        rows = [conn.execute(_BEHIND).fetchone() for conn in self.conns]
        return sum(int(row[0]) for row in rows if row)

    def none(self) -> None:
        """Waits until everything is folded: what the round before left to do is no work of the next."""
        eventually(lambda: self.events() == 0, "the read models catch up", 300)

    def between(self, contenders: Mapping[str, Contender]) -> dict[str, Contender]:
        """The contenders, each of whom begins when all is folded, and leaves noticed how much it left to fold."""
        return {name: self._between(name, contender) for name, contender in contenders.items()}

    def _between(self, name: str, contender: Contender) -> Contender:
        noticed = self.noticed.setdefault(name, [])

        def prepare(number: int) -> Callable[[], int]:
            self.none()
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
