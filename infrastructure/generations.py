"""Generations: every read model can be rebuilt beside the one that is read, and then take its place at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    delete,
    insert,
    select,
    tuple_,
    update,
)

from domain.errors import Broken
from infrastructure.checkpoints import Generation, Stood, stood
from infrastructure.recorder import lock_head
from infrastructure.tables import generations, parked, tracking

NONE: Final = 0
"""The number of a live generation that does not exist yet."""
DELETED_AT_ONCE: Final = 5_000


class NewerGeneration(Broken):
    """The rows were made by a newer program than this one; it must not touch them."""

    code = "newer_generation"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"the rows of {name} are of version {version}, which this program does not know")
        self.name, self.version = name, version


@dataclass(frozen=True, slots=True)
class Wanted:
    """A projection as this program has it."""

    name: str
    version: int


@cache
def live_generation(ledger: str) -> Callable[[str], ColumnElement[int]]:
    """Gives, by a projection's name, the number of the generation to read: part of the query itself.

    One for each ledger, so that queries can be made once for all.
    """

    @cache
    def number(name: str) -> ColumnElement[int]:
        return (
            select(generations.c.live)
            .where(generations.c.ledger == ledger, generations.c.name == name)
            .scalar_subquery()
        )

    return number


def enter(conn: Connection, ledger: str, wanted: Sequence[Wanted]) -> None:
    """Makes the books of projections that have none: live at once in an empty ledger, elsewhere to be built."""
    if not _unknown(conn, ledger, wanted):
        return
    # Locked, so that of two processes that start at once one finds the books made.
    empty = lock_head(conn, ledger).position == 0
    for one in _unknown(conn, ledger, wanted):
        live = {"version": one.version, "live": 1} if empty else {"version": 0, "live": NONE}
        conn.execute(insert(generations).values(ledger=ledger, name=one.name, **live))
        if empty:
            _begin_at_zero(conn, ledger, Generation(one.name, 1))


def _unknown(conn: Connection, ledger: str, wanted: Sequence[Wanted]) -> list[Wanted]:
    known = set(conn.scalars(select(generations.c.name).where(generations.c.ledger == ledger)))
    return [one for one in wanted if one.name not in known]


def live(conn: Connection, ledger: str, wanted: Sequence[Wanted]) -> list[Generation]:
    """The live generations that are of this program's version: those it may fold on."""
    rows = _rows(conn, ledger)
    return [
        Generation(one.name, rows[one.name].live)
        for one in wanted
        if one.name in rows and rows[one.name].live != NONE and rows[one.name].version == one.version
    ]


def unfinished(conn: Connection, ledger: str, wanted: Sequence[Wanted]) -> list[str]:
    """The projections whose rows are of an older version, or whose rebuild has not finished.

    Not those that a newer program is rebuilding: they are its own.
    """
    rows = _rows(conn, ledger)
    return [one.name for one in wanted if one.name in rows and _unfinished(rows[one.name], one)]


def _unfinished(row: "Row[Any] | Stood", wanted: Wanted) -> bool:
    behind = row.version < wanted.version or _resumable(row, wanted)
    return behind and _building_version(row) <= wanted.version


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the live generations of this program's version stand, and what is left to build."""

    at: dict[Generation, int]
    """How far each has come."""
    stuck: dict[Generation, set[UUID]]
    """The streams parked in each."""
    unfinished: list[str]
    """As the function of this name tells."""


def standing(conn: Connection, ledger: str, wanted: Sequence[Wanted]) -> Standing:
    """All that whoever folds must know before the next page, by one question."""
    rows: dict[str, Stood] = {}
    stuck: dict[str, set[UUID]] = {}
    for row in stood(conn, ledger):
        rows[row.name] = row
        streams = stuck.setdefault(row.name, set())
        if row.stream_id is not None:
            streams.add(row.stream_id)
    known = [(one, rows[one.name]) for one in wanted if one.name in rows]
    # One that lost its checkpoint was replaced, and is being deleted.
    live = {
        Generation(row.name, row.live): row.position
        for one, row in known
        if row.live != NONE and row.version == one.version and row.position is not None
    }
    unfinished = [one.name for one, row in known if _unfinished(row, one)]
    return Standing(live, {one: stuck[one.name] for one in live}, unfinished)


def refuse_newer(conn: Connection, ledger: str, wanted: Sequence[Wanted]) -> None:
    """Raises NewerGeneration when the rows of one of these, or those that will replace old ones, are ahead."""
    rows = _rows(conn, ledger)
    for one in wanted:
        if one.name in rows and rows[one.name].version != one.version:
            _refuse_newer(rows[one.name], one)


