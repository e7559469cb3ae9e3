"""Recoveries: where each one stands, what is due next, and which needs somebody first.

The queue is ordered by risk, never by what a customer is worth.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    case,
    func,
    literal,
    select,
    tuple_,
)

from domain.duties import next_due_of
from domain.kinds import Event, Fact
from domain.recovery import Deadline, Recovery
from domain.relationship import Relationship, RelationshipEvent, evolve
from domain.values import Frozen
from projections.base import (
    Codes,
    Folded,
    Instant,
    Key,
    Projection,
    Row,
    Source,
    derived,
    fold,
    index,
    position_column,
    projection_table,
    replaced,
    said,
    text_list,
)
from projections.checklist import VOID, checklist, coverage

Status = Literal["steady", "failed", "recovering", "recovered", "unrecovered", "lost", "won_back"]
CLOCKS: Final = ("acknowledge", "first_action", "remedy", "compensation", "follow_up", "update", "response")
OVERDUE_WEIGHT: Final = 15
"""What one overdue step adds to the risk. Source: domain.md section 7."""
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Note(Frozen):
    """What reports count and rules do not need."""

    how_code: str | None = None
    """How it was resolved, the last time."""
    first_instrument: str | None = None
    first_value: int | None = None
    """The customer's first word in numbers about this recovery."""
    follow_up: str | None = None
    """The outcome of the first follow-up that was completed."""
    promised: tuple[str, ...] = ()
    """Every step for which a clock ever ran."""
    treated_after: bool = False
    """Somebody treated the customer poorly after it was resolved."""


NOTHING: Final = Note()


@dataclass(frozen=True)
class Case(Frozen):
    """One recovery as it is kept to fold on."""

    recovery: Recovery
    note: Note = NOTHING


@dataclass(frozen=True)
class Cases(Frozen):
    """What must be known to fold on. Kept without its recoveries, each of which has a row of its own."""

    relationship: Relationship
    notes: Mapping[UUID, Note] = field(default_factory=dict)
    won_back: bool = False
    """He was lost and came back, and nothing has failed since."""


recovery_streams = projection_table(
    "recovery_streams",
    *derived(
        Column("next_due_at", Instant),
        Column("status", Text, nullable=False),
        Column("open_recoveries", Integer, nullable=False),
    ),
    Column("cases", Folded(Cases), nullable=False),
    index("ix_recovery_streams_next_due_at", "next_due_at", of="next_due_at IS NOT NULL"),
)
"""One row per customer: where the relationship stands, and when something falls due next, for the sweeper."""

recoveries = projection_table(
    "recoveries",
    Column("recovery_id", Uuid, nullable=False),
    # Folded anew from the first event on, it is never missing; older rows do not have it.
    Column("kept", Folded(Case)),
    *derived(
        position_column(),
        Column("opened_at", Instant, nullable=False),
        Column("phase", Text, nullable=False),
        Column("open", Boolean, nullable=False),
        Column("what", Text, nullable=False),
        Column("failure_kind", Text, nullable=False),
        Column("resource", Text, nullable=False),
        Column("severity", SmallInteger, nullable=False),
        Column("severity_customer", SmallInteger),
        Column("urgency", SmallInteger, nullable=False),
        Column("fault", Text, nullable=False),
        Column("detection", Text, nullable=False),
        Column("similarity_key", Text, nullable=False),
        Column("owner", Uuid),
        Column("team", Text),
        Column("checklist", Codes, nullable=False),
        Column("steps_due", SmallInteger, nullable=False),
        Column("steps_covered", SmallInteger, nullable=False),
        Column("deadlines", Codes, nullable=False),
        Column("promised", Text, nullable=False),
        Column("missed", Text, nullable=False),
        *(Column(f"due_{step}", Instant) for step in CLOCKS),
        Column("next_due_at", Instant),
        Column("overdue", SmallInteger, nullable=False),
        Column("risk", Integer, nullable=False),
        Column("silent_since", Instant),
        Column("silences", SmallInteger, nullable=False),
        Column("escalated", Boolean, nullable=False),
        Column("failed_again", Integer, nullable=False),
        Column("reopenings", Integer, nullable=False),
        Column("leaving", Boolean, nullable=False),
        Column("lost", Boolean, nullable=False),
        Column("public", Boolean, nullable=False),
        Column("treated_after", Boolean, nullable=False),
        Column("how_code", Text),
        Column("first_contact", Boolean),
        Column("first_instrument", Text),
        Column("first_value", SmallInteger),
        Column("follow_up", Text),
        Column("resolved_at", Instant),
        Column("closed_at", Instant),
        Column("outcome", Text),
    ),
    index("ix_recoveries_open", "team", of="open"),
    key=("recovery_id",),
)
"""One row per recovery. `due_*` are the clocks that can still fire; `overdue` and `risk` are what is sure already,
clocks that have run out by the time of reading come on top. `steps_covered` of `steps_due` were done, or waived
for a reason that is known."""

