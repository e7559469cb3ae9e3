"""Real processes for tests: `amends serve` as an operator runs it, killed and started again at will."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import httpx2

from infrastructure.api_keys import ApiKeys
from infrastructure.engine import make_engine
from infrastructure.migrate import migrate
from infrastructure.settings import Settings
from tests.support.http import EVERYTHING

PATIENCE_SECONDS: Final = 60.0
# It dies with us, however we die. The process asks for that itself, as running code between fork and exec is
# not safe once we have threads.
PROGRAM: Final = """
import ctypes, signal
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
from api.cli import main
main()
"""


def eventually(question: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Returns when the answer is yes. Fails the test when it is still no after so many seconds."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.02)


@dataclass
class House:
    """A migrated database with its key file, and a bearer key that may do everything but import."""

    database: str
    folder: Path
    bearer: str

    def run(self, *verb: str) -> str:
        """What `amends VERB` printed; it must end well."""
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *verb],
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        """The settings of its processes; nothing of whoever runs the tests gets in."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}
        return own | {"AMENDS_DATABASE_URL": self.database, "AMENDS_KEY_FILE": str(self.folder / "amends.key")}

    @contextmanager
    def serving(self) -> Iterator["Serving"]:
        """A server that is ready; at the end of the block it is gone, whatever became of it."""
        server = Serving(self.environment(), self.folder, {"Authorization": f"Bearer {self.bearer}"})
        try:
            server.start()
            yield server
        finally:
            server.kill()


_numbers = count(1)


@dataclass
class Serving:
    """One `amends serve`. Each start takes a free port, so `url` changes."""

    environment: dict[str, str]
    folder: Path
    headers: Mapping[str, str]
    url: str = ""
    ready: threading.Event = field(default_factory=threading.Event)
    """Clears before the server is killed, and is set when it can be asked again."""
    process: "subprocess.Popen[str] | None" = None
    log: Path = field(init=False)
    """What it wrote to standard error, over all its starts."""

    def __post_init__(self) -> None:
        self.log = self.folder / f"serve-{next(_numbers)}.log"

    def start(self) -> None:
        """Starts it and waits until /readyz says yes."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "serve", "--port", "0"],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.url = self._told_address()
        with self.http() as http:
            eventually(lambda: http.get("/readyz").status_code == 200, "the server is ready")
        self.ready.set()

    def _told_address(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        told, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        line = self.process.stdout.readline() if told else ""
        assert "http://" in line, f"the server did not start: {line}{self.log.read_text()[-2000:]}"
        return line.split()[-1].rstrip("/")

    def kill(self) -> None:
        """Kill -9: nothing is finished, flushed or said."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Tells it to stop, as an operator does; gives its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        self.ready.clear()
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        try:
            return process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def http(self) -> httpx2.Client:
        """A client that talks to it, as it is now."""
        # No environment: a proxy of this machine must not stand between.
        return httpx2.Client(base_url=self.url, headers=dict(self.headers), timeout=30, trust_env=False)

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
