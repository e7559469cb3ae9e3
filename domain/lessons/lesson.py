"""One lesson: how far it has come on the way from a draft to everybody, and until when it holds.

No words here: what is decided does not depend on them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal, NewType
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.kinds import Event, Fact
from domain.values import Code, ColleagueId, CustomerId, Frozen, RecoveryId
from domain.vocabulary import RoleClass

LessonId = NewType("LessonId", UUID)
LessonKind = Literal["lesson", "case_study", "notice", "improvement", "recognition", "experience", "digest"]
REFERENCE: Final = "/lesson"
"""The kind of reference under which a draft is found by what gave rise to it. No caller can write it."""


class Audience(BaseModel):
    """For whom it is: whoever meets one of these; nothing said is everyone. One colleague stands alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role_classes: tuple[RoleClass, ...] = ()
    teams: tuple[Code, ...] = ()
    roles: tuple[Code, ...] = ()
    colleague_id: ColleagueId | None = None

    @property
    def everyone(self) -> bool:
        """Whether nobody is left out."""
        return not (self.role_classes or self.teams or self.roles or self.colleague_id)

    def holds(self, colleague_id: UUID | None, role_class: str | None, team: str | None, role: str | None) -> bool:
        """Whether somebody like this belongs to it."""
        if self.colleague_id is not None:
            return colleague_id == self.colleague_id
        return self.everyone or role_class in self.role_classes or team in self.teams or role in self.roles


EVERYONE: Final = Audience()


class FromRecovery(BaseModel):
    """The recovery that something is learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer_id: CustomerId
    recovery_id: RecoveryId


@dataclass(frozen=True)
class Lesson(Frozen):
    """One lesson. `edition` counts its wordings, from 1; `approved` and `published` say which of them are."""

    stream: UUID
    version: int = 0
    position: int = 0
    strange: bool = False
    kind: LessonKind = "lesson"
    edition: int = 0
    approved: int = 0
    published: int = 0
    retired: bool = False
    author: UUID | None = None
    """The colleague who drafted it."""
    recognised: UUID | None = None
    """The colleague whose good work it tells of."""
    from_recovery: FromRecovery | None = None
    audience: Audience = EVERYONE
    must_ack: bool = False
    expires_at: datetime | None = None
    NAME: ClassVar[str] = "lesson"

    @property
    def stream_id(self) -> UUID:
        """The stream that holds its events."""
        return self.stream

    @classmethod
    def begun(cls, stream_id: UUID) -> "Lesson":
        """Before it is drafted."""
        return cls(stream_id)

    def after(self, fact: Fact) -> "Lesson":
        """The same after one more fact."""
        event = fact.event
        if isinstance(event, LessonEvent):
            return event.evolve(self, fact).but(version=fact.version, position=fact.position)
        return self.but(version=fact.version, position=fact.position, strange=self.strange or bool(event.OF))

    @property
    def only_for(self) -> ColleagueId | None:
        """The one colleague it is for, if it is for one alone."""
        return self.audience.colleague_id


class LessonEvent(Event):
    """An event of a lesson."""

    OF = Lesson.NAME
    FOR_CUSTOMER: ClassVar[bool] = False

    only_for: ColleagueId | None = None
    """The one colleague it is for: then nobody else is shown it."""

    @property
    def of_one(self) -> bool:
        """Whether it is about one colleague, or for one."""
        return self.only_for is not None

    def evolve(self, state: Lesson, fact: Fact) -> Lesson:
        """The state after this event. Copies facts, never refuses."""
        raise NotImplementedError
