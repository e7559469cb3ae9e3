"""Endpoints: the webhooks of a ledger, as administrators make, change, rotate and end them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, case, delete, func, select, update

from domain.errors import AddressRefused, AlreadyExists, UnknownRef, WebhookLimit
from infrastructure.engine import writing
from infrastructure.keys import Keyring
from infrastructure.recorder import read_head
from infrastructure.webhooks.addresses import Guard
from infrastructure.webhooks.few import Few
from infrastructure.webhooks.signing import OVERLAP, SECRET_BYTES, shown
from infrastructure.webhooks.tables import dead_letters, webhooks

MOST: Final = 50
"""Webhooks of one ledger: each has a thread while it is told something, so that none waits for another."""
LOOK_UPS: Final = 4
"""Names of receivers that are looked up for administrators at once."""
LOOK_UP_SECONDS: Final = 3.0
"""Less than a request of ours may take: whoever makes a webhook must be there to be shown its secret."""
TRIALS: Final = 4
"""Receivers that are tried out at once: so many requests may wait outside the house, and no more."""
FRESH: Final[dict[str, Any]] = {"failures": 0, "next_at": None}
"""What makes a webhook be tried at once and for as long as ever, whatever went before."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as it stands: where it goes, how far it has come, and what is wrong with it."""

    webhook_id: UUID
    url: str = field(repr=False)  # some receivers put a secret into its path
    types: tuple[str, ...]
    """The types of events that it is told; all, when empty."""
    state: str
    revision: int
    position: int
    failures: int
    next_at: datetime | None
    failing_since: datetime | None
    reason: str | None
    status: int | None
    delivered_at: datetime | None
    created_at: datetime
    secret: bytes = field(repr=False)
    former: bytes | None = field(repr=False)
    former_until: datetime | None

    def sealed(self, now: datetime) -> list[bytes]:
        """The secrets to sign with, sealed, the newest first."""
        if self.former is None or self.former_until is None or now >= self.former_until:
            return [self.secret]
        return [self.secret, self.former]


