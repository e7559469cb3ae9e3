"""Patience: connections to PostgreSQL that wait so long for an answer, and for none once somebody hangs up."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, event

from infrastructure.asking import Forgetful

RV = TypeVar("RV")


class _Patient(Forgetful):
    """A connection that counts as lost when no answer comes within its patience."""

    patience_seconds: float

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        until = monotonic() + self.patience_seconds
        try:
            return super().wait(gen, interval, self.patience_seconds)
        except psycopg.OperationalError:
            if monotonic() >= until:
                self.close()  # an answer that comes later must not be taken for that of the next question
            raise


class _Connections:
    """The connections of one engine, open or on their way, until somebody hangs up."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._open: WeakSet[_Patient] = WeakSet()
        self._coming: set[Future[_Patient]] = set()
        self._hung_up = False

    def connect(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> _Patient:
        """A new one. Raises OperationalError of the driver once somebody hung up, also while it waits for it."""
        coming: Future[_Patient] = Future()
        with self._lock:
            if self._hung_up:
                raise _stopping()
            self._coming.add(coming)
        # In a thread that nobody waits for: neither a name that is looked up nor a greeting can be broken off.
        making = threading.Thread(target=self._make, args=(coming, arguments, options), daemon=True)
        try:
            making.start()
        except RuntimeError as fault:
            with self._lock:
                self._coming.discard(coming)
            raise psycopg.OperationalError("there is no room for another thread") from fault
        return coming.result()

    def _make(self, coming: "Future[_Patient]", arguments: Sequence[Any], options: Mapping[str, Any]) -> None:
        try:
            conn = _Patient.connect(*arguments, **options)
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever asked for it is told
            with self._lock:
                if not self._hung_up:
                    self._coming.discard(coming)
                    coming.set_exception(fault)
            return
        conn.patience_seconds = self._patience_seconds
        with self._lock:
            if not self._hung_up:
                self._coming.discard(coming)
                self._open.add(conn)
                coming.set_result(conn)
                return
        conn.close()

    def hang_up(self) -> None:
        """Ends every open one, refuses those on their way, and makes no more."""
        with self._lock:
            self._hung_up = True
            coming, self._coming = self._coming, set()
            for one in coming:
                one.set_exception(_stopping())
            for conn in self._open:
                if not conn.closed:
                    _shut(conn)


def _stopping() -> psycopg.OperationalError:
    return psycopg.OperationalError("we are stopping")


_CONNECTIONS: Final[WeakKeyDictionary[Engine, _Connections]] = WeakKeyDictionary()


def make_patient(engine: Engine, patience_seconds: float) -> None:
    """Lets no connection of this engine wait longer than this for an answer."""
    connections = _CONNECTIONS[engine] = _Connections(patience_seconds)

    def connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> _Patient:
        return connections.connect(arguments, options)

    event.listen(engine, "do_connect", connect)


@contextmanager
def listening(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """A PostgreSQL connection of the driver's own, outside the pool, on which every statement is a transaction."""
    arguments, options = engine.dialect.create_connect_args(engine.url)
    connections = _CONNECTIONS.get(engine)
    made: psycopg.Connection[Any] = (
        psycopg.connect(*arguments, **options) if connections is None else connections.connect(arguments, options)
    )
    with made as conn:
        conn.autocommit = True
        yield conn


def hang_up(engine: Engine) -> None:
    """Ends every PostgreSQL connection of this engine, also those that wait for an answer; no new one is made.

    Whoever is waiting for a new one is told at once.
    """
    connections = _CONNECTIONS.get(engine)
    if connections is not None:
        connections.hang_up()


def _shut(conn: _Patient) -> None:
    try:
        # The descriptor stays the driver's; whoever waits on it is told at once that nothing will come.
        with socket.socket(fileno=os.dup(conn.fileno())) as shared:
            shared.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):
        return  # it ended by itself meanwhile
