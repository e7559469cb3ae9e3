"""Everybody: who is worth what, and who is still there, as of a moment; and what is known of chosen customers.

Each table is asked by itself. To join them PostgreSQL, until it has statistics, reads all of one for each row of
another: of 70,000 events a report took 20 seconds so.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select

from projections.base import Projection, Source
from projections.worth import Worth, customer_moves, value_declarations

_AT_A_TIME: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """What a customer was last said to be worth: minor units of a year."""

    currency: str
    annual: int
    margin_pct: int | None
    acquisition_cost: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """That a customer was `lost`, `returned` or asked to be forgotten (`erased`)."""

    position: int
    move: str
    basis: str | None
    cause_recovery_id: UUID | None
    at: datetime


class Everybody:
    """All customers whose worth is known, and all who ever left, as of a moment."""

    def __init__(self, source: Source, as_of: datetime) -> None:
        self.source, self.as_of = source, as_of
        self.worth = dict(_worth(source, as_of))
        self.moves: dict[UUID, list[Move]] = {}
        for stream_id, move in _moves(source, as_of):
            self.moves.setdefault(stream_id, []).append(move)

    def gone(self, stream_id: UUID, upto: int | None = None) -> bool:
        """Whether he had left or was forgotten; as of a position of the ledger, if one is given."""
        made = [one for one in self.moves.get(stream_id, ()) if upto is None or one.position <= upto]
        return bool(made) and made[-1].move != "returned"

    def loss(self, stream_id: UUID) -> Move | None:
        """How he left, if he has not come back; that he was forgotten since does not undo it."""
        made = [one for one in self.moves.get(stream_id, ()) if one.move != "erased"]
        return made[-1] if made and made[-1].move == "lost" else None

    def left_after(self, stream_id: UUID, position: int) -> bool:
        """Whether he left after this position, even if he came back."""
        return any(one.move == "lost" and one.position > position for one in self.moves.get(stream_id, ()))

    def here(self) -> Iterator[list[UUID]]:
        """Those whose worth is known and who have not left, some at a time."""
        return some_at_a_time(one for one in self.worth if not self.gone(one))


def some_at_a_time(streams: Iterator[UUID]) -> Iterator[list[UUID]]:
    """The same in lists as long as one query takes."""
    while some := list(islice(streams, _AT_A_TIME)):
        yield some


def rows_of(
    source: Source,
    projection: type[Projection],
    columns: Collection[ColumnElement[Any]],
    streams: Collection[UUID],
    *conditions: ColumnElement[bool],
) -> list[Any]:
    """What a table says of these customers, in the order of its key."""
    table: Any = next(iter(columns)).table
    query = select(*columns).where(*source.of(projection, table), table.c.stream_id.in_(streams), *conditions)
    return list(source.conn.execute(query.order_by(*table.primary_key)))


def _worth(source: Source, as_of: datetime) -> Iterator[tuple[UUID, Known]]:
    of = value_declarations.c
    query = select(of.stream_id, of.currency, of.annual, of.margin_pct, of.acquisition_cost)
    known = query.where(*source.of(Worth, value_declarations), of.occurred_at <= as_of)
    # In the order of positions: of each customer the last one stays.
    last = {row.stream_id: row for row in source.conn.execute(known.order_by(of.stream_id, of.position))}
    for stream_id, (_, currency, annual, *more) in last.items():
        if annual is not None:
            yield stream_id, Known(currency, annual, *more)


def _moves(source: Source, as_of: datetime) -> Iterator[tuple[UUID, Move]]:
    of = customer_moves.c
    query = select(of.stream_id, of.position, of.move, of.basis, of.cause_recovery_id, of.occurred_at)
    known = query.where(*source.of(Worth, customer_moves), of.occurred_at <= as_of)
    for stream_id, *move in source.conn.execute(known.order_by(of.stream_id, of.position)):
        yield stream_id, Move(*move)
