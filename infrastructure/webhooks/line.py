"""The line to a receiver: one connection, to a checked address, with an end to every wait."""

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import cache
from time import monotonic
from types import TracebackType
from typing import Any, Final, TypeVar

import httpcore2 as httpcore
from httpcore2 import NetworkBackend, NetworkStream

from domain.errors import AddressRefused
from infrastructure.webhooks.addresses import Guard
from infrastructure.webhooks.answers import WITHIN_SECONDS, Answer, judged

T = TypeVar("T")
ANSWER_BYTES: Final = 64 * 1024
"""So much of an answer is read, and none of it is kept: it may hold anything."""


class Line:
    """Posts to one address, over one connection as long as it holds. Follows nobody, asks no proxy."""

    def __init__(self, url: str, guard: Guard, within_seconds: float = WITHIN_SECONDS) -> None:
        self._url, self._guard, self._within_seconds = url, guard, within_seconds
        self._backend = _Guarded(url, guard)
        self._pool: httpcore.ConnectionPool | None = None

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close()

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """What was answered to this body, within the time there is."""
        self._backend.until = monotonic() + self._within_seconds
        try:
            return self._answer_at_last(headers, body)
        except AddressRefused:
            return Answer(None, "address_refused")
        except httpcore.TimeoutException:
            return Answer(None, "timeout")
        except httpcore.NetworkError as fault:
            return Answer(None, "tls" if isinstance(fault.__context__, ssl.SSLError) else "unreachable")
        except (httpcore.ProtocolError, ValueError):  # a ValueError: what no layer below expected to read
            return Answer(None, "broken_answer")

    def _answer_at_last(self, headers: Mapping[str, str], body: bytes) -> Answer:
        self._backend.fresh = self._backend.heard = False
        try:
            return self._answer(headers, body)
        except (httpcore.NetworkError, httpcore.ProtocolError):
            if self._backend.fresh or self._backend.heard:
                raise
        # A connection that was kept and has ended says nothing about the receiver: he may have closed it long ago.
        return self._answer(headers, body)

    def _answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        target = self._guard.target(self._url)
        said = [("host", target.authority), ("content-length", str(len(body))), *headers.items()]
        url = httpcore.URL(
            scheme=target.scheme, host=target.host, port=target.port, target=target.path.encode("ascii")
        )
        if self._pool is None:
            tls = _tls() if target.scheme == "https" else None
            self._pool = httpcore.ConnectionPool(tls, max_connections=1, network_backend=self._backend)
        with self._pool.stream("POST", url, headers=said, content=body) as response:
            self._read(response)
            return judged(response.status, _retry_after(response))

    def _read(self, response: httpcore.Response) -> None:
        read = 0
        try:
            for some in response.iter_stream():
                read += len(some)
                if read > ANSWER_BYTES:
                    return  # the connection is closed with what is left
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
            return  # what the receiver thinks of it stood in the first line


def _retry_after(response: httpcore.Response) -> str | None:
    said = (value for name, value in response.headers if name.lower() == b"retry-after")
    return next((value.decode("latin-1").strip() for value in said), None)


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates of all authorities takes a while: once is enough.
    return httpcore.default_ssl_context()


class _Guarded(NetworkBackend):
    """Connects to checked addresses only, until a moment."""

    until = 0.0
    fresh = False
    """Whether a connection was made for this message."""
    heard = False
    """Whether anything came back to it."""

    def __init__(self, url: str, guard: Guard) -> None:
        self._url, self._guard = url, guard
        self._sockets = httpcore.SyncBackend()

    def left(self) -> float:
        """How many seconds there are yet. Raises ReadTimeout when there are none."""
        left = self.until - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        self.fresh = True
        addresses = _in_time(lambda: self._guard.reach(self._guard.target(self._url)), self.left())
        *others, last = addresses
        for number, address in enumerate(others):
            share = self.left() / (len(addresses) - number)  # one that stays silent leaves the next ones theirs
            try:
                return _Timed(self._sockets.connect_tcp(address, port, share), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # another address of the same receiver may answer
        return _Timed(self._sockets.connect_tcp(last, port, self.left()), self)


class _Timed(NetworkStream):
    """A stream on which everything together ends in time, however slowly the other side drips."""

    def __init__(self, stream: NetworkStream, line: _Guarded) -> None:
        self._stream, self._line = stream, line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        some = self._stream.read(max_bytes, self._line.left())
        self._line.heard = self._line.heard or bool(some)
        return some

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._line.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._line.left()), self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _in_time(work: Callable[[], T], seconds: float) -> T:
    # In a thread that nobody waits for: a name that is being looked up cannot be broken off.
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever waits is told
            done.set_exception(fault)

    threading.Thread(target=run, name="webhook-lookup", daemon=True).start()
    try:
        return done.result(seconds)
    except TimeoutError:
        raise httpcore.ConnectTimeout("the name was not found in time") from None
