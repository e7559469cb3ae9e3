"""Files: whether the SQLite database that is open is still the one that stands at its path.

A file that was deleted or replaced while it is open goes on taking writes that nobody will find again, and whoever
connects anew would begin an empty one in its place.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

_MOVED: Final = "SQLITE_READONLY_DBMOVED"
"""SQLite's own name for it, which it gives only where there is no write-ahead log."""


def keep_to_its_file(engine: Engine) -> None:
    """Nothing is begun or committed, and no connection made, while another file or none stands at its path.

    Whoever tries is told as of a database out of reach. Once the file is back, all goes on.
    """
    name = engine.url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        return
    file = _File(Path(name).absolute())
    event.listen(engine, "do_connect", file.before_connecting)
    event.listen(engine, "connect", file.connected)
    event.listen(engine, "begin", file.before_beginning)
    # Between the two some time may pass: whoever begins to write waits until others have done so.
    event.listen(engine, "commit", file.before_committing)


class _File:
    """The file at a path, as it was when it was first there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first = self._now()

    def before_connecting(self, *_: Any) -> None:
        if self._moved():
            raise _moved()

    def connected(self, *_: Any) -> None:
        self._first = self._first or self._now()

    def before_beginning(self, _conn: Connection) -> None:
        if self._moved():
            raise OperationalError("BEGIN", None, _moved())

    def before_committing(self, _conn: Connection) -> None:
        if self._moved():
            raise OperationalError("COMMIT", None, _moved())

    def _moved(self) -> bool:
        return self._first is not None and self._now() != self._first

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _moved() -> sqlite3.OperationalError:
    fault = sqlite3.OperationalError("the file that was opened is no longer at its path")
    fault.sqlite_errorname = _MOVED
    return fault
