"""Colleague: everything rules need to know of one of us. No personal data here: it is stored as it is.

The stream's id is the pseudonym under which the ledger knows him wherever he acts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.errors import UnknownRef
from domain.kinds import Actor, Command, Context, Elsewhere, Event, Fact
from domain.values import Frozen
from domain.vocabulary import RoleClass

KEPT_DAYS: Final = 7
"""Of so many days with grants it is kept what he used; more than any two time zones are apart."""


@dataclass(frozen=True)
class Help(Frozen):
    """A request for help that nobody has answered. Without a due time no clock runs for it."""

    kind: str
    topic: str
    due_at: datetime | None = None
    escalated: bool = False


@dataclass(frozen=True)
class Absence(Frozen):
    """When he is not here; without an end, until the next word."""

    begins: datetime
    ends: datetime | None = None


@dataclass(frozen=True)
class Receipt(Frozen):
    """The newest versions of a lesson that he read and took note of; 0: none."""

    read: int = 0
    acknowledged: int = 0


@dataclass(frozen=True)
class Colleague(Frozen):
    """One colleague. `version` 0: nothing recorded yet. One who never joined may still have used authority."""

    colleague_id: UUID
    version: int = 0
    position: int = 0
    strange: bool = False
    here: bool = False
    """He has joined, and has not left since."""
    role: str | None = None
    role_class: RoleClass | None = None
    team: str | None = None
    manager: UUID | None = None
    capacity: int | None = None
    """In points of the house's own."""
    absence: Absence | None = None
    training: frozenset[str] = frozenset()
    """The topics he was trained in."""
    used: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    """What he gave out of his own authority, by local day and currency, in minor units; the last days only."""
    help: Mapping[UUID, Help] = field(default_factory=dict)
    answered: frozenset[UUID] = frozenset()
    may_be_named: bool = False
    left: bool = False
    receipts: Mapping[UUID, Receipt] = field(default_factory=dict)
    """What he read of what the house tells, by lesson."""
    NAME: ClassVar[str] = "colleague"

    @property
    def stream_id(self) -> UUID:
        """The stream that holds his events."""
        return self.colleague_id

    @classmethod
    def begun(cls, stream_id: UUID) -> "Colleague":
        """A colleague of whom nothing is recorded."""
        return cls(stream_id)

    def after(self, fact: Fact) -> "Colleague":
        """The same after one more fact."""
        event = fact.event
        if isinstance(event, ColleagueEvent):
            changed = event.evolve(self, fact)
        else:
            changed = self.but(strange=True) if event.OF else self
        return changed.but(version=fact.version, position=fact.position)

    def absent_at(self, moment: datetime) -> bool:
        """Whether he said that he would not be here."""
        absence = self.absence
        return absence is not None and absence.begins <= moment and (absence.ends is None or moment < absence.ends)

    def acting(self, actor: Actor) -> Actor:
        """Who acted, in the role that he has here. One who never joined has the role that was said.

        So has one who left, but he leads nobody any more.
        """
        if self.left:
            return actor.but(role="other", role_class="front") if actor.role_class == "manager" else actor
        if self.role is None or self.role_class is None:
            return actor
        return Actor(kind=actor.kind, ref=actor.ref, role=self.role, role_class=self.role_class)


class ColleagueEvent(Event):
    """An event of one colleague. For the house only, never for a customer."""

    OF = Colleague.NAME
    FOR_CUSTOMER: ClassVar[bool] = False

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        """The state after this event. Copies facts, never refuses: what is in the log has happened."""
        return state


class ColleagueCommand(Command):
    """A command on one colleague."""

    ON = Colleague

    def decide(self, state: Colleague, at: Context) -> Sequence[Event | Elsewhere]:
        """What follows, or a refusal raised."""
        raise NotImplementedError


def refuse_left(state: Colleague) -> None:
    """Raises UnknownRef when he has left."""
    if state.left:
        raise UnknownRef("colleague", state.colleague_id)


def refuse_not_here(state: Colleague) -> None:
    """Raises UnknownRef when he never joined, or has left."""
    if not state.here:
        raise UnknownRef("colleague", state.colleague_id)
