"""Passing over: how far the learner has come with everybody, and whose signs wait until they can be read again.

What a read model could not fold of one customer is no reason for all others to wait. His signs are set apart from
there on, before anything behind them is counted, and stay so until they are counted: whatever fails meanwhile, the
same signs are counted in the same order again, so nothing is asked for twice. Only where something was posted, its
counts were not stored, and a rebuild that cannot fold somebody comes between, the signs are others by then:
another trigger completes the count, and the same may be asked for once more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from domain.values import unchanging
from infrastructure.engine import writing
from infrastructure.tables import tracking

REACHED: Final = "learning"
"""The name under which it is kept how far everything was counted."""
SILENT: Final = "learning:silent"
"""How far the ledger had come before anybody counted: what happened up to there asks for nothing any more."""
APART: Final = "learning:apart:"
"""With a customer's id, how far his signs were counted before they were set apart."""
AGAIN: Final = "learning:again:"
"""The same once they can be read again: they are next, before everybody else's."""


@unchanging
class Part:
    """Which signs are to be looked at next: everybody's but of those set apart, or one customer's only."""

    after: int
    limit: int
    apart: Mapping[UUID, int]
    """Whose signs wait, and after which position."""
    of: UUID | None = None
    upto: int | None = None
    """Of one customer, how far everybody else's were counted; None: as far as they can be read."""


@unchanging
class Progress:
    """How far the learner has come."""

    reached: int | None
    silent: int
    apart: Mapping[UUID, int]
    again: Mapping[UUID, int]

    def begun(self) -> "Progress":
        """The same once something is reached."""
        return replace(self, reached=self.reached or 0)

    def next(self, limit: int) -> Part:
        """What is to be looked at next, at most so many signs."""
        reached = self.reached or 0
        if not self.again:
            return Part(reached, limit, self.apart)
        one = min(self.again)
        return Part(self.again[one], limit, {}, of=one, upto=reached)


def progress(conn: Connection, ledger: str) -> Progress:
    """How far the learner of this ledger has come."""
    query = select(tracking.c.name, tracking.c.position).where(tracking.c.ledger == ledger)
    names = tracking.c.name.startswith(REACHED, autoescape=True)
    at = {row.name: row.position for row in conn.execute(query.where(names))}
    return Progress(at.get(REACHED), at.get(SILENT, 0), _named(APART, at), _named(AGAIN, at))


def set_apart(engine: Engine, ledger: str, before: int | None, streams: Mapping[UUID, int]) -> bool:
    """Sets the signs of these customers apart after a position.

    False when somebody else just did so of one, or let one be the next, or has gone on counting since `before`:
    what was counted meanwhile would be counted again. From then on something is reached, if only the beginning.
    """
    rows = [{"ledger": ledger, "name": f"{APART}{one}", "position": at} for one, at in streams.items()]
    again = select(tracking.c.name).where(
        tracking.c.ledger == ledger, tracking.c.name.in_([f"{AGAIN}{one}" for one in streams])
    )
    try:
        with writing(engine) as conn:
            if not moved(conn, ledger, before, before or 0) or conn.execute(again).first():
                return False
            conn.execute(insert(tracking), rows)
    except IntegrityError:
        return False
    return True


def set_back(engine: Engine, ledger: str, part: Part) -> None:
    """Sets one customer apart again who was next, with what is not counted of him."""
    with writing(engine) as conn:
        mine = _row(ledger, f"{AGAIN}{part.of}", part.after)
        conn.execute(update(tracking).where(*mine).values(name=f"{APART}{part.of}"))


def put_next(engine: Engine, ledger: str, streams: Iterable[UUID]) -> bool:
    """Lets the signs of these customers, which can be read again, be the next; whether there are any."""
    found = 0
    with writing(engine) as conn:
        # Whoever sets somebody apart at this moment waits, and sees who is next.
        reached = (tracking.c.ledger == ledger, tracking.c.name == REACHED)
        conn.execute(update(tracking).where(*reached).values(position=tracking.c.position))
        for one in sorted(streams):
            mine = (tracking.c.ledger == ledger, tracking.c.name == f"{APART}{one}")
            found += conn.execute(update(tracking).where(*mine).values(name=f"{AGAIN}{one}")).rowcount
    return found > 0


def moved(conn: Connection, ledger: str, before: int | None, upto: int) -> bool:
    """Whether everybody's signs are counted up to a new position; not when somebody else did so since `before`."""
    if before is None:
        conn.execute(insert(tracking).values(ledger=ledger, name=REACHED, position=upto))
        return True
    return _set(conn, ledger, REACHED, before, upto)


def caught_up(conn: Connection, ledger: str, part: Part, upto: int, *, more: bool) -> bool:
    """Whether one customer's signs are counted up to a position, or all of them when there are no `more`.

    Not when somebody else did so since, or has gone on counting everybody's.
    """
    if part.upto and not _set(conn, ledger, REACHED, part.upto, part.upto):
        return False
    name = f"{AGAIN}{part.of}"
    if more:
        return _set(conn, ledger, name, part.after, upto)
    return conn.execute(delete(tracking).where(*_row(ledger, name, part.after))).rowcount == 1


def _set(conn: Connection, ledger: str, name: str, before: int, after: int) -> bool:
    return conn.execute(update(tracking).where(*_row(ledger, name, before)).values(position=after)).rowcount == 1


def _row(ledger: str, name: str, position: int) -> tuple[ColumnElement[bool], ...]:
    return tracking.c.ledger == ledger, tracking.c.name == name, tracking.c.position == position


def _named(prefix: str, at: Mapping[str, int]) -> dict[UUID, int]:
    return {UUID(name.removeprefix(prefix)): one for name, one in at.items() if name.startswith(prefix)}
