"""Cases: what is kept of a customer's recoveries to fold on, and how he stands by all of them together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Final, Literal
from uuid import UUID

from domain.duties import next_due_of
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.values import Frozen
from projections.base import replaced
from projections.checklist import VOID

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
            due = next_due_of(at, recovery)
            if due is not None:
                self._dues[recovery_id] = due
            else:
                self._dues.pop(recovery_id, None)
            known = self._seen.get(recovery_id)
            if known is None or _counted_as(known) != _counted_as(recovery):
                self._count(recovery_id, recovery)
        self._seen, self._contactable = now, at.contactable
        return self

    def _count(self, recovery_id: UUID, recovery: Recovery) -> None:
        self._phases.pop(recovery_id, None)
        self._order.pop(recovery_id, None)
        self._open.discard(recovery_id)
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


_counted_as: Final = attrgetter("phase", "outcome", "reported_at", "opened_at")


def status(cases: Cases, standing: Standing) -> Status:
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
