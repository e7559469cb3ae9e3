"""Standing: how customers stand now, by one question: how content each is, and every recovery of his."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Select, Table, Uuid, bindparam, column, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import LateralFromClause

from projections import recoveries as cases
from projections import satisfaction
from projections.base import Numbered, Projection, Row, Source, within
from projections.recoveries import RecoveryView, percent
from projections.recovery_rows import Recoveries, recovery_streams
from projections.recovery_rows import recoveries as recovery_rows
from projections.satisfaction import Satisfaction, SatisfactionState, asked_of, satisfaction_state

Standing = tuple[Satisfaction, list[RecoveryView]]
_CONTENT: Final = asked_of(satisfaction_state)
_STREAM: Final = asked_of(recovery_streams)
_STEPS: Final = (recovery_rows.c.steps_covered, recovery_rows.c.steps_due)
_CASE: Final = (*cases.SHOWN, *_STEPS)


def of_customers(source: Source, customer_ids: Collection[UUID], as_of: datetime) -> dict[UUID, Standing]:
    """How each of these customers stands; nothing for those nobody has heard of."""
    if source.conn.dialect.name != "postgresql":
        content = satisfaction.of_customers(source, customer_ids, as_of)
        known = cases.of_customers(source, customer_ids, as_of)
        return {one: (found, known.get(one, [])) for one, found in content.items()}
    asked = list(customer_ids)
    rows = source.conn.execute(_question(source.ledger, source.generation), {"asked": asked})
    return {one: _standing(one, list(found), as_of) for one, found in groupby(rows, itemgetter(0))}


@lru_cache(maxsize=64)
def _question(ledger: str, generation: Numbered) -> Select[Any]:
    """Customers by their ids, each with the row of his satisfaction, of his cases, and of each of his recoveries.

    Made once: that took several times as long as the answer. Joined laterally, so that each row is found through
    its index however little PostgreSQL knows of the tables; the array in a SELECT of its own, so that it does not
    plan anew for every length.
    """
    ids = select(bindparam("asked", type_=ARRAY(Uuid))).scalar_subquery()
    asked = func.unnest(ids).table_valued(column("stream_id", Uuid), name="asked").render_derived()

    def of(projection: type[Projection], table: Table, columns: Sequence[Column[Any]]) -> LateralFromClause:
        mine = (*within(ledger, generation, projection, table), table.c.stream_id == asked.c.stream_id)
        # What ends in an OFFSET is not flattened, and so not joined in any other way.
        return select(*columns).where(*mine).offset(literal_column("0")).lateral()

    content = of(SatisfactionState, satisfaction_state, _CONTENT)
    stream = of(Recoveries, recovery_streams, _STREAM)
    case = of(Recoveries, recovery_rows, _CASE)
    joined = asked.join(content, true()).outerjoin(stream, true()).outerjoin(case, true())
    return select(asked.c.stream_id, *content.c, *stream.c, *case.c).select_from(joined)


def _standing(customer_id: UUID, rows: Sequence[Sequence[Any]], as_of: datetime) -> Standing:
    first = rows[0]
    known = sorted(_recoveries(rows), key=lambda row: (row["opened_at"], row["recovery_id"]))
    covered, due = (sum(row[step.name] for row in known) for step in _STEPS)
    content = _named(_STREAM, first, 1 + len(_CONTENT)) | _named(_CONTENT, first, 1)
    found = satisfaction.shown(customer_id, content | {"coverage": percent(covered, due)}, as_of)
    return found, [cases.shown(row, as_of) for row in known]


def _recoveries(rows: Sequence[Sequence[Any]]) -> Iterator[Row]:
    begins = 1 + len(_CONTENT) + len(_STREAM)
    for one in rows:
        row = _named(_CASE, one, begins)
        if row["recovery_id"] is not None:
            yield row


def _named(columns: Sequence[Column[Any]], row: Sequence[Any], begins: int) -> dict[str, Any]:
    return {one.name: value for one, value in zip(columns, row[begins : begins + len(columns)], strict=True)}
