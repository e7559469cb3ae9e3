"""Lost answers: a commit that fails before the database has it, or whose confirmation never arrives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import Engine

Moment = Literal["before", "after"]


class LostAnswers:
    """Stands between the writer of an engine and its database; strikes only when told to, and then once."""

    def __init__(self, engine: Engine) -> None:
        self._dialect, self._commit = engine.dialect, engine.dialect.do_commit
        self._strike: Moment | None = None

    def install(self) -> None:
        """From now on commits pass through here."""
        self._dialect.do_commit = self._commit_or_strike  # type: ignore[method-assign]

    def remove(self) -> None:
        """Commits go to the database again."""
        self._dialect.do_commit = self._commit  # type: ignore[method-assign]

    @contextmanager
    def strike(self, moment: Moment) -> Iterator[None]:
        """The writer's next commit is lost. Fails when it made none within the block."""
        self._strike = moment
        yield
        assert self._strike is None, "nothing was committed, so nothing was lost"

    def _commit_or_strike(self, connection: Any) -> None:
        moment = self._strike
        if moment is None or not threading.current_thread().name.startswith("writer-"):
            self._commit(connection)
            return
        self._strike = None
        if moment == "after":
            self._commit(connection)
        else:
            self._dialect.do_rollback(connection)
        raise self._dialect.loaded_dbapi.OperationalError("the connection was lost")


@contextmanager
def lost_answers(engine: Engine) -> Iterator[LostAnswers]:
    """Lost answers on this engine, for as long as the block lasts."""
    made = LostAnswers(engine)
    made.install()
    try:
        yield made
    finally:
        made.remove()
