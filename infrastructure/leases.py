"""Leases: of several processes that could do a job, one does it and the others stand by."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from infrastructure.engine import writing
from infrastructure.tables import leases

LASTS: Final = timedelta(seconds=8)
"""With a look every second, a dead holder's job is taken over within ten."""
TOO_FAR: Final = 2 * LASTS
"""Nobody's lease runs so far ahead, but for a clock that jumped: it counts as run out, or nobody would work.

Clocks of two processes may differ by less than LASTS without either taking the other's lease.
"""


def expiry(conn: Connection, ledger: str, name: str) -> datetime | None:
    """When the right to do this job runs out, or ran out; None when nobody has it."""
    query = select(leases.c.expires_at).where(leases.c.ledger == ledger, leases.c.name == name)
    return conn.execute(query).scalar()


class Lease:
    """The right to do one job of one ledger. It saves double work; what must be exact checks for itself."""

    def __init__(self, engine: Engine, ledger: str, name: str, holder: str, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock, self._holder = engine, clock, holder
        self._mine = (leases.c.ledger == ledger, leases.c.name == name)
        self._row = {"ledger": ledger, "name": name, "holder": holder}
        self._renew_at: datetime | None = None

    def hold(self) -> bool:
        """Whether the job is ours now. Asks the database only when half of the time is over."""
        now = self._clock()
        if self._renew_at is not None and self._renew_at - LASTS / 2 <= now < self._renew_at:
            return True
        held = self._take(now)
        self._renew_at = now + LASTS / 2 if held else None
        return held

    def release(self) -> None:
        """Lets somebody else take over at once."""
        if self._renew_at is None:
            return
        self._renew_at = None
        with writing(self._engine) as conn:
            conn.execute(delete(leases).where(*self._mine, leases.c.holder == self._holder))

    def _take(self, now: datetime) -> bool:
        run_out = or_(leases.c.expires_at < now, leases.c.expires_at > now + TOO_FAR)
        free = or_(leases.c.holder == self._holder, run_out)
        mine = {"holder": self._holder, "expires_at": now + LASTS}
        try:
            with writing(self._engine) as conn:
                if conn.execute(update(leases).where(*self._mine, free).values(mine)).rowcount:
                    return True
                if conn.execute(leases.select().where(*self._mine)).first() is not None:
                    return False
                conn.execute(leases.insert().values({**self._row, **mine}))
        except IntegrityError:
            return False  # somebody else took it between our look and our insert
        return True