STREAM: Final[Key] = ("recovery_streams",)
"""The key of the row about all of a customer's recoveries."""


class Recoveries(Projection):
    """Every recovery with its phase, checklist, deadlines and flags."""

    name = "recoveries"
    version = 3
    tables = (recovery_streams, recoveries)
    loaded = (recovery_streams, recoveries)

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """The new state of the customer's cases, and the recoveries this fact changed."""
        if not isinstance(fact.event, RelationshipEvent):
            return {}
        row = rows.get(STREAM)
        before = Cases(Relationship(fact.stream_id)) if row is None else _whole(row, rows)
        relationship = evolve(before.relationship, fact)
        won_back = _won_back(before, relationship)
        after = _noted(before.but(relationship=relationship, won_back=won_back), fact.event)
        standing = None if row is None else row.get("standing")
        changes: dict[Key, Row | None] = {STREAM: {"whole": after, "standing": standing or Standing()}}
        for recovery_id, recovery in _changed(before, after, said(fact.event, "recovery_id")):
            changes["recoveries", recovery_id] = {
                "recovery_id": recovery_id,
                "kept": Case(recovery, after.notes.get(recovery_id, NOTHING)),
                "position": fact.position,
                "active": relationship.status == "active",
            }
        return changes

    def stored(self, key: Key, row: Row) -> Row:
        """What can be asked of the customer's cases, or of one recovery."""
        return _stream_row(row["whole"], row["standing"]) if key == STREAM else _recovery_row(row)


class Standing:
    """What is true of all of a customer's recoveries together, kept up to date by those that have changed.

    A memory only: whatever was asked of it before, the same relationship always gets the same answers.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._seen: Mapping[UUID, Recovery] = {}
        self._contactable = True
        self._dues: dict[UUID, datetime] = {}
        self._open: set[UUID] = set()
        self._phases: dict[UUID, str] = {}
        self._order: dict[UUID, tuple[datetime, datetime, UUID]] = {}

    def look(self, at: Relationship) -> "Standing":
        """Itself, brought up to this relationship."""
        now = at.recoveries
        if self._contactable is not at.contactable or list(self._seen) != list(now)[: len(self._seen)]:
            self._begin()  # it was about another state
        for recovery_id, recovery in replaced(self._seen, now):
            self._take(recovery_id, recovery, next_due_of(at, recovery))
        self._seen, self._contactable = now, at.contactable
        return self

    def _take(self, recovery_id: UUID, recovery: Recovery, due: datetime | None) -> None:
        self._dues.pop(recovery_id, None)
        self._phases.pop(recovery_id, None)
        self._order.pop(recovery_id, None)
        self._open.discard(recovery_id)
        if due is not None:
            self._dues[recovery_id] = due
        if recovery.phase != "closed":
            self._open.add(recovery_id)
        if recovery.outcome not in VOID:
            self._phases[recovery_id] = recovery.phase
            self._order[recovery_id] = recovery.reported_at, recovery.opened_at, recovery_id

    @property
    def next_due_at(self) -> datetime | None:
        """When the first of them falls due."""
        return min(self._dues.values(), default=None)

    @property
    def open(self) -> int:
        """How many are not closed."""
        return len(self._open)

    @property
    def phases(self) -> set[str]:
        """The phases of those that count."""
        return set(self._phases.values())

    @property
    def last(self) -> Recovery:
        """The one reported last of those that count."""
        return self._seen[max(self._order.values())[2]]


def _whole(row: Row, rows: Mapping[Key, Row]) -> Cases:
    """The customer's cases with every recovery; put together once, when the rows come from the database."""
    if "whole" in row:
        whole: Cases = row["whole"]
        return whole
    kept: list[Case] = [one["kept"] for key, one in rows.items() if key[0] == "recoveries"]
    # Rows come in any order: nothing may depend on it.
    kept.sort(key=lambda one: one.recovery.recovery_id)
    cases: Cases = row["cases"]
    return cases.but(
        relationship=cases.relationship.but(recoveries={one.recovery.recovery_id: one.recovery for one in kept}),
        notes={one.recovery.recovery_id: one.note for one in kept if one.note != NOTHING},
    )


def _changed(before: Cases, after: Cases, about: UUID | None) -> list[tuple[UUID, Recovery]]:
    """The recoveries that a fact about one of them, or about none, has changed."""
    now, then = after.relationship.recoveries, before.relationship.recoveries
    if after.relationship.status != before.relationship.status:
        return list(now.items())
    changed = replaced(then, now)
    if about is None or about not in now or before.notes is after.notes:
        return changed
    if all(one != about for one, _ in changed):
        changed.append((about, now[about]))
    return changed


