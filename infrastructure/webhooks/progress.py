"""Progress: how far each webhook has come, written down after every delivery.

Whoever delivers writes only where the webhook is as he read it: of two, or of him and an administrator, the second
finds that it has moved, and begins anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, select, update

from infrastructure.recorder import read_head
from infrastructure.webhooks.answers import Answer
from infrastructure.webhooks.connections import Connections
from infrastructure.webhooks.endpoints import FRESH, Webhook, read_webhooks
from infrastructure.webhooks.schedule import over
from infrastructure.webhooks.tables import dead_letters, webhooks

WELL: Final[dict[str, Any]] = FRESH | {"failing_since": None, "reason": None, "status": None}
"""A webhook whose receiver took what it was told last."""


def active_webhooks(conn: Connection, ledger: str) -> list[Webhook]:
    """The webhooks that are told what happens."""
    return read_webhooks(conn, ledger, webhooks.c.state == "active")


def due(conn: Connection, ledger: str, active: Sequence[Webhook], now: datetime) -> list[Webhook]:
    """Those of these webhooks that have something to be told now."""
    if not active:
        return []
    head, asked = read_head(conn, ledger).position, _asked(conn, ledger)
    return [one for one in active if (one.position < head and over(one.next_at, now)) or one.webhook_id in asked]


def _asked(conn: Connection, ledger: str) -> set[UUID]:
    query = select(dead_letters.c.webhook_id).where(dead_letters.c.ledger == ledger)
    return set(conn.scalars(query.where(dead_letters.c.again_at.is_not(None))))


class Progress:
    """How far one webhook has come."""

    def __init__(self, connections: Connections, ledger: str, webhook: Webhook) -> None:
        self._connections, self._ledger, self._webhook = connections, ledger, webhook
        self.position, self.failures = webhook.position, webhook.failures
        self._failing_since = webhook.failing_since

    def asked_again(self) -> list[int]:
        """The positions of the events that somebody wants told once more."""
        query = select(dead_letters.c.position).where(*self._letters(), dead_letters.c.again_at.is_not(None))
        with self._connections.reading() as conn:
            return list(conn.scalars(query.order_by(dead_letters.c.position)))

    def delivered(self, position: int, now: datetime) -> bool:
        """The event there was taken. False when somebody else has moved the webhook since."""
        return self._move(position, WELL | {"delivered_at": now})

    def passed(self, position: int) -> bool:
        """Nothing up to there is for this webhook; False as above."""
        # Where a fault of ours was in the way, that is over; of the receiver nothing new is known.
        values = WELL if self._webhook.reason == "internal" else {}
        return position == self.position or self._move(position, values)

    def failed(self, answer: Answer, now: datetime, next_at: datetime) -> bool:
        """The next event was not taken, and is tried again then; False as above."""
        return self._stay(answer, now, {"failures": self.failures + 1, "next_at": next_at})

    def kept_from(self, now: datetime, next_at: datetime) -> bool:
        """A fault of ours was in the way of the next event, which is tried then; False as above."""
        return self._stay(Answer(None, "internal"), now, {"next_at": next_at})

    def gone(self, answer: Answer, now: datetime) -> bool:
        """The receiver wants to be told nothing any more; False as above."""
        return self._stay(answer, now, FRESH | {"state": "gone"})

    def given_up(self, position: int, answer: Answer, now: datetime) -> bool:
        """The event there was tried for the last time: it is kept as a dead letter; False as above."""
        attempts = self.failures + 1
        with self._connections.writing() as conn:
            if not self._write(conn, FRESH | {"position": position} | self._fault(answer, now)):
                return False
            conn.execute(delete(dead_letters).where(*self._letters(position)))
            row = {"ledger": self._ledger, "webhook_id": self._webhook.webhook_id, "position": position}
            conn.execute(
                dead_letters.insert().values(
                    row | {"reason": answer.fault, "status": answer.status, "attempts": attempts, "failed_at": now}
                )
            )
        self.position, self.failures = position, 0
        return True

    def told_again(self, position: int, answer: Answer, now: datetime) -> bool:
        """The event there was told once more, as somebody wanted: taken, it is a dead letter no more.

        False as above.
        """
        this = self._letters(position)
        with self._connections.writing() as conn:
            if answer.fault is None:
                conn.execute(delete(dead_letters).where(*this))
            else:
                again = {"reason": answer.fault, "status": answer.status, "failed_at": now, "again_at": None}
                more = {"attempts": dead_letters.c.attempts + 1}
                conn.execute(update(dead_letters).where(*this).values(again | more))
            return conn.execute(select(webhooks.c.position).where(*self._as_read())).first() is not None

    def _move(self, position: int, values: dict[str, Any]) -> bool:
        with self._connections.writing() as conn:
            moved = self._write(conn, values | {"position": position})
        if moved:
            self.position, self.failures = position, 0
        return moved

    def _stay(self, answer: Answer, now: datetime, values: dict[str, Any]) -> bool:
        with self._connections.writing() as conn:
            return self._write(conn, self._fault(answer, now) | values)

    def _fault(self, answer: Answer, now: datetime) -> dict[str, Any]:
        self._failing_since = self._failing_since or now
        return {"reason": answer.fault, "status": answer.status, "failing_since": self._failing_since}

    def _write(self, conn: Connection, values: dict[str, Any]) -> bool:
        return conn.execute(update(webhooks).where(*self._as_read()).values(values)).rowcount == 1

    def _as_read(self) -> tuple[ColumnElement[bool], ...]:
        return (
            webhooks.c.ledger == self._ledger,
            webhooks.c.webhook_id == self._webhook.webhook_id,
            webhooks.c.revision == self._webhook.revision,
            webhooks.c.position == self.position,
        )

    def _letters(self, position: int | None = None) -> tuple[ColumnElement[bool], ...]:
        mine = (
            dead_letters.c.ledger == self._ledger,
            dead_letters.c.webhook_id == self._webhook.webhook_id,
        )
        return mine if position is None else (*mine, dead_letters.c.position == position)
