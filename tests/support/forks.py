"""Processes that begin with the program imported: forked from one that did so once, and their own from then on.

To import everything takes a process two to four seconds of CPU, which is most of what a test of processes would
cost. How the program begins from nothing is shown where the samples of the documents run the installed one.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from signal import Signals
from typing import Final, TextIO

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.preloaded"])
_LOOK_SECONDS: Final = 0.05
_KEPT_SECONDS: Final = 0.25
"""A look that takes longer was kept by a machine that stood still, for the process as for us."""


class Fork:
    """A process that runs this program with these words; `output` is what it prints."""

    def __init__(
        self, program: str, words: Sequence[str], environment: Mapping[str, str], folder: Path, errors: Path
    ) -> None:
        heard, said = _CONTEXT.Pipe(duplex=False)
        with heard, said:
            arguments = (program, tuple(words), dict(environment), folder, said, errors)
            self._process = _CONTEXT.Process(target=_become, args=arguments)
            self._process.start()
            self.output: TextIO = os.fdopen(os.dup(heard.fileno()))
        self.waited_seconds = 0.0
        """How long the last wait took, as far as the machine ran meanwhile."""

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.is_alive()

    def send(self, number: Signals) -> None:
        """Sends it this signal, if it is still there."""
        # Whoever forked it knows of its end, and forgets its number, a moment before we are told.
        with suppress(ProcessLookupError):
            if self.running:
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Its exit code, less than zero after a signal. Fails the test when it has not ended by then."""
        self.waited_seconds = 0.0
        while self.waited_seconds < seconds and self.running:
            begun = time.monotonic()
            self._process.join(_LOOK_SECONDS)
            self.waited_seconds += min(time.monotonic() - begun, _KEPT_SECONDS)
        code = self._process.exitcode
        assert code is not None, f"it did not end within {seconds:.0f} s"
        return code

    def end(self) -> None:
        """Kill -9, if it is still there; then nothing of it is left."""
        self.send(Signals.SIGKILL)
        self._process.join()
        self._process.close()
        self.output.close()


def _become(
    program: str, words: tuple[str, ...], environment: dict[str, str], folder: Path, said: Connection, errors: Path
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(said.fileno(), 1)
    said.close()
    with errors.open("ab") as log:
        os.dup2(log.fileno(), 2)
    tempfile.tempdir = None  # it is looked up once, and that was for somebody else
    sys.argv = ["-c", *words]
    exec(program, {"__name__": "__main__"})  # noqa: S102 (what `python -c` does)
