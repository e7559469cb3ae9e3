"""The command line as an operator runs it: in this process where that is enough, as a process where it is not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import httpx2
import pytest
import structlog
from typer.testing import CliRunner

from api.cli import app
from tests.support.forks import Fork
from tests.support.processes import PROGRAM, client

PATIENCE_SECONDS: Final = 60.0
BIN: Final = Path(sys.executable).parent


@dataclass
class Told:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, which must be one JSON document."""
        return json.loads(self.out)


@dataclass
class CommandLine:
    """`amends` with its settings, in a folder of its own."""

    folder: Path
    settings: Mapping[str, str]

    def __call__(self, *words: str, code: int | None = 0) -> Told:
        """What the command answered, which must have ended with this code (None: with any)."""
        with pytest.MonkeyPatch.context() as patch:
            _surround(patch, self.folder, self.settings)
            done = CliRunner().invoke(app, list(words))
        # A command that sets up logs would else leave them writing to a stream that is gone.
        structlog.reset_defaults()
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        told = Told(done.exit_code, done.stdout, done.stderr)
        assert code in (None, told.code), (words, told)
        return told

    def process(self, *words: str) -> Told:
        """The same as a process of its own, with whatever exit code."""
        errors = self.folder / "process.err"
        errors.unlink(missing_ok=True)
        process = Fork(PROGRAM, words, self.environment, self.folder, errors)
        try:
            said = process.output.read()
            return Told(process.wait(2 * PATIENCE_SECONDS), said, errors.read_text())
        finally:
            process.end()

    def installed(self, *words: str) -> Told:
        """The same of the program as it was installed, from nothing."""
        done = subprocess.run(
            [BIN / "amends", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * PATIENCE_SECONDS,
        )
        return Told(done.returncode, done.stdout, done.stderr)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of it sees: nothing of the settings of whoever runs the tests."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}
        return mine | dict(self.settings) | {"PATH": f"{BIN}{os.pathsep}{mine.get('PATH', '')}"}

    @contextmanager
    def running(self, *words: str) -> Iterator["Running"]:
        """A command that goes on, once it has said its first line; killed at the end if it still runs."""
        errors = self.folder / "running.err"
        errors.unlink(missing_ok=True)
        process = Fork(PROGRAM, words, self.environment, self.folder, errors)
        try:
            said = process.output.readline()
            assert said, errors.read_text()
            yield Running(process, said)
        finally:
            process.end()


@dataclass
class Running:
    """A command that goes on."""

    process: Fork = field(repr=False)
    said: str

    @property
    def output(self) -> TextIO:
        """What it says after its first line."""
        return self.process.output

    @property
    def address(self) -> str:
        """Where it serves, as it said."""
        return self.said.split()[-1].rstrip("/")

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """(exit code, seconds) after this signal."""
        self.process.send(number)
        return self.process.wait(PATIENCE_SECONDS), self.process.waited_seconds


def asked(method: str, address: str, **more: Any) -> httpx2.Response:
    """The answer of a process on this machine, however busy that is and whatever proxy the environment names."""
    with client(timeout=PATIENCE_SECONDS) as http:
        return http.request(method, address, **more)


def printed(demo: Running) -> Iterator[str]:
    """Every line of a demo that goes on to serve: its tables, its addresses, and last the one for the tour."""
    line = demo.said
    yield line
    while "export AMENDS=" not in line:
        line = demo.output.readline()
        assert line, "the demo ended before it had said everything"
        yield line


def command_line(folder: Path, database: str | None = None, **settings: str) -> CommandLine:
    """`amends` in this folder; without a database it takes the default, a file in the folder."""
    named = {f"AMENDS_{name.upper()}": value for name, value in settings.items()}
    return CommandLine(folder, named | ({"AMENDS_DATABASE_URL": database} if database else {}))


def _surround(patch: pytest.MonkeyPatch, folder: Path, settings: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AMENDS_")]:
        patch.delenv(name)
    for name, value in settings.items():
        patch.setenv(name, value)
    patch.chdir(folder)
