"""Connections for whoever delivers: few at a time, so that the lease and administrators find one, too."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from sqlalchemy import Connection, Engine

from infrastructure.engine import writing

AT_ONCE: Final = 3
"""So many webhooks ask the database at the same time; the others wait their turn, however long it takes."""


class Connections:
    """The database as the threads of all webhooks share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._free = engine, BoundedSemaphore(AT_ONCE)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read through."""
        with self._free, self._engine.connect() as conn:
            yield conn

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection inside a transaction that writes, committed at the end of the block."""
        with self._free, writing(self._engine) as conn:
            yield conn
