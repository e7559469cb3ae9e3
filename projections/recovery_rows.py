"""Recoveries as rows: how each one is folded, and what can be asked of it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import Boolean, Column, Integer, SmallInteger, Text, Uuid

from domain.kinds import Event, Fact
from domain.recovery import Recovery
from domain.relationship import Relationship, RelationshipEvent, evolve
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
)
from projections.recovery_cases import CLOCKS, NOTHING, Case, Cases, Note, Standing
from projections.recovery_columns import kept_alone, of_customer, of_recovery, standing_alone

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
"""One row per recovery. `due_*` are the clocks of ours that run; `overdue` and `risk` are what is sure already,
clocks that have run out by the time of reading come on top. `steps_covered` of `steps_due` were done, or waived
for a reason that is known."""

STREAM: Final[Key] = ("recovery_streams",)
"""The key of the row about all of a customer's recoveries."""


class Recoveries(Projection):
    """Every recovery with its phase, checklist, deadlines and flags."""

    name = "recoveries"
    version = 6
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
        return of_customer(row["whole"], row["standing"]) if key == STREAM else of_recovery(row)

    def only_volatile(self, key: Key, before: Row, row: Row) -> Row | None:
        """How the customer stands, where no more than that can be new; or what nobody is shown of a recovery."""
        return standing_alone(before, row) if key == STREAM else kept_alone(before, row)


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
