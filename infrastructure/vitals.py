"""Vitals: what tells an operator whether read models keep up, in a few short queries on one connection.

Everything is read from the database, so it is true whichever process asks, and when the one that folds is dead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Text, and_, cast, func, select, text

from infrastructure import leases
from infrastructure.recorder import read_head
from infrastructure.tables import events, generations, parked, tracking

_NONE: Final = timedelta(0)
_OLDEST: Final = text(
    # What holds rows back from cleaning: a snapshot, a transaction that wrote, one prepared and never finished.
    # A client at rest inside a transaction that neither read under one snapshot nor wrote holds nothing.
    """
    SELECT extract(epoch FROM clock_timestamp() - min(begun)) AS age,
        current_setting('transaction_read_only') = 'on' AS read_only
    FROM (
        SELECT xact_start AS begun FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
        UNION ALL
        SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
    ) AS open_transactions
    """
)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A read model being made anew beside the one that is read."""

    projection: str
    position: int
    head: int
    parked: int
    """Streams that got stuck in it."""

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(1.0, self.position / self.head) if self.head else 1.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Whether somebody has the right to fold this ledger. Nobody says whether he still lives: it runs out."""

    held: bool
    gone_seconds: float | None = None
    """How long ago it ran out; None when it is held, was given back, or was never taken."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """How a ledger's read models are, at one moment."""

    head: int
    """The ledger's last position."""
    positions: Mapping[str, int]
    """How far each read model has come, as it is read: the live generation, not one being built."""
    parked: Mapping[str, int]
    """Streams that wait for a fix, by read model; every read model is in it."""
    rebuilds: Sequence[Rebuild]
    projector: Holder
    waiting: timedelta
    """How long the oldest event that some read model lacks has been in the ledger."""
    oldest_snapshot_seconds: float | None
    """Age of the oldest transaction that keeps old rows from being cleaned up; None where nobody can tell.

    The database's own clock. Held for minutes under load, it slows every append: the head's old rows pile up.
    """
    wal_bytes: int | None
    """On SQLite, the size of the log that a long reader keeps from being folded into the file; else None."""
    read_only: bool = False
    """Whether PostgreSQL takes no writes: a standby, or a server or role that was told so."""

    @property
    def position(self) -> int:
        """How far the slowest read model has come."""
        return min(self.positions.values(), default=self.head)

    @property
    def lag(self) -> int:
        """Events that the slowest read model lacks, against the ledger's true head."""
        return max(0, self.head - self.position)

    @property
    def abandoned_seconds(self) -> float:
        """For how long events have waited while nobody had the right to fold them; 0 while somebody has."""
        if self.projector.held or not self.lag:
            return 0.0
        waited, gone = self.waiting.total_seconds(), self.projector.gone_seconds
        if gone is None:
            return waited
        # What a clock ahead of ours recorded says nothing about how long it has waited.
        return min(waited, gone) if waited else gone


def vitals(conn: Connection, ledger: str, names: Sequence[str], now: datetime) -> Vitals:
    """How these read models of a ledger are. `now` is the clock that positions and leases are written by."""
    # The head last: what is appended meanwhile may only make the lag look longer, never shorter.
    rows = {row.name: row for row in conn.execute(_progress(ledger)) if row.name in names}
    stuck = {(row.projection, row.generation): row.n for row in conn.execute(_stuck(ledger))}
    holder = _holder(conn, ledger, now)
    oldest, read_only = _session(conn)
    head = read_head(conn, ledger).position
    positions = {name: rows[name].position or 0 if name in rows else 0 for name in names}
    return Vitals(
        head=head,
        positions=positions,
        parked={name: stuck.get((name, rows[name].live), 0) if name in rows else 0 for name in names},
        rebuilds=[
            Rebuild(name, row.built or 0, head, stuck.get((name, row.building), 0))
            for name, row in sorted(rows.items())
            if row.building is not None
        ],
        projector=holder,
        waiting=_waiting(conn, ledger, min(positions.values(), default=head), now),
        oldest_snapshot_seconds=oldest,
        wal_bytes=_wal_bytes(conn),
        read_only=read_only,
    )


def _progress(ledger: str) -> Any:
    """Each read model with the positions of the generation that is read and of the one being built."""
    live, building = tracking.alias("read"), tracking.alias("built")
    joined = generations.outerjoin(live, _checkpoint(live.c, generations.c.live)).outerjoin(
        building, _checkpoint(building.c, generations.c.building)
    )
    return (
        select(
            generations.c.name,
            generations.c.live,
            generations.c.building,
            live.c.position.label("position"),
            building.c.position.label("built"),
        )
        .select_from(joined)
        .where(generations.c.ledger == ledger)
    )


def _checkpoint(columns: Any, number: ColumnElement[Any]) -> ColumnElement[bool]:
    name = "projection:" + generations.c.name + ":" + cast(number, Text)
    return and_(columns.ledger == generations.c.ledger, columns.name == name)


def _stuck(ledger: str) -> Any:
    counted = select(parked.c.projection, parked.c.generation, func.count().label("n"))
    return counted.where(parked.c.ledger == ledger).group_by(parked.c.projection, parked.c.generation)


def _holder(conn: Connection, ledger: str, now: datetime) -> Holder:
    expires_at = leases.expiry(conn, ledger, "projector")
    if expires_at is None or expires_at > now + leases.TOO_FAR:
        return Holder(held=False)
    if expires_at >= now:
        return Holder(held=True)
    return Holder(held=False, gone_seconds=(now - expires_at).total_seconds())


def _waiting(conn: Connection, ledger: str, reached: int, now: datetime) -> timedelta:
    first = select(events.c.recorded_at).where(events.c.ledger == ledger, events.c.position == reached + 1)
    row: Row[Any] | None = conn.execute(first).first()
    # Recorded by a clock that was ahead of ours, it has waited no time.
    return _NONE if row is None else max(_NONE, now - row.recorded_at)


def _session(conn: Connection) -> tuple[float | None, bool]:
    """The age of the oldest snapshot, and whether nothing can be written; what PostgreSQL alone can tell."""
    if conn.dialect.name != "postgresql":
        return None, False
    found = conn.execute(_OLDEST).one()
    return 0.0 if found.age is None else max(0.0, float(found.age)), bool(found.read_only)


def _wal_bytes(conn: Connection) -> int | None:
    file = conn.engine.url.database
    if conn.dialect.name != "sqlite" or not file:
        return None
    try:
        return Path(f"{file}-wal").stat().st_size
    except FileNotFoundError:
        return 0
