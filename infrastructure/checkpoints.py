"""Checkpoints: how far each generation of a read model has come, and which streams wait for a fix in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, Text, and_, bindparam, cast, func, or_, select, update

from infrastructure.rows import fetched
from infrastructure.tables import events, generations, parked, tracking

LIVE_CHECKPOINT: Final = "projection:" + generations.c.name + ":" + cast(generations.c.live, Text)
"""The name of the checkpoint of the generation that is read."""
_STOOD: Final = ("name", "version", "live", "building", "building_version")
_STANDING: Final = (
    select(*(generations.c[name] for name in _STOOD), tracking.c.position, parked.c.stream_id)
    .select_from(
        generations.outerjoin(
            tracking, and_(tracking.c.ledger == generations.c.ledger, tracking.c.name == LIVE_CHECKPOINT)
        ).outerjoin(
            parked,
            and_(
                parked.c.ledger == generations.c.ledger,
                parked.c.projection == generations.c.name,
                parked.c.generation == generations.c.live,
            ),
        )
    )
    .where(generations.c.ledger == bindparam("of"))
)
_SENT_STANDING: Final = (
    "SELECT g.name, g.version, g.live, g.building, g.building_version, t.position, p.stream_id FROM generations g"
    " LEFT JOIN tracking t ON t.ledger = g.ledger AND t.name = 'projection:' || g.name || ':' || g.live"
    " LEFT JOIN parked p ON p.ledger = g.ledger AND p.projection = g.name AND p.generation = g.live"
    " WHERE g.ledger = %b"
)
# Made once: to put one of these together takes as long as the database takes to answer it. On PostgreSQL it is the
# driver that asks, not SQLAlchemy: every page asks each of them twice.
_POSITIONS: Final = (
    select(tracking.c.name, tracking.c.position)
    .where(tracking.c.ledger == bindparam("of"), tracking.c.name.in_(bindparam("names", expanding=True)))
    .order_by(tracking.c.name)
)
_SENT_POSITIONS: Final = "SELECT name, position FROM tracking WHERE ledger = %b AND name = ANY (%b) ORDER BY name"
_MOVE: Final = (
    update(tracking)
    .where(tracking.c.ledger == bindparam("of"), tracking.c.name.in_(bindparam("names", expanding=True)))
    .values(position=bindparam("to"))
)
_SENT_MOVE: Final = "UPDATE tracking SET position = %b WHERE ledger = %b AND name = ANY (%b)"
_PARKED: Final[Select[str, int, UUID, int, str]] = (
    select(parked.c.projection, parked.c.generation, parked.c.stream_id, parked.c.position, parked.c.error)
    .where(parked.c.ledger == bindparam("of"))
    .order_by(parked.c.position, parked.c.projection)
)
_SENT_PARKED: Final = (
    "SELECT projection, generation, stream_id, position, error FROM parked WHERE ledger = %b"
    " ORDER BY position, projection"
)


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of a projection's rows."""

    name: str
    number: int

    @property
    def checkpoint(self) -> str:
        """Where its position is kept: each has its own, so that none is carried past events it has not folded."""
        return f"projection:{self.name}:{self.number}"


class Standstill(NamedTuple):
    """A stream that is parked in a generation, since which event and why."""

    projection: str
    generation: int
    stream_id: UUID
    position: int
    error: str


class Stood(NamedTuple):
    """What is asked of a live generation, once for each stream that is parked in it."""

    name: str
    version: int
    live: int
    building: int | None
    building_version: int | None
    position: int | None
    stream_id: UUID | None


def stood(conn: Connection, ledger: str) -> Iterable[Stood]:
    """Every live generation of this ledger."""
    if conn.dialect.name == "postgresql":
        return map(Stood._make, fetched(conn, _SENT_STANDING, (ledger,)))
    return [Stood._make(row) for row in conn.execute(_STANDING, {"of": ledger})]


def positions(
    conn: Connection, ledger: str, wanted: Sequence[Generation], *, lock: bool = False
) -> dict[str, int]:
    """The checkpoint of each of these generations, by its name; locked in the order of names."""
    names = [one.checkpoint for one in wanted]
    if conn.dialect.name == "postgresql":
        return dict(fetched(conn, _SENT_POSITIONS + " FOR UPDATE" if lock else _SENT_POSITIONS, (ledger, names)))
    return {row.name: row.position for row in conn.execute(_POSITIONS, {"of": ledger, "names": names})}


def move(conn: Connection, ledger: str, moved: Sequence[Generation], position: int) -> None:
    """Moves these checkpoints."""
    names = [one.checkpoint for one in moved]
    if conn.dialect.name == "postgresql":
        fetched(conn, _SENT_MOVE, (position, ledger, names))
    else:
        conn.execute(_MOVE, {"of": ledger, "names": names, "to": position})


def slowest(conn: Connection, ledger: str, names: Sequence[str]) -> int:
    """The lowest position among the live generations of these projections; 0 when one has none yet."""
    lowest, known = conn.execute(_slowest(tuple(names)), {"of": ledger}).one()
    return int(lowest) if known == len(names) and lowest is not None else 0


@cache
def _slowest(names: tuple[str, ...]) -> Select[int, int]:
    """Made once for the same names: that takes longer than the answer."""
    joined = generations.outerjoin(
        tracking, and_(tracking.c.ledger == generations.c.ledger, tracking.c.name == LIVE_CHECKPOINT)
    )
    return (
        select(func.min(func.coalesce(tracking.c.position, 0)), func.count())
        .select_from(joined)
        .where(generations.c.ledger == bindparam("of"), or_(*(generations.c.name == name for name in names)))
    )


class Stuck(NamedTuple):
    """A stream that one of some read models could not fold: from which position on, and what stands there."""

    stream_id: UUID
    position: int
    topic: str


def folded(conn: Connection, ledger: str, names: Sequence[str]) -> tuple[int, list[Stuck]]:
    """How far these read models have come, and whose events they lack up to there, in the order of the ledger."""
    # In this order: what gets stuck between both questions stands behind the answer to the first.
    lowest = slowest(conn, ledger, names)
    live = and_(
        parked.c.ledger == generations.c.ledger,
        parked.c.projection == generations.c.name,
        parked.c.generation == generations.c.live,
    )
    there = and_(events.c.ledger == parked.c.ledger, events.c.position == parked.c.position)
    query = select(parked.c.stream_id, parked.c.position, events.c.topic).join_from(parked, generations, live)
    query = query.join(events, there).where(parked.c.ledger == ledger, parked.c.projection.in_(names))
    rows = conn.execute(query.where(parked.c.position <= lowest).order_by(parked.c.position))
    return lowest, [Stuck(*row) for row in rows]


def parked_streams(conn: Connection, ledger: str, wanted: Sequence[Generation]) -> list[Standstill]:
    """What is parked in these generations, in the order of positions."""
    if not wanted:
        return []
    if conn.dialect.name == "postgresql":
        found = fetched(conn, _SENT_PARKED, (ledger,))
    else:
        found = list(conn.execute(_PARKED, {"of": ledger}))
    these = {(one.name, one.number) for one in wanted} if found else ()
    return [Standstill(*row) for row in found if (row[0], row[1]) in these]


def parked_at(conn: Connection, ledger: str, generation: Generation, stream_id: UUID) -> int | None:
    """At which position this stream is parked in this generation; None when it is not."""
    query = select(parked.c.position).where(
        parked.c.ledger == ledger,
        parked.c.projection == generation.name,
        parked.c.generation == generation.number,
        parked.c.stream_id == stream_id,
    )
    return conn.execute(query).scalar()