@dataclass(frozen=True, slots=True)
class Standing:
    """A webhook, how many events it has not been told yet, and how many were given up."""

    webhook: Webhook
    behind: int
    dead: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that was given up: of which event, why, and whether it is about to be tried again."""

    position: int
    reason: str
    status: int | None
    attempts: int
    failed_at: datetime | None
    again: bool


class Webhooks:
    """The webhooks of one ledger."""

    def __init__(
        self,
        engine: Engine,
        ledger: str,
        keyring: Keyring,
        guard: Guard,
        *,
        look_up_seconds: float = LOOK_UP_SECONDS,
    ) -> None:
        self._engine, self._ledger, self._keyring, self._guard = engine, ledger, keyring, guard
        self._look_ups, self._look_up_seconds = Few(LOOK_UPS), look_up_seconds
        self.trials = Few(TRIALS)
        """Places for those who try a receiver out."""

    def new_id(self) -> UUID:
        """An id for a message that tells of no event."""
        return self._keyring.entropy.new_id()

    def listed(self) -> list[Standing]:
        """All of them, the oldest first."""
        with self._engine.connect() as conn:
            found = read_webhooks(conn, self._ledger)
            head, dead = read_head(conn, self._ledger).position, _dead(conn, self._ledger)
        return [Standing(one, max(0, head - one.position), dead.get(one.webhook_id, 0)) for one in found]

    def found(self, webhook_id: UUID) -> Standing:
        """This one. Raises UnknownRef."""
        for one in self.listed():
            if one.webhook.webhook_id == webhook_id:
                return one
        raise UnknownRef("webhook", webhook_id)

    def make(self, url: str, types: Sequence[str], after: int | None, now: datetime) -> tuple[UUID, str]:
        """(its id, its secret) of a new one, which is told what is recorded after a position, or from now on.

        The secret is shown here and never again. Raises AddressRefused, Busy, AlreadyExists, WebhookLimit, and
        UnknownRef for a position that is not reached yet.
        """
        self._look_up(url)
        webhook_id, secret = self._keyring.entropy.random_id(), self._secret()
        with writing(self._engine) as conn:
            others = read_webhooks(conn, self._ledger)
            _refuse_another(others, url, types)
            head = read_head(conn, self._ledger).position
            if after is not None and after > head:
                raise UnknownRef("event", after)
            row = {
                "ledger": self._ledger,
                "webhook_id": webhook_id,
                "url": url,
                "types": sorted(set(types)),
                "secret": self._sealed(webhook_id, secret),
                "state": "active",
                "revision": 1,
                "position": head if after is None else after,
                "created_at": now,
                **FRESH,
            }
            conn.execute(webhooks.insert().values(row))
        return webhook_id, shown(secret)

    def change(self, webhook_id: UUID, said: dict[str, Any]) -> None:
        """Gives it another `url`, other `types` or another `state`; it is tried at once.

        Raises UnknownRef, AddressRefused, Busy.
        """
        if "url" in said:
            self._look_up(said["url"])
        if "types" in said:
            said = said | {"types": sorted(set(said["types"]))}
        with writing(self._engine) as conn:
            self._change(conn, webhook_id, said | FRESH)

    def rotate(self, webhook_id: UUID, now: datetime) -> str:
        """A new secret, shown here and never again. For a day messages carry a signature of the old one, too.

        Raises UnknownRef.
        """
        secret = self._secret()
        sealed = {"secret": self._sealed(webhook_id, secret), "former": webhooks.c.secret}
        with writing(self._engine) as conn:
            self._change(conn, webhook_id, sealed | {"former_until": now + OVERLAP})
        return shown(secret)

    def remove(self, webhook_id: UUID) -> None:
        """Ends it, with what was given up. Raises UnknownRef."""
        with writing(self._engine) as conn:
            if not conn.execute(delete(webhooks).where(*self._this(webhook_id))).rowcount:
                raise UnknownRef("webhook", webhook_id)
            mine = (dead_letters.c.ledger == self._ledger, dead_letters.c.webhook_id == webhook_id)
            conn.execute(delete(dead_letters).where(*mine))

    def dead(self, webhook_id: UUID, after: int, limit: int) -> list[DeadLetter]:
        """What was given up, by position. Raises UnknownRef."""
        self.found(webhook_id)
        mine = (dead_letters.c.ledger == self._ledger, dead_letters.c.webhook_id == webhook_id)
        query = select(dead_letters).where(*mine, dead_letters.c.position > after)
        with self._engine.connect() as conn:
            rows = conn.execute(query.order_by(dead_letters.c.position).limit(limit)).all()
        return [
            DeadLetter(row.position, row.reason, row.status, row.attempts, row.failed_at, row.again_at is not None)
            for row in rows
        ]

    def tell_again(self, webhook_id: UUID, position: int, now: datetime) -> None:
        """Lets the event at this position be told once more, besides what is told in order.

        Raises UnknownRef for a webhook or an event that there is not.
        """
        with writing(self._engine) as conn:
            self._change(conn, webhook_id, {})  # what is told in order keeps its rests and its tries
            if not 1 <= position <= read_head(conn, self._ledger).position:
                raise UnknownRef("event", position)
            mine = {"ledger": self._ledger, "webhook_id": webhook_id, "position": position}
            this = [dead_letters.c[name] == value for name, value in mine.items()]
            if not conn.execute(update(dead_letters).where(*this).values(again_at=now)).rowcount:
                row = mine | {"reason": "asked", "attempts": 0, "again_at": now}
                conn.execute(dead_letters.insert().values(row))

    def tell_from(self, webhook_id: UUID, after: int) -> None:
        """Lets it be told everything after this position, what it was told before, too; it passes over nothing.

        Raises UnknownRef for a webhook that there is not, or a position that is not reached yet.
        """
        with writing(self._engine) as conn:
            if after > read_head(conn, self._ledger).position:
                raise UnknownRef("event", after)
            back = case((webhooks.c.position < after, webhooks.c.position), else_=after)
            self._change(conn, webhook_id, FRESH | {"position": back})

    def secrets(self, webhook: Webhook, now: datetime) -> list[bytes]:
        """The secrets to sign with, the newest first."""
        opened = self._keyring.open_secret
        return [opened(self._ledger, webhook.webhook_id, one) for one in webhook.sealed(now)]

    def break_off(self) -> None:
        """Lets nobody wait for a receiver or its name any longer: whoever does is told Busy."""
        for places in (self._look_ups, self.trials):
            places.break_off()

    def _look_up(self, url: str) -> None:
        target = self._guard.target(url)
        try:
            self._look_ups.within(self._look_up_seconds, lambda: self._guard.reach(target))
        except TimeoutError:
            raise AddressRefused("unresolved") from None

    def _change(self, conn: Connection, webhook_id: UUID, values: dict[str, Any]) -> None:
        changed = update(webhooks).where(*self._this(webhook_id))
        if not conn.execute(changed.values(values | {"revision": webhooks.c.revision + 1})).rowcount:
            raise UnknownRef("webhook", webhook_id)

    def _this(self, webhook_id: UUID) -> tuple[ColumnElement[bool], ...]:
        return (webhooks.c.ledger == self._ledger, webhooks.c.webhook_id == webhook_id)

    def _secret(self) -> bytes:
        return self._keyring.entropy.source(SECRET_BYTES)

    def _sealed(self, webhook_id: UUID, secret: bytes) -> bytes:
        return self._keyring.seal_secret(self._ledger, webhook_id, secret)


def read_webhooks(conn: Connection, ledger: str, *where: ColumnElement[bool]) -> list[Webhook]:
    """The webhooks of a ledger, the oldest first."""
    query = select(webhooks).where(webhooks.c.ledger == ledger, *where)
    return [_webhook(row) for row in conn.execute(query.order_by(webhooks.c.created_at, webhooks.c.webhook_id))]


def _webhook(row: Row[Any]) -> Webhook:
    said = {name: value for name, value in row._mapping.items() if name not in ("ledger", "types")}
    return Webhook(types=tuple(row.types), **said)


def _dead(conn: Connection, ledger: str) -> dict[UUID, int]:
    counted = select(dead_letters.c.webhook_id, func.count()).where(
        dead_letters.c.ledger == ledger, dead_letters.c.attempts > 0
    )
    return {row[0]: row[1] for row in conn.execute(counted.group_by(dead_letters.c.webhook_id))}


def _refuse_another(others: Sequence[Webhook], url: str, types: Sequence[str]) -> None:
    for one in others:
        if (one.url, one.types) == (url, tuple(sorted(set(types)))):
            raise AlreadyExists("webhook", one.webhook_id)
    if len(others) >= MOST:
        raise WebhookLimit(MOST)
