"""UmaDB: its own server from its wheel, and its Python client over gRPC on loopback.

Chosen for it, and why: the server is as it starts by default, with its file on the disk PostgreSQL's is on. Its
documentation says that events are fully durable before they are acknowledged; we did not try it with a crash.
Every single append (`save`) says under which condition it stands, as its documentation asks for safe writes:
nothing new with the customer's tag since it was looked at. Recording in bulk says none. It has no projections and
no cache, so only recording, saving and loading are measured. The data is the payload as JSON.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from uuid import uuid4

from answering import Settings, answer
from umadb import AppendCondition, Client, Event, Query, QueryItem

Work = Callable[[], int]
TYPE = "customer.updated"


class Uma:
    """The works, on one server."""

    def __init__(self, address: str) -> None:
        self._client = Client(address)
        self._address = address
        self._customers: list[str] = []
        self._seen: dict[str, int | None] = {}
        self._loadable: list[str] = []

    def record(self, number: int, settings: Settings) -> Work:
        """Appends so many events at a time."""
        tags = cycle([str(uuid4()) for _ in range(settings["streams"])])
        pages = [
            [_event(tag, settings) for tag in islice(tags, settings["a_transaction"])]
            for _ in range(settings["transactions"])
        ]

        def work() -> int:
            for page in pages:
                self._client.append(page)
            return sum(map(len, pages))

        return work

    def save(self, number: int, settings: Settings) -> Work:
        """Appends one event at a time from so many threads, each with a client of its own."""
        threads = settings["threads"]
        while len(self._customers) < settings["customers"]:
            self._customers.append(str(uuid4()))
        shares: list[list[str]] = [[] for _ in range(threads)]
        for chosen in settings["commands"]:
            shares[chosen % threads].append(self._customers[chosen])
        clients = [Client(self._address) for _ in range(threads)]

        def call(client: Client, mine: Sequence[str]) -> int:
            for tag in mine:
                since = AppendCondition(_about(tag), after=self._seen.get(tag))
                self._seen[tag] = client.append([_event(tag, settings)], condition=since)
            return len(mine)

        def work() -> int:
            with ThreadPoolExecutor(threads) as pool:
                return sum(pool.map(call, clients, shares))

        return work

    def load(self, number: int, settings: Settings) -> Work:
        """Reads relationships of so many events each, and folds them."""
        while len(self._loadable) < settings["relationships"]:
            self._loadable.append(str(uuid4()))
            self._client.append([_event(self._loadable[-1], settings) for _ in range(settings["events"])])

        def work() -> int:
            for _ in range(settings["times"]):
                for tag in self._loadable:
                    state: dict[str, object] = {"told": 0}
                    for one in self._client.read(_about(tag)):
                        said = json.loads(one.event.data)
                        state = {"told": int(str(state["told"])) + 1, **said}
            times: int = settings["times"]
            return times * len(self._loadable)

        return work


def _event(tag: str, settings: Settings) -> Event:
    return Event(TYPE, json.dumps(settings["payload"]).encode(), tags=[tag], uuid=uuid4())


def _about(tag: str) -> Query:
    return Query(items=[QueryItem(types=[TYPE], tags=[tag])])


def _free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait_until_ready(address: str, server: "subprocess.Popen[bytes]", seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            Client(address).head()
        except Exception:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    listening = f"127.0.0.1:{_free_port()}"
    program = Path(sys.executable).with_name("umadb")
    process = subprocess.Popen(
        [program, "--listen", listening, "--db-path", f"{sys.argv[2]}/uma-{listening[10:]}.db"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(f"http://{listening}", process)
        uma = Uma(f"http://{listening}")
        answer({"record": uma.record, "save": uma.save, "load": uma.load})
    finally:
        process.terminate()
        process.wait(10)
