"""Faults from outside: a way to PostgreSQL that can be slow, cut, frozen or gone, under the hand of a test."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import URL, make_url

from tests.support.processes import PATIENCE_SECONDS, House

Moment = Literal["before", "after"]
MOMENTS: Final[tuple[Moment, Moment]] = ("before", "after")
_COMMIT: Final = b"COMMIT\x00"
"""How a question ends that commits; on PostgreSQL a page, the moved head and the commit are one."""
_COMMITTED: Final = b"COMMIT\x00"
_APPENDING: Final = b"COPY events"
_CHUNK: Final = 64 * 1024


@dataclass
class TunedHouse(House):
    """A house whose processes have other settings than the defaults."""

    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The settings of its processes, these included."""
        return super().environment() | dict(self.settings)


def tuned(house: House, database: str | None = None, **settings: object) -> TunedHouse:
    """The same house with these settings, and reached by another way if one is named."""
    named = {f"AMENDS_{name.upper()}": str(value) for name, value in settings.items()}
    return TunedHouse(database or house.database, house.folder, house.bearer, named)


@dataclass(eq=False)
class _Wire:
    """One connection through the proxy: both ends, and what is to become of its next commit."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    appends: bool = False
    swallow: bool = False

    def cut(self) -> None:
        """Both ends see a connection that was reset."""
        for end in (self.client, self.server):
            if end is not None and not end.is_closing():
                end.transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                end.transport.abort()


class Proxy:
    """Stands between a server of ours and PostgreSQL, on a port of loopback."""

    def __init__(self, database: str) -> None:
        self._target = make_url(database)
        self._wires: set[_Wire] = set()
        self._delay_seconds = 0.0
        self._strike: Moment | None = None
        self._struck = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._listener: asyncio.Server | None = None
        self._gone = False
        # Bound and never listening: while nobody listens there, nobody else is given the port.
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._kept.bind(("127.0.0.1", 0))
        self._port = self._kept.getsockname()[1]
        self.held_back = 0
        """How many questions and answers wait for the proxy to thaw."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    @property
    def url(self) -> str:
        """The database by way of the proxy."""
        query = {name: value for name, value in self._target.query.items() if name != "host"}
        through = self._target.set(host="127.0.0.1", port=self._port, query=query)
        return through.render_as_string(hide_password=False)

    def start(self) -> None:
        """Lets connections through."""
        self._thread.start()
        self.come_back()

    def end(self) -> None:
        """Takes the proxy away."""
        self.vanish()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()
        self._kept.close()

    # What may happen to a database.

    def slow_down(self, seconds: float) -> None:
        """From now on everything that is asked arrives so much later."""
        self._delay_seconds = seconds

    def freeze(self) -> None:
        """From now on connections are taken, and nothing is ever answered."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def thaw(self) -> None:
        """Everything flows again, also what was held back."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def cut(self) -> None:
        """Every connection there is breaks; new ones are taken."""
        self._in_loop(self._cut())

    def vanish(self) -> None:
        """Every connection breaks, and nobody listens any more."""
        self._in_loop(self._vanish())

    def come_back(self) -> None:
        """Somebody listens again, on the same port."""
        self._in_loop(self._listen())

    def strike(self, moment: Moment) -> None:
        """The next commit of a page of events is lost on its way there, or its confirmation on the way back."""
        self._struck.clear()
        self._strike = moment

    def wait_for_strike(self) -> None:
        """Returns when that has happened."""
        assert self._struck.wait(PATIENCE_SECONDS), "nothing was committed, so nothing was lost"

    # How.

    def _in_loop(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _listen(self) -> None:
        self._gone = False
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self._port, reuse_port=True)

    async def _cut(self) -> None:
        for wire in list(self._wires):
            wire.cut()

    async def _vanish(self) -> None:
        self._gone = True
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = _Wire(writer)
        self._wires.add(wire)
        try:
            if self._gone:
                return  # taken in the moment in which nobody listened any more
            await self._flowing.wait()
            answers, wire.server = await _connected(self._target)
            pumps = [self._questions(reader, wire), self._answers(answers, wire)]
            await asyncio.wait([asyncio.ensure_future(one) for one in pumps], return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # the database itself is gone: whoever asked sees the end of his connection
        finally:
            wire.cut()
            self._wires.discard(wire)

    async def _pass(self) -> None:
        self.held_back += 1
        await self._flowing.wait()
        self.held_back -= 1

    async def _questions(self, reader: asyncio.StreamReader, wire: _Wire) -> None:
        while asked := await _read(reader):
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            await self._pass()
            wire.appends = wire.appends or _APPENDING in asked
            if self._strike is not None and wire.appends and _COMMIT in asked:
                moment, self._strike = self._strike, None
                if moment == "before":
                    self._struck.set()
                    return
                wire.swallow = True
            # The next commit on this wire may be that of a word to those who listen.
            wire.appends = wire.appends and _COMMIT not in asked
            await _write(wire.server, asked)

    async def _answers(self, reader: asyncio.StreamReader, wire: _Wire) -> None:
        while answered := await _read(reader):
            await self._pass()
            if wire.swallow and _COMMITTED in answered:
                self._struck.set()
                return
            await _write(wire.client, answered)


async def _connected(target: URL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = target.query.get("host") or target.host or "127.0.0.1", target.port or 5432
    assert isinstance(host, str)
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""  # a connection that was reset has ended, too


async def _write(writer: asyncio.StreamWriter | None, chunk: bytes) -> None:
    assert writer is not None
    try:
        writer.write(chunk)
        await writer.drain()
    except OSError:
        return  # the reading side will notice


@contextmanager
def proxied(database: str) -> Iterator[Proxy]:
    """A proxy in front of this database, for as long as the block lasts."""
    proxy = Proxy(database)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.thaw()
        proxy.end()
