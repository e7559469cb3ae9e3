"""Receipts: that a colleague read a lesson, and that he took note of it. They stand with the colleague.

Each once for a version: a new version is unread by everybody.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain.colleagues.state import Colleague, ColleagueEvent, Receipt, refuse_left
from domain.errors import InvalidValue, UnknownRef
from domain.kinds import Command, Context, Event, Fact
from domain.lessons.commands import refuse_unpublished
from domain.lessons.lesson import Lesson, LessonId

Version = Annotated[int, Field(ge=1, strict=True)]


class LessonRead(ColleagueEvent, topic="lesson.read"):
    """He read this version of a lesson."""

    lesson_id: LessonId
    version: Version

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        before = state.receipts.get(self.lesson_id, Receipt())
        return _with(state, self.lesson_id, before.but(read=max(before.read, self.version)))


class LessonAcknowledged(ColleagueEvent, topic="lesson.acknowledged"):
    """He says that he knows what this version says, and goes by it."""

    lesson_id: LessonId
    version: Version

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        before = state.receipts.get(self.lesson_id, Receipt())
        newest = max(before.acknowledged, self.version)
        return _with(state, self.lesson_id, before.but(read=max(before.read, newest), acknowledged=newest))


def _with(state: Colleague, lesson_id: UUID, receipt: Receipt) -> Colleague:
    return state.but(receipts={**state.receipts, lesson_id: receipt})


class ReceiptCommand(Command):
    """A receipt for one lesson. Without a version it is for the one that is told now."""

    ON = Colleague

    lesson_id: LessonId
    version: Version | None = None

    def meant(self, state: Colleague, at: Context) -> int:
        """The version it is for. Raises UnknownRef where no such lesson is told, or not to him."""
        refuse_left(state)
        lesson = at.other(Lesson, self.lesson_id)
        if lesson is None or not lesson.version or lesson.only_for not in (None, state.colleague_id):
            raise UnknownRef("lesson", self.lesson_id)
        refuse_unpublished(lesson)
        if self.version is not None and self.version > lesson.published:
            raise InvalidValue("version", f"version {lesson.published} is the newest that is told")
        return self.version or lesson.published


class ReadLesson(ReceiptCommand, path="read-lesson", facts=(LessonRead,), opens=True):
    """Record that a colleague read a lesson. Said again of the same version it records nothing."""

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        version = self.meant(state, at)
        if version <= state.receipts.get(self.lesson_id, Receipt()).read:
            return []
        return [LessonRead(lesson_id=self.lesson_id, version=version)]


class AcknowledgeLesson(ReceiptCommand, path="acknowledge-lesson", facts=(LessonAcknowledged,), opens=True):
    """Record that a colleague took note of a lesson, and so has read it. Said again it records nothing."""

    def decide(self, state: Colleague, at: Context) -> list[Event]:
        version = self.meant(state, at)
        if version <= state.receipts.get(self.lesson_id, Receipt()).acknowledged:
            return []
        return [LessonAcknowledged(lesson_id=self.lesson_id, version=version)]
