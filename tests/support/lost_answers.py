"""Lost answers: a commit that fails before the database has it, or whose confirmation never arrives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import Engine, event

Moment = Literal["before", "after"]


class LostAnswers:
    """Stands between the writer of an engine and its database; strikes only when told to, and then once."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._dialect, self._commit = engine, engine.dialect, engine.dialect.do_commit
        self._strike: Moment | None = None
        self._notifying = False

    def install(self) -> None:
        """From now on commits pass through here."""
        self._dialect.do_commit = self._commit_or_strike  # type: ignore[method-assign]
        event.listen(self._engine, "before_cursor_execute", self._hear)

    def remove(self) -> None:
        """Commits go to the database again."""
        self._dialect.do_commit = self._commit  # type: ignore[method-assign]
        event.remove(self._engine, "before_cursor_execute", self._hear)

    @contextmanager
    def strike(self, moment: Moment) -> Iterator[None]:
        """The commit of the writer's next page is lost. Fails when it made none within the block."""
        self._strike = moment
        yield
        assert self._strike is None, "nothing was committed, so nothing was lost"

    def _hear(self, _conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # Word of an earlier page, which is told a little later, is nobody's answer.
        if _is_the_writer() and "pg_notify" in statement:
            self._notifying = True

    def _commit_or_strike(self, connection: Any) -> None:
        moment = self._strike
        if not _is_the_writer():
            self._commit(connection)
            return
        notifying, self._notifying = self._notifying, False
        if moment is None or notifying:
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
