"""Lost answers: a commit that fails before the database has it, or whose confirmation never arrives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from infrastructure import turns

Moment = Literal["before", "after"]


class LostAnswers:
    """Stands between the writer of an engine and its database; strikes only when told to, and then once."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._dialect, self._commit = engine, engine.dialect, engine.dialect.do_commit
        self._written = turns.write_and_commit
        self._strike: Moment | None = None

    def install(self) -> None:
        """From now on commits pass through here: those of SQLAlchemy, and on PostgreSQL those of pages."""
        self._dialect.do_commit = self._commit_or_strike  # type: ignore[method-assign,assignment]
        self._written = turns.write_and_commit
        turns.write_and_commit = self._written_or_strike

    def remove(self) -> None:
        """Commits go to the database again."""
        self._dialect.do_commit = self._commit  # type: ignore[method-assign]
        turns.write_and_commit = self._written

    @contextmanager
    def strike(self, moment: Moment) -> Iterator[None]:
        """The commit of the writer's next page is lost. Fails when it made none within the block."""
        self._strike = moment
        yield
        assert self._strike is None, "nothing was committed, so nothing was lost"

    def _written_or_strike(self, conn: Connection, message: bytes, rows: bytes) -> DBAPIError | None:
        moment = self._strike
        if moment is None or conn.engine is not self._engine:
            return self._written(conn, message, rows)
        self._strike = None
        lost = message if moment == "after" else message.replace(b"COMMIT", b"ROLLBACK")
        assert self._written(conn, lost, rows) is None
        raise OperationalError("", None, psycopg.OperationalError("the connection was lost"))

    def _commit_or_strike(self, connection: Any) -> None:
        moment = self._strike
        if moment is None or not _is_the_writer():
            self._commit(connection)
            return
        self._strike = None
        if moment == "after":
            self._commit(connection)
        else:
            self._dialect.do_rollback(connection)
        raise self._dialect.loaded_dbapi.OperationalError("the connection was lost")


def _is_the_writer() -> bool:
    return threading.current_thread().name.startswith("writer-")


@contextmanager
def lost_answers(engine: Engine) -> Iterator[LostAnswers]:
    """Lost answers on this engine, for as long as the block lasts."""
    made = LostAnswers(engine)
    made.install()
    try:
        yield made
    finally:
        made.remove()
