"""Idempotency: the same command again gets the same receipts; the same key with other content is refused."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select

from domain.errors import Erased, KeyReused
from domain.values import unchanging
from infrastructure.orders import Order, Outcome, Receipt, ids_of
from infrastructure.probes import probe
from infrastructure.recorder import to_record
from infrastructure.rows import insert_rows
from infrastructure.tables import commands, events
from infrastructure.tools import Tools

Key = tuple[str, str]
"""(source, HMAC of the key): callers use order numbers and e-mail addresses as keys, and these are personal."""


class _Row(NamedTuple):
    """What is kept of a command that was taken."""

    source: str
    key: str
    fingerprint: bytes | None
    customer_id: UUID
    position: int
    n: int


_ROW = tuple(commands.c[name] for name in _Row._fields)


@unchanging
class _Taken:
    """A command taken before: what it said, and where its events begin."""

    fingerprint: bytes | None
    row: _Row | None
    """Its row, when an earlier page recorded it."""
    outcome: Outcome | None
    """Its outcome, when it is of this page."""


class Idempotency:
    """The commands of one page that carry a key, against all that were ever taken in this ledger."""

    def __init__(
        self, conn: Connection, tools: Tools, orders: Iterable[Order], version_of: Callable[[UUID], int]
    ) -> None:
        self._conn, self._tools, self._version_of = conn, tools, version_of
        self._rows: list[dict[str, Any]] = []
        given = {(order.source, order.key) for order in orders if order.key is not None}
        self._hidden = {(source, key): (source, self._hmac(key)) for source, key in given}
        self._taken = self._looked_up(set(self._hidden.values()))

    def answer(self, order: Order) -> Outcome | None:
        """The outcome of the same command before; None for a new one.

        Raises KeyReused for other content, Erased when what was said may no longer be known.
        """
        key = self._key_of(order)
        taken = None if key is None else self._taken.get(key)
        if key is None or taken is None:
            return None
        if taken.fingerprint is None:
            raise Erased
        if taken.fingerprint != order.fingerprint:
            raise KeyReused
        outcome = taken.outcome or self._rebuilt(taken.row)
        # What said nothing new has no version of its own: the customer's may have risen since, in this page too.
        return outcome if outcome.receipts else replace(outcome, version=self._version_of(outcome.customer_id))

    def remember(self, order: Order, outcome: Outcome) -> None:
        """Keeps what became of the order, for its twins in this page and for ever after."""
        key = self._key_of(order)
        if key is None:
            return
        self._taken[key] = _Taken(order.fingerprint, None, replace(outcome, replayed=True))
        self._rows.append(
            {
                "ledger": self._tools.ledger,
                "source": key[0],
                "key": key[1],
                "fingerprint": order.fingerprint,
                "customer_id": outcome.customer_id,
                "position": outcome.receipts[0].position if outcome.receipts else outcome.position,
                "n": len(outcome.receipts),
            }
        )

    def write(self) -> None:
        """Stores what was remembered, in the page's transaction."""
        insert_rows(self._conn, commands, self._rows)

    def _looked_up(self, keys: set[Key]) -> dict[Key, _Taken]:
        columns = (commands.c.source, commands.c.key)
        rows = map(_Row._make, probe(self._conn, _ROW, self._tools.ledger, columns, sorted(keys)))
        return {(row.source, row.key): _Taken(row.fingerprint, row, None) for row in rows}

    def _rebuilt(self, row: Any) -> Outcome:
        last = row.position + row.n - 1
        rows = self._conn.execute(
            select(events)
            .where(events.c.ledger == self._tools.ledger, events.c.position.between(row.position, last))
            .order_by(events.c.position)
        )
        records = [to_record(one) for one in rows]
        if not records:
            return Outcome(row.customer_id, (), row.position, 0, {}, replayed=True)
        return Outcome(
            customer_id=row.customer_id,
            receipts=tuple(Receipt.of(record) for record in records),
            position=records[-1].position,
            version=max(record.version for record in records if record.stream_id == row.customer_id),
            ids=ids_of([self._tools.mapper.known(record).event for record in records]),
            replayed=True,
        )

    def _key_of(self, order: Order) -> Key | None:
        """What the order is known by; None when its caller gave no key."""
        return None if order.key is None else self._hidden[order.source, order.key]

    def _hmac(self, key: str) -> str:
        return self._tools.keyring.fingerprint(b"key\x00" + key.encode()).hex()
