"""A client in a process of its own, cheap enough that the server is what is measured: plain sockets, ready bytes.

It shares the cores with the server and the database, so it neither builds requests nor reads answers beyond their
length, status and position; `Told.cpu_seconds` says what it took all the same.
"""

import pickle
import selectors
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, process_time
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_READ_AT_ONCE: Final = 1 << 18
_END_OF_HEAD: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, and over how many connections, which are spread over the addresses.

    With `per_second` a request leaves when it is due, whether earlier ones were answered or not, as long as there
    is a free connection; without it as soon as a connection has its answer.
    """

    addresses: Sequence[tuple[str, int]]
    connections: int
    requests: Sequence[bytes]
    per_second: float | None = None


@dataclass(slots=True)
class Told:
    """What came of a job."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    answers: list[tuple[float, float, int]] = field(default_factory=list)
    """Of a job with `per_second`: when each request was due, when answered, and at which position."""


class Line:
    """One kept connection, with one request under way at most."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.head = b""
        self._got = bytearray()
        self._missing = -1

    def send(self, request: bytes, due: float = 0.0) -> None:
        """Sends it whole; the answer comes to `heard`."""
        self.due, self.head, self._missing = due, b"", -1
        self._got.clear()
        self.socket.sendall(request)

    def heard(self) -> bool:
        """Reads what has come; whether the answer is complete."""
        got = self.socket.recv(_READ_AT_ONCE)
        if not got:
            raise ConnectionError("the server hung up")
        if self._missing < 0:
            self._got += got
            end = self._got.find(_END_OF_HEAD)
            if end < 0:
                return False
            self.head = bytes(self._got[: end + 2])
            self._missing = _length(self.head) - (len(self._got) - end - len(_END_OF_HEAD))
        else:
            self._missing -= len(got)
        return self._missing <= 0

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.head[9:12])

    @property
    def position(self) -> int:
        """Where the answer says that the event stands; 0 where it says nothing."""
        _, found, rest = self.head.partition(b"amends-position: ")
        return int(rest.partition(b"\r")[0]) if found else 0


def _length(head: bytes) -> int:
    # Uvicorn writes names in small letters, for every application alike.
    _, found, rest = head.partition(b"content-length: ")
    return int(rest.partition(b"\r")[0]) if found else 0


class Client:
    """The process as seen from outside."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def prepare(self, job: Job) -> None:
        """Hands the job over, and opens its connections."""
        self._say(job)
        self._hear()

    def go(self) -> Told:
        """Does the job that was handed over."""
        self._say(True)
        told = self._hear()
        if not isinstance(told, Told):
            raise TypeError(f"the client said {told!r}")
        return told

    def _say(self, what: object) -> None:
        pickle.dump(what, self._process.stdin)  # type: ignore[arg-type]
        self._process.stdin.flush()  # type: ignore[union-attr]

    def _hear(self) -> object:
        return pickle.load(self._process.stdout)  # type: ignore[arg-type]  # noqa: S301 (our own child)


@contextmanager
def client() -> Iterator[Client]:
    """A client for as long as the block lasts."""
    command = [sys.executable, "-c", "from tests.bench.client import main; main()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            yield Client(process)
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> None:
    """Does one job after the other, until nobody gives any more."""
    told, say = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            job: Job = pickle.load(told)  # noqa: S301 (our own parent)
        except EOFError:
            return
        lines = [Line(job.addresses[one % len(job.addresses)]) for one in range(job.connections)]
        pickle.dump("ready", say)
        say.flush()
        pickle.load(told)  # noqa: S301 (the word to begin)
        pickle.dump(_done(job, lines), say)
        say.flush()
        for line in lines:
            line.socket.close()


def _done(job: Job, lines: list[Line]) -> Told:
    told = Told()
    begun, cpu = monotonic(), process_time()
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        if job.per_second is None:
            _as_answered(job, lines, selector, told)
        else:
            _as_due(job, job.per_second, lines, selector, told)
    told.seconds, told.cpu_seconds = monotonic() - begun, process_time() - cpu
    return told


def _as_answered(job: Job, lines: list[Line], selector: selectors.BaseSelector, told: Told) -> None:
    todo = iter(job.requests)
    waiting = 0
    for line, request in zip(lines, todo, strict=False):
        line.send(request)
        waiting += 1
        if waiting == len(lines):
            break  # before zip takes one more request, which nobody would send
    while waiting:
        for key, _ in selector.select():
            line = key.data
            if not line.heard():
                continue
            told.statuses[line.status] += 1
            request = next(todo, b"")
            if request:
                line.send(request)
            else:
                waiting -= 1


def _as_due(job: Job, per_second: float, lines: list[Line], selector: selectors.BaseSelector, told: Told) -> None:
    free, sent, begun = list(lines), 0, monotonic()
    while len(told.answers) < len(job.requests):
        while free and sent < len(job.requests) and begun + sent / per_second <= monotonic():
            free.pop().send(job.requests[sent], begun + sent / per_second)
            sent += 1
        patience = None
        if free and sent < len(job.requests):
            patience = max(0.0, begun + sent / per_second - monotonic())
        for key, _ in selector.select(patience):
            line = key.data
            if line.heard():
                told.statuses[line.status] += 1
                told.answers.append((line.due, monotonic(), line.position))
                free.append(line)
