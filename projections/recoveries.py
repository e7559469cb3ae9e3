"""Recoveries: where each one stands, what is due next, and which needs somebody first.

The queue is ordered by risk, never by what a customer is worth.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, case, func, literal, select, tuple_

from domain.kinds import Fact
from projections.base import Instant, Row, Source, fold
from projections.checklist import in_order
from projections.recovery_cases import CLOCKS, OVERDUE_WEIGHT
from projections.recovery_rows import Recoveries, recoveries, recovery_streams

_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class StepView(BaseModel):
    """One of the five steps: due, done (when, by which role class), waived (why), or not due yet."""

    status: Literal["due", "done", "waived", "not_due"]
    at: datetime | None = None
    by: str | None = None
    reason: str | None = None
    stages: dict[str, "StepView"] | None = None
    """The three stages of the apology."""


class RecoveryView(BaseModel):
    """One recovery as it stands; `risk` and `overdue` as of the moment asked for."""

    recovery_id: UUID
    customer_id: UUID
    phase: str
    severity: int
    severity_customer: int | None
    what: str
    failure_kind: str
    resource: str
    fault: str
    detection: str
    similarity_key: str
    opened_at: datetime
    owner: UUID | None
    team: str | None
    checklist: dict[str, StepView]
    deadlines: dict[str, datetime]
    missed: list[str]
    next_due_at: datetime | None
    overdue: int
    risk: int
    silent_since: datetime | None
    flags: list[str]
    """Those of escalated, silent, failed_again, lost, leaving and public that hold."""
    reopenings: int
    how_code: str | None
    resolved_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    position: int


class QueuePage(BaseModel):
    """Open recoveries, the riskiest first; `next` asks for those after them, as of the same moment."""

    data: list[RecoveryView]
    next: str | None
    as_of: datetime


def of_customer(source: Source, customer_id: UUID, as_of: datetime) -> list[RecoveryView]:
    """Every recovery of this customer, in the order of the reports."""
    return of_customers(source, [customer_id], as_of).get(customer_id, [])


def of_customers(
    source: Source, customer_ids: Collection[UUID], as_of: datetime
) -> dict[UUID, list[RecoveryView]]:
    """The same of each of these customers, looked up together; nothing for those who have none."""
    rows = source.conn.execute(
        select(*SHOWN)
        .where(*source.of(Recoveries, recoveries), recoveries.c.stream_id.in_(customer_ids))
        .order_by(recoveries.c.opened_at, recoveries.c.recovery_id)
    )
    found: dict[UUID, list[RecoveryView]] = {}
    for one in rows:
        row = one._asdict()
        found.setdefault(row["stream_id"], []).append(shown(row, as_of))
    return found


def shown(row: Row, as_of: datetime) -> RecoveryView:
    """What is shown of a recovery at this moment, of a row with the columns SHOWN."""
    return _view({**row, **_late(row, as_of)})


def of_facts(customer_id: UUID, facts: Iterable[Fact], as_of: datetime) -> list[RecoveryView]:
    """The same, folded from these facts alone: how each recovery stood then."""
    rows = [row for key, row in fold(Recoveries(), facts).items() if key[0] == recoveries.name]
    return [
        _view({**row, "stream_id": customer_id, **_late(row, as_of)})
        for row in sorted(rows, key=lambda row: (row["opened_at"], row["recovery_id"]))
    ]


def _late(row: Row, as_of: datetime) -> dict[str, int]:
    due = (row[f"due_{step}"] for step in CLOCKS)
    more = sum(1 for moment in due if moment is not None and moment <= as_of)
    return {"overdue_now": row["overdue"] + more, "risk_now": row["risk"] + OVERDUE_WEIGHT * more}


def coverage_of(source: Source, customer_ids: Collection[UUID]) -> dict[UUID, int | None]:
    """How many percent of the steps that were due to each of them were done; None when nothing was due yet."""
    of = recoveries.c
    rows = source.conn.execute(
        select(of.stream_id, func.sum(of.steps_covered).label("covered"), func.sum(of.steps_due).label("due"))
        .where(*source.of(Recoveries, recoveries), of.stream_id.in_(customer_ids))
        .group_by(of.stream_id)
    )
    return {row.stream_id: percent(row.covered, row.due) for row in rows}


def percent(covered: int | None, due: int | None) -> int | None:
    """Whole percent, rounded down; None of nothing."""
    return int(covered or 0) * 100 // int(due) if due else None


def queue(
    source: Source,
    *,
    as_of: datetime,
    team: str | None = None,
    owner: UUID | None = None,
    overdue: bool | None = None,
    after: str | None = None,
    limit: int = 100,
) -> QueuePage:
    """The open recoveries by risk, then by what is due first, then by what was reported first.

    `as_of` must stay the same from page to page. Raises ValueError when `after` is not a cursor of ours.
    """
    late = _overdue_at(as_of)
    conditions = [*source.of(Recoveries, recoveries), recoveries.c.open]
    conditions += [recoveries.c.team == team] if team is not None else []
    conditions += [recoveries.c.owner == owner] if owner is not None else []
    conditions += [(late > 0) if overdue else (late == 0)] if overdue is not None else []
    due = func.coalesce(recoveries.c.next_due_at, literal(_NEVER, Instant())).label("due_first")
    shown = [column for column in recoveries.c if column.name != "kept"]  # the projector's own
    found = select(*shown, *_at_reading(late), due).where(*conditions).subquery()
    order = (found.c.risk_now.desc(), found.c.due_first, found.c.opened_at, found.c.recovery_id)
    query = select(found).order_by(*order).limit(limit + 1)
    rows = source.conn.execute(query if after is None else query.where(_after(found.c, after))).all()
    more = _cursor(rows[limit - 1]._asdict()) if len(rows) > limit else None
    return QueuePage(data=[_view(row._asdict()) for row in rows[:limit]], next=more, as_of=as_of)


def due_streams(source: Source, now: datetime, limit: int = 500) -> list[UUID]:
    """The customers for whom something has fallen due, the longest overdue first."""
    table = recovery_streams
    return list(
        source.conn.scalars(
            select(table.c.stream_id)
            .where(*source.of(Recoveries, table), table.c.next_due_at <= now)
            .order_by(table.c.next_due_at, table.c.stream_id)
            .limit(limit)
        )
    )


def tally(source: Source, *by: str) -> list[dict[str, Any]]:
    """How many recoveries there are (`n`) for each combination of these columns, in order.

    `response` tells whether an outside deadline was met: kept, missed, or None where there was none;
    `reopened` whether it ever was. Raises KeyError for a column that cannot be counted.
    """
    columns = [_COUNTED[name].label(name) for name in by]
    query = select(*columns, func.count().label("n")).where(*source.of(Recoveries, recoveries))
    rows = source.conn.execute(query.group_by(*columns))
    counted = [dict(row._asdict()) for row in rows]
    return sorted(counted, key=lambda row: [(row[name] is not None, row[name]) for name in by])


_COUNTED: Final[dict[str, ColumnElement[Any]]] = {
    name: recoveries.c[name]
    for name in ("phase", "open", "what", "failure_kind", "resource", "severity", "fault", "detection", "team")
    + ("similarity_key", "reopenings", "how_code", "first_instrument", "first_value", "follow_up", "outcome")
} | {
    "response": case(
        (recoveries.c.missed.contains(",response,"), "missed"),
        (recoveries.c.promised.contains(",response,"), "kept"),
        else_=None,
    ),
    "reopened": recoveries.c.reopenings > 0,
}


def _overdue_at(as_of: datetime) -> ColumnElement[int]:
    late: ColumnElement[int] = recoveries.c.overdue
    for step in CLOCKS:
        late = late + case((recoveries.c[f"due_{step}"] <= as_of, 1), else_=0)
    return late


def _at_reading(overdue: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    more = overdue - recoveries.c.overdue
    return overdue.label("overdue_now"), (recoveries.c.risk + OVERDUE_WEIGHT * more).label("risk_now")


def _cursor(row: Row) -> str:
    due, opened = ((row[name] - _EPOCH) // _MICROSECOND for name in ("due_first", "opened_at"))
    return f"{row['risk_now']}.{due}.{opened}.{row['recovery_id'].hex}"


def _after(found: Any, cursor: str) -> ColumnElement[bool]:
    risk, due, opened, recovery_id = cursor.split(".")
    columns = (-found.risk_now, found.due_first, found.opened_at, found.recovery_id)
    try:
        values = (literal(-int(risk)), _moment(due), _moment(opened), literal(UUID(recovery_id)))
    except OverflowError:
        raise ValueError("not a cursor of the queue") from None
    return tuple_(*columns) > tuple_(*values)


def _moment(micros: str) -> ColumnElement[datetime]:
    return literal(_EPOCH + int(micros) * _MICROSECOND, Instant())


def _view(row: Row) -> RecoveryView:
    given = {name: row[name] for name in RecoveryView.model_fields if name in row}
    seen = {
        "customer_id": row["stream_id"],
        "checklist": in_order(row["checklist"]),
        "missed": [step for step in row["missed"].split(",") if step],
        "overdue": row["overdue_now"],
        "risk": row["risk_now"],
        "flags": [flag for flag in _FLAGS if row["silences" if flag == "silent" else flag]],
    }
    return RecoveryView.model_validate({**given, **seen})


_FLAGS: Final = ("escalated", "silent", "failed_again", "lost", "leaving", "public")
# Not what is kept to fold on: it is the largest part of a row, and decoding it takes longest.
_ASKED: Final = {*RecoveryView.model_fields, *_FLAGS, "stream_id", "silences", *(f"due_{step}" for step in CLOCKS)}
SHOWN: Final = tuple(column for column in recoveries.c if column.name in _ASKED)
