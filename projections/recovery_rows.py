"""Recoveries as rows: how each one is folded, and what can be asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar, Final, Literal
from uuid import UUID

from sqlalchemy import Boolean, Column, Integer, SmallInteger, Text, Uuid

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
    derived,
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
    version = 5
    tables = (recovery_streams, recoveries)
    loaded = (recovery_streams, recoveries)
    volatile: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "recovery_streams": ("next_due_at", "status", "open_recoveries"),
        "recoveries": ("position", "kept"),
    }

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
                "case": (recovery, after.notes.get(recovery_id, NOTHING)),
                "position": fact.position,
                "active": relationship.status == "active",
            }
        return changes

    def stored(self, key: Key, row: Row) -> Row:
        """What can be asked of the customer's cases, or of one recovery."""
        return _stream_row(row["whole"], row["standing"]) if key == STREAM else _recovery_row(row)

    def only_volatile(self, key: Key, before: Row, row: Row) -> Row | None:
        """How the customer stands, where no more than that can be new; or what nobody is shown of a recovery."""
        if key == STREAM:
            return _standing_alone(before, row)
        known, now = _case(before), row["case"]
        # Whoever has not asked to be forgotten had not asked before.
        if not row["active"] or known[1] != now[1]:
            return None
        if _told_of(known[0]) != _told_of(now[0]):
            return None
        return {"position": row["position"], "kept": Case(*now)}


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


def _stream_row(cases: Cases, standing: Standing) -> Row:
    return {
        # Of the relationship, what every fact brings with it is left out: so it seldom needs to be written.
        "cases": cases.but(relationship=cases.relationship.but(recoveries={}, version=0, position=0), notes={}),
        **_standing(cases, standing),
    }


def _standing(cases: Cases, known: Standing) -> Row:
    standing = known.look(cases.relationship)
    return {
        # Nothing falls due any more for somebody who asked to be forgotten.
        "next_due_at": standing.next_due_at if cases.relationship.status == "active" else None,
        "status": _status(cases, standing),
        "open_recoveries": standing.open,
    }


def _standing_alone(before: Row, row: Row) -> Row | None:
    known: Cases = before.get("whole") or before["cases"]
    cases: Cases = row["whole"]
    if known.won_back != cases.won_back:
        return None
    if _kept_of(known.relationship) != _kept_of(cases.relationship):
        return None
    # What of a customer does not come from his recoveries was compared already.
    same = known.relationship.recoveries is cases.relationship.recoveries
    return {} if same else _standing(cases, row["standing"])


def _case(row: Row) -> tuple[Recovery, Note]:
    """The recovery and what is noted of it, as it was folded or as it was read."""
    found: tuple[Recovery, Note] | None = row.get("case")
    return found or (row["kept"].recovery, row["kept"].note)


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
    one, note = _case(row)
    copied, noted = vars(one), vars(note)
    running = {step: at.due_at for step, at in one.deadlines.items() if _can_fire(at)}
    overdue, steps = _overdue(one), checklist(one)
    covered, due = coverage(steps)
    return {
        "recovery_id": row["recovery_id"],
        "kept": Case(one, note),
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
_MADE_OF: Final = ("loss", "repeated", "done", "waived", "deadlines", "missed", "settled_by", "escalation")
_told_of: Final = attrgetter(*_COPIED, *_MADE_OF, "deviations")
"""All of a recovery that its row shows, or makes something of: the rest of it is kept to fold on and no more."""
_BROUGHT: Final = ("recoveries", "version", "position")
_kept_of: Final = attrgetter(*(one.name for one in fields(Relationship) if one.name not in _BROUGHT))
"""All of a relationship that its row keeps: recoveries have rows of their own, and every fact brings the rest."""
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
