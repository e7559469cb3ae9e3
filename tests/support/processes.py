"""Real processes for tests: `amends serve` as an operator runs it, killed and started again at will."""

import os
import select
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import httpx2

from infrastructure.api_keys import ApiKeys
from infrastructure.engine import make_engine
from infrastructure.migrate import migrate
from infrastructure.settings import Settings
from tests.support.forks import Fork
from tests.support.http import EVERYTHING

PATIENCE_SECONDS: Final = 60.0
_numbers = count(1)
# It dies with us, however we die. The process asks for that itself, as running code between fork and exec is
# not safe once we have threads.
PROGRAM: Final = """
import ctypes, signal
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
from api.cli import main
main()
"""


# A client of its own makes one out of every certificate of the machine, which takes 60 ms; nobody here speaks TLS.
_NO_CERTIFICATES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client(**options: Any) -> httpx2.Client:
    """A client of a server on this machine; no proxy of the environment stands between."""
    return httpx2.Client(trust_env=False, verify=_NO_CERTIFICATES, **options)


def eventually(question: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Returns when the answer is yes. Fails the test when it is still no after so many seconds.

    While we sleep between two looks, a machine that stands still counts for a quarter of a second at most.
    """
    left, begun = seconds, time.monotonic()
    while not question():
        left -= time.monotonic() - begun
        assert left > 0, f"{what}: not within {seconds:.0f} s"
        left -= _slept(0.02)
        begun = time.monotonic()


def _slept(seconds: float) -> float:
    begun = time.monotonic()
    time.sleep(seconds)
    return min(time.monotonic() - begun, 0.25)


@dataclass
class House:
    """A migrated database with its key file, and a bearer key that may do everything but import."""

    database: str
    folder: Path
    bearer: str

    def run(self, *verb: str) -> str:
        """What `amends VERB` printed; it must end well."""
        errors = self.folder / f"{verb[0]}-{next(_numbers)}.log"
        process = self.starting(*verb, errors=errors)
        try:
            printed = process.output.read()
            assert process.wait(10 * PATIENCE_SECONDS) == 0, errors.read_text()
        finally:
            process.end()
        return printed

    def starting(self, *verb: str, errors: Path) -> Fork:
        """A process of `amends VERB` that has just begun, and writes its errors to this file."""
        return Fork(PROGRAM, verb, self.environment(), self.folder, errors)

    def environment(self) -> dict[str, str]:
        """The settings of its processes; nothing of whoever runs the tests gets in."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}
        return own | {"AMENDS_DATABASE_URL": self.database, "AMENDS_KEY_FILE": str(self.folder / "amends.key")}

    @contextmanager
    def serving(self, *options: str, program: str = PROGRAM) -> Iterator["Serving"]:
        """A server that is ready; at the end of the block it is gone, whatever became of it."""
        headers = {"Authorization": f"Bearer {self.bearer}"}
        server = Serving(self.environment(), self.folder, headers, options=options, program=program)
        with _running(server):
            yield server

    @contextmanager
    def working(self) -> Iterator["Working"]:
        """An `amends worker` at work; at the end of the block it is gone too."""
        with _running(Working(self.environment(), self.folder)) as worker:
            yield worker


AnyProcess = TypeVar("AnyProcess", bound="Process")


@contextmanager
def _running(process: AnyProcess) -> Iterator[AnyProcess]:
    try:
        process.start()
        yield process
    finally:
        process.kill()


@dataclass
class Process:
    """One process of the program, which can be killed and started again."""

    environment: dict[str, str]
    folder: Path
    options: tuple[str, ...] = field(default=(), kw_only=True)
    program: str = field(default=PROGRAM, kw_only=True)
    """What it runs instead of itself, to see that a test would notice."""
    process: Fork | None = field(default=None, kw_only=True)
    log: Path = field(init=False)
    """What it wrote to standard error, over all its starts."""
    verb: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        self.log = self.folder / f"{self.verb[0]}-{next(_numbers)}.log"

    def start(self) -> None:
        """Starts it and waits until it says that it is at work."""
        self._launch()

    def kill(self) -> None:
        """Kill -9: nothing is finished, flushed or said."""
        self._end(signal.SIGKILL)

    def stop(self, within_seconds: float = PATIENCE_SECONDS) -> int:
        """Tells it to stop, as an operator does; gives its exit code. Fails when it takes longer than this."""
        return self._end(signal.SIGTERM, within_seconds)

    def _launch(self) -> str:
        words = (*self.verb, *self.options)
        self.process = process = Fork(self.program, words, self.environment, self.folder, self.log)
        told, _, _ = select.select([process.output], [], [], PATIENCE_SECONDS)
        line = process.output.readline() if told else ""
        assert line, f"it did not start: {self.log.read_text()[-2000:]}"
        return line

    def _end(self, number: signal.Signals, within_seconds: float = PATIENCE_SECONDS) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send(number)
        try:
            return process.wait(within_seconds)
        finally:
            process.end()


@dataclass
class Working(Process):
    """One `amends worker`."""

    verb = ("worker",)


@dataclass
class Serving(Process):
    """One `amends serve`. Each start takes a free port, so `url` changes."""

    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    ready: threading.Event = field(default_factory=threading.Event)
    """Clears after the signal of a kill and before that of a stop, and is set when it can be asked again."""
    verb = ("serve", "--port", "0")

    def start(self) -> None:
        """Starts it and waits until /readyz says yes."""
        line = self._launch()
        assert "http://" in line, f"the server did not start: {line}{self.log.read_text()[-2000:]}"
        self.url = line.split()[-1].rstrip("/")
        with self.http() as http:
            eventually(lambda: http.get("/readyz").status_code == 200, "the server is ready")
        self.ready.set()

    def _end(self, number: signal.Signals, within_seconds: float = PATIENCE_SECONDS) -> int:
        if number is signal.SIGKILL and self.process is not None:
            self.process.send(number)  # first, so that whoever is being served now is hurt
        self.ready.clear()
        return super()._end(number, within_seconds)

    def http(self) -> httpx2.Client:
        """A client that talks to it, as it is now."""
        return client(base_url=self.url, headers=dict(self.headers), timeout=30)

    def project(self, position: int) -> None:
        """Waits until its read models have come this far."""
        with self.http() as http:

            def caught_up() -> bool:
                # Too far behind, it answers with a problem instead.
                return int(http.get("/readyz").json().get("projected", 0)) >= position

            eventually(caught_up, "the read models catch up", 5 * PATIENCE_SECONDS)


def house(database: str, folder: Path) -> House:
    """A house on this empty database, migrated, with a key file in this folder."""
    settings = Settings(database_url=database, key_file=folder / "amends.key")
    migrate(settings)
    engine = make_engine(database)
    try:
        bearer = ApiKeys(engine).create(settings.ledger, "test", EVERYTHING, ("urn:test",))
    finally:
        engine.dispose()
    return House(database, folder, bearer)
