"""What happens to a lesson: it is drafted, approved, published, revised, found to hold still, and retired.

Titles and texts are words of the house and stand in the open: decision 9.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain.kinds import Fact
from domain.lessons.lesson import (
    EVERYONE,
    REFERENCE,
    Audience,
    FromRecovery,
    Lesson,
    LessonEvent,
    LessonKind,
)
from domain.lessons.words import Text, Title
from domain.values import Code, ColleagueId, Moment

Edition = Annotated[int, Field(ge=1, strict=True)]


class LessonDrafted(LessonEvent, topic="lesson.drafted"):
    """Something worth telling the house was written down. Nobody is told yet."""

    kind: LessonKind
    title: Title
    text: Text
    topic: Code | None = None
    audience: Audience = EVERYONE
    recognises: ColleagueId | None = None
    """The colleague whose good work it tells of."""
    from_recovery: FromRecovery | None = None
    trigger: UUID | None = None
    """The event that gave rise to it."""

    @property
    def of_one(self) -> bool:
        return self.only_for is not None or self.recognises is not None

    def links(self) -> tuple[tuple[str, str], ...]:
        return () if self.trigger is None else (reference(self.kind, self.trigger),)

    def evolve(self, state: Lesson, fact: Fact) -> Lesson:
        return state.but(
            kind=self.kind,
            edition=1,
            author=fact.actor.colleague_id,
            recognised=self.recognises,
            from_recovery=self.from_recovery,
            audience=self.audience,
        )


class LessonApproved(LessonEvent, topic="lesson.approved"):
    """Somebody read this wording and found that the house may be told."""

    edition: Edition
    by: ColleagueId

    def evolve(self, state: Lesson, fact: Fact) -> Lesson:
        return state.but(approved=self.edition)


class LessonPublished(LessonEvent, topic="lesson.published"):
    """From now on it is told to this audience. `version` is the wording: receipts are for this one alone."""

    version: Edition
    audience: Audience = EVERYONE
    must_ack: bool = False
    expires_at: Moment
    digest_only: bool = False
    """The customer it is learned from was lost: it is told in the weekly digest, not in the feed."""

    def evolve(self, state: Lesson, fact: Fact) -> Lesson:
        return state.but(
            published=self.version,
            audience=self.audience,
            must_ack=self.must_ack,
            expires_at=self.expires_at,
        )


class LessonRevised(LessonEvent, topic="lesson.revised"):
    """It has another wording, which nobody is told before it is approved and published. What is not said stays."""

    edition: Edition
    title: Title | None = None
    text: Text | None = None

    def evolve(self, state: Lesson, fact: Fact) -> Lesson:
        return state.but(edition=self.edition)


class LessonReconfirmed(LessonEvent, topic="lesson.reconfirmed"):
    """Somebody looked whether it holds still: it does, until then."""

    version: Edition
    expires_at: Moment

    def evolve(self, state: Lesson, fact: Fact) -> Lesson:
        return state.but(expires_at=self.expires_at)


class LessonRetired(LessonEvent, topic="lesson.retired"):
    """It is told no longer, or never was."""

    def evolve(self, state: Lesson, fact: Fact) -> Lesson:
        return state.but(retired=True)


def reference(kind: str, trigger: UUID) -> tuple[str, str]:
    """Under which the draft of this kind is found that this event gave rise to."""
    return REFERENCE, f"{kind}:{trigger}"