def begin_building(
    conn: Connection, ledger: str, wanted: Wanted, instead_of: Generation | None = None
) -> Generation | None:
    """The generation to build: the one under way, or a new one in the place of `instead_of`.

    None when somebody else has built it since: one of our version is live, and not the one to be replaced. Raises
    NewerGeneration when we are outdated.
    """
    row = _rows(conn, ledger, lock=True)[wanted.name]
    _refuse_newer(row, wanted)
    if _resumable(row, wanted):
        return Generation(wanted.name, row.building)
    if row.version == wanted.version and (instead_of is None or row.live != instead_of.number):
        return None
    generation = Generation(wanted.name, max(row.live, row.building or 0) + 1)
    conn.execute(
        update(generations)
        .where(generations.c.ledger == ledger, generations.c.name == wanted.name)
        .values(building=generation.number, building_version=wanted.version)
    )
    _begin_at_zero(conn, ledger, generation)
    return generation


def switch(conn: Connection, ledger: str, wanted: Wanted, built: Generation) -> bool:
    """Makes the built generation the live one; from this commit on it is the one that is read.

    False when it is not the one being built any more: nothing changed then.
    """
    switched = conn.execute(
        update(generations)
        .where(
            generations.c.ledger == ledger,
            generations.c.name == wanted.name,
            generations.c.building == built.number,
            generations.c.building_version == wanted.version,
        )
        .values(version=wanted.version, live=built.number, building=None, building_version=None)
    )
    return switched.rowcount == 1


def replaced(conn: Connection, ledger: str, wanted: Wanted, before: Generation) -> bool:
    """Whether another generation of our version is live now than before."""
    row = _rows(conn, ledger)[wanted.name]
    return bool(row.live != before.number and row.version == wanted.version)


def number_of_live(conn: Connection, ledger: str, name: str) -> Generation:
    """The generation that is read now, whatever its version."""
    return Generation(name, _rows(conn, ledger)[name].live)


def current(conn: Connection, ledger: str) -> set[Generation]:
    """Every generation that is read or being built, whatever its version."""
    return {
        Generation(row.name, number)
        for row in _rows(conn, ledger).values()
        for number in (row.live, row.building)
        if number is not None
    }


def stale(conn: Connection, ledger: str, name: str) -> list[Generation]:
    """Generations that are neither read nor built any more and still keep a checkpoint."""
    row = _rows(conn, ledger).get(name)
    if row is None:
        return []
    prefix = f"projection:{name}:"
    names = conn.scalars(
        select(tracking.c.name).where(tracking.c.ledger == ledger, tracking.c.name.startswith(prefix))
    )
    numbers = sorted(int(one.removeprefix(prefix)) for one in names)
    return [Generation(name, number) for number in numbers if number not in (row.live, row.building)]


def delete_rows(conn: Connection, ledger: str, old: Generation, tables: Sequence[Table]) -> None:
    """Deletes a batch of a stale generation's rows; when none is left, its books are closed."""
    for table in tables:
        key = tuple_(*table.primary_key)
        some = (
            select(*table.primary_key)
            .where(table.c.ledger == ledger, table.c.generation == old.number)
            .limit(DELETED_AT_ONCE)
        )
        if conn.execute(delete(table).where(key.in_(some))).rowcount:
            return
    conn.execute(
        delete(parked).where(
            parked.c.ledger == ledger, parked.c.projection == old.name, parked.c.generation == old.number
        )
    )
    conn.execute(delete(tracking).where(tracking.c.ledger == ledger, tracking.c.name == old.checkpoint))


def _rows(conn: Connection, ledger: str, *, lock: bool = False) -> dict[str, Row[Any]]:
    query = select(generations).where(generations.c.ledger == ledger).order_by(generations.c.name)
    return {row.name: row for row in conn.execute(query.with_for_update() if lock else query)}


def _resumable(row: "Row[Any] | Stood", wanted: Wanted) -> bool:
    return row.building is not None and row.building_version == wanted.version


def _building_version(row: "Row[Any] | Stood") -> int:
    return row.building_version or 0


def _refuse_newer(row: Row[Any], wanted: Wanted) -> None:
    newest = max(row.version, _building_version(row))
    if newest > wanted.version:
        raise NewerGeneration(wanted.name, newest)


def _begin_at_zero(conn: Connection, ledger: str, generation: Generation) -> None:
    conn.execute(insert(tracking).values(ledger=ledger, name=generation.checkpoint, position=0))
