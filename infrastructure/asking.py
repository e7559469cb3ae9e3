"""Questions put to PostgreSQL over and over: prepared at the first asking, then sent and read without a cursor.

What the driver's cursor does around a statement took half as long again as a small answer takes to come.
"""

from collections.abc import Sequence
from itertools import count
from typing import Any, Final, LiteralString

import psycopg
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.generators import execute

_Name = tuple[LiteralString | bytes, tuple[int, ...]]
_IDLE: Final = pq.TransactionStatus.IDLE
_ANSWERED: Final = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_OUTDATED: Final = (FeatureNotSupported, InvalidSqlStatementName)
"""What PostgreSQL says of a statement whose columns got another type since, or that a pooler had it forget."""


class Forgetful(psycopg.Connection[Any]):
    """A connection that says when the server was told to forget every prepared statement.

    The driver does so at each rollback, and knows nothing of statements that it did not prepare itself.
    """

    forgot: int = 0
    """How often."""
    _asking: "Asking | None" = None

    @property
    def asking(self) -> "Asking":
        """What to ask through: it stays with the connection."""
        if self._asking is None:
            self._asking = Asking(self)
        return self._asking

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        if name is None:
            self.forgot += 1
        return super()._deallocate(name)


class Asking:
    """Asks through one connection, by one thread at a time, and keeps what it found out about types."""

    def __init__(self, driver: Forgetful) -> None:
        self._driver, self._server = driver, driver.pgconn
        self._values = Transformer(driver)
        self._prepared: dict[_Name, bytes] = {}
        self._names = count()
        self._forgot = driver.forgot

    def rows(self, statement: LiteralString | bytes, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """What PostgreSQL answers. `%b` stands where a value goes; all go and come in binary.

        The first of a transaction begins it, unless the connection is in autocommit. Raises psycopg.Error.
        """
        self._begin()
        try:
            return self._asked(statement, values)
        except _OUTDATED:
            self._prepared.clear()
            if self._server.transaction_status != _IDLE:
                raise  # its transaction is lost
            return self._asked(statement, values)

    def _asked(self, statement: LiteralString | bytes, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        known = self._values
        sent = known.dump_sequence(values, [PyFormat.BINARY] * len(values))
        name = self._name(statement, tuple(known.types or ()))
        self._server.send_query_prepared(name, sent, known.formats, pq.Format.BINARY)
        answer = self._answer()
        known.set_pgresult(answer)
        return known.load_rows(0, answer.ntuples, tuple)

    def _begin(self) -> None:
        if self._server.transaction_status == _IDLE and not self._driver.autocommit:
            # As the driver itself begins one, of the kind that the server has by default.
            self._server.send_query(b"BEGIN")
            self._answer()

    def _name(self, statement: LiteralString | bytes, types: tuple[int, ...]) -> bytes:
        """Under which the server knows the statement for values of these types."""
        if self._forgot != self._driver.forgot:
            self._prepared.clear()
            self._forgot = self._driver.forgot
        name = self._prepared.get((statement, types))
        if name is None:
            name = b"amends_%d" % next(self._names)  # never one that the server may still know
            self._server.send_prepare(name, _numbered(statement), types)
            self._answer()
            self._prepared[statement, types] = name
        return name

    def _answer(self) -> Any:
        # The connection waits, so that its patience counts here too.
        answer = self._driver.wait(execute(self._server))[-1]
        if answer.status not in _ANSWERED:
            raise error_from_result(answer, self._driver.info.encoding)
        return answer


def _numbered(statement: LiteralString | bytes) -> bytes:
    """The statement with PostgreSQL's own marks for values: $1 and on."""
    text = statement if isinstance(statement, bytes) else statement.encode()
    first, *others = text.split(b"%b")
    return first + b"".join(b"$%d%b" % (n, part) for n, part in enumerate(others, start=1))
