"""Pens: writers in processes of their own, as several servers of one ledger have them, without HTTP around them.

`python -m tests.bench.pens DATABASE KEY_FILE` reads tasks from standard input, one JSON document a line, and
answers each with one.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, Final
from uuid import UUID

import uvloop

import domain.compositions
import domain.moves  # noqa: F401 - every kind must be known before the first event of others is read
from api.logs import set_up_logs
from infrastructure.engine import make_engine
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from infrastructure.writer import Writer
from tests.bench.callers import told
from tests.bench.workload import opening, updating

PROJECT: Final = Path(__file__).resolve().parents[2]
_PROGRAM: Final = """
import ctypes, signal
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # it dies with us, however we die
from tests.bench.pens import main
main()
"""
Told = Mapping[str, Sequence[str]]
"""Ledger -> whom its commands are about, in order."""


@dataclass
class Pen:
    """One such process, seen from outside."""

    process: "subprocess.Popen[str]"

    def begin(self, **task: Any) -> None:
        """Gives it something to do."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()

    def done(self) -> Any:
        """What it answers when it is done."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the pen broke"
        return json.loads(line)

    def opened(self, ledger: str, n: int) -> list[str]:
        """The ids of so many new customers of this ledger."""
        self.begin(ledger=ledger, open=n)
        found: list[str] = self.done()
        return found


@contextmanager
def pen(database: str, key_file: Path, log: Path) -> Iterator[Pen]:
    """A pen on this database; at the end of the block it has ended well."""
    command = [sys.executable, "-c", _PROGRAM]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*command, database, str(key_file)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        with process:  # closes its input, which ends it, and waits
            yield Pen(process)
    finally:
        process.kill()
    assert process.returncode == 0, log.read_text()[-2000:]


@contextmanager
def pens(n: int, database: str, key_file: Path, log: Path) -> Iterator[list[Pen]]:
    """So many of them."""
    with ExitStack() as open_:
        yield [open_.enter_context(pen(database, key_file, log)) for _ in range(n)]


def all_told(several: Sequence[Pen], shares: Sequence[Told], callers: int) -> int:
    """Has each do its share, all at the same time, with so many callers in all; gives the commands done."""
    for one, share in zip(several, shares, strict=True):
        one.begin(tell=share, callers=callers // len(several))
    return sum(one.done()["commands"] for one in several)


# The process itself.


class Desk:
    """The writers of one process, each made when its ledger is first named."""

    def __init__(self, database: str, key_file: Path) -> None:
        self._engine, self._keyring = make_engine(database, pool_size=20), Keyring(key_file)
        self._writers: dict[str, Writer] = {}

    def do(self, task: Mapping[str, Any]) -> Any:
        """One task: customers opened, or commands about them."""
        if "open" in task:
            writer = self._writer(task["ledger"])
            futures = [writer.submit(opening()) for _ in range(task["open"])]
            return [str(one.result().customer_id) for one in futures]
        begun = process_time()
        commands = uvloop.run(self._told(task["tell"], task["callers"]))
        return {"commands": commands, "cpu": process_time() - begun}

    def close(self) -> None:
        """Ends the writers."""
        for writer in self._writers.values():
            writer.stop()
        self._engine.dispose()

    async def _told(self, told: Told, callers: int) -> int:
        each = max(1, callers // len(told))
        shares = [(self._writer(name), ids[n::each]) for name, ids in told.items() for n in range(each)]
        return sum(await asyncio.gather(*[_call(writer, mine) for writer, mine in shares]))

    def _writer(self, ledger: str) -> Writer:
        if ledger not in self._writers:
            mapper = Mapper(ledger, self._keyring)
            self._writers[ledger] = writer = Writer(self._engine, mapper, self._keyring, ledger=ledger)
            writer.start()
        return self._writers[ledger]


async def _call(writer: Writer, mine: Sequence[str]) -> int:
    for customer in mine:
        await told(writer, updating(UUID(customer)))
    return len(mine)


def main() -> None:
    """Works until nothing more is asked."""
    set_up_logs("warning")
    desk = Desk(sys.argv[1], Path(sys.argv[2]))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(desk.do(json.loads(line))) + "\n")
        sys.stdout.flush()
    desk.close()