def _noted(cases: Cases, event: Event) -> Cases:
    if event.TOPIC not in _REMARKABLE:
        return cases
    recovery_id = said(event, "recovery_id")
    if recovery_id not in cases.relationship.recoveries:
        return cases
    before = cases.notes.get(recovery_id, NOTHING)
    note = before.but(**_remarks(before, event))
    return cases.but(notes={**cases.notes, recovery_id: note})


_REMARKABLE: Final = frozenset(
    ("recovery.resolved", "satisfaction.stated", "follow_up.completed", "deadline.set", "treatment.reported")
)


def _remarks(note: Note, event: Any) -> dict[str, Any]:
    match event.TOPIC:
        case "recovery.resolved":
            return {"how_code": event.how_code}
        case "satisfaction.stated" if note.first_instrument is None and event.value is not None:
            return {"first_instrument": event.instrument, "first_value": event.value}
        case "follow_up.completed" if note.follow_up is None:
            return {"follow_up": event.outcome}
        case "deadline.set" if event.step not in note.promised:
            return {"promised": (*note.promised, event.step)}
        case "treatment.reported" if event.after_resolution:
            return {"treated_after": True}
    return {}


def _won_back(before: Cases, relationship: Relationship) -> bool:
    """True from the return of a lost customer until the next failure or loss."""
    if relationship.lost or len(relationship.recoveries) != len(before.relationship.recoveries):
        return False
    return before.won_back or before.relationship.lost


def _stream_row(cases: Cases, known: Standing) -> Row:
    standing = known.look(cases.relationship)
    return {
        "cases": cases.but(relationship=cases.relationship.but(recoveries={}), notes={}),
        # Nothing falls due any more for somebody who asked to be forgotten.
        "next_due_at": standing.next_due_at if cases.relationship.status == "active" else None,
        "status": _status(cases, standing),
        "open_recoveries": standing.open,
    }


def _status(cases: Cases, standing: Standing) -> Status:
    if cases.relationship.lost:
        return "lost"
    phases = standing.phases
    if "reported" in phases:
        return "failed"
    if phases & {"acknowledged", "acting"}:
        return "recovering"
    if cases.won_back:
        return "won_back"
    if not phases:
        return "steady"
    # The last failure speaks for the relationship. The dict, once stored, keeps no order.
    return "unrecovered" if standing.last.outcome in ("dissatisfied", "lost") else "recovered"


def _recovery_row(row: Row) -> Row:
    case: Case = row["kept"]
    one, note = case.recovery, case.note
    copied, noted = vars(one), vars(note)
    running = {step: at.due_at for step, at in one.deadlines.items() if _can_fire(at)}
    overdue, steps = _overdue(one), checklist(one)
    covered, due = coverage(steps)
    return {
        "recovery_id": row["recovery_id"],
        "kept": case,
        "position": row["position"],
        "open": one.phase != "closed" and row["active"],
        "urgency": one.urgency,
        **{name: copied[name] for name in _COPIED},
        **{name: noted[name] for name in _NOTED},
        "checklist": steps,
        "steps_due": due,
        "steps_covered": covered,
        "deadlines": {step: at.due_at for step, at in one.deadlines.items()},
        "promised": text_list(note.promised),
        "missed": text_list(one.missed),
        **{f"due_{step}": running.get(step) for step in CLOCKS},
        "next_due_at": min(running.values(), default=None),
        "overdue": overdue,
        "risk": _risk(one, note) + OVERDUE_WEIGHT * overdue,
        "escalated": one.escalation is not None,
        "failed_again": one.deviations,
    }


_COPIED: Final = (
    ("opened_at", "phase", "what", "failure_kind", "resource", "severity", "severity_customer", "fault")
    + ("detection", "similarity_key", "owner", "team", "silent_since", "silences", "reopenings", "leaving", "lost")
    + ("public", "first_contact", "resolved_at", "closed_at", "outcome")
)
_NOTED: Final = ("treated_after", "how_code", "first_instrument", "first_value", "follow_up")


def _can_fire(deadline: Deadline) -> bool:
    return deadline.fires and deadline.due_at > deadline.set_at


def _overdue(recovery: Recovery) -> int:
    """How many steps missed their time and are still not done."""
    if recovery.phase == "closed":
        return 0
    steps = {"compensation", "follow_up"} if recovery.ended else set(CLOCKS) - {"update", "response"}
    settled = {*recovery.done, *recovery.waived, *recovery.deadlines}
    return len((steps & set(recovery.missed)) - settled)


def _risk(recovery: Recovery, note: Note) -> int:
    """How much it matters that somebody looks at it, but for what is overdue. Source: domain.md section 7."""
    return (
        10 * recovery.urgency
        + 10 * recovery.silences
        + 20 * recovery.leaving
        + 25 * note.treated_after
        + 15 * (recovery.deviations > 0)
        + 10 * recovery.public
    )


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
