"""The command line as an operator runs it: in this process where that is enough, as a process where it is not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pytest
import structlog
from typer.testing import CliRunner

from api.cli import app

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
        command = [BIN / "amends", *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
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
        with (self.folder / "running.err").open("wb") as err:
            process = subprocess.Popen(
                [BIN / "amends", *words], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=err
            )
            assert process.stdout is not None
            try:
                said = process.stdout.readline().decode()
                assert said, (self.folder / "running.err").read_text()
                yield Running(process, process.stdout, said)
            finally:
                process.kill()
                process.wait(PATIENCE_SECONDS)
                process.stdout.close()


@dataclass
class Running:
    """A command that goes on."""

    process: "subprocess.Popen[bytes]"
    output: IO[bytes] = field(repr=False)
    said: str

    @property
    def address(self) -> str:
        """Where it serves, as it said."""
        return self.said.split()[-1].rstrip("/")

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """(exit code, seconds) after this signal."""
        begun = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_SECONDS)
        return code, time.monotonic() - begun


def printed(demo: Running) -> Iterator[str]:
    """Every line of a demo that goes on to serve: its tables, its addresses, and last the one for the tour."""
    line = demo.said
    yield line
    while "export AMENDS=" not in line:
        line = demo.output.readline().decode()
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
