"""What is done with a lesson: draft it, approve it, publish it, and see later whether it holds still."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.errors import AlreadyEnded, AlreadyExists, InvalidValue, NotApproved, OwnLesson, UnknownRef
from domain.kinds import Command, Context, Event
from domain.lessons.drafting import Draft, drafted
from domain.lessons.events import (
    LessonApproved,
    LessonDrafted,
    LessonPublished,
    LessonReconfirmed,
    LessonRetired,
    LessonRevised,
)
from domain.lessons.lesson import Audience, FromRecovery, Lesson, LessonKind
from domain.lessons.words import Text, Title
from domain.recovery import Recovery
from domain.relationship import Relationship, refuse_own_case, refuse_unknown
from domain.values import CallerRef, Code, ColleagueId, Moment
from domain.vocabulary import RoleClass

OF_ITS_AUTHOR: Final = ("recognition", "experience")
"""What is told of its author, or to his credit: he does not approve it himself."""


class LessonCommand(Command):
    """A command on one lesson."""

    ON = Lesson


class ForWhom(BaseModel):
    """For whom it is: whoever meets one of these; or one colleague alone, by your own id of him."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role_classes: tuple[RoleClass, ...] = ()
    teams: tuple[Code, ...] = ()
    roles: tuple[Code, ...] = ()
    colleague_id: CallerRef | None = None

    def audience(self, at: Context) -> Audience:
        """The same with the colleague as the ledger knows him."""
        alone = None if self.colleague_id is None else ColleagueId(at.pseudonym("colleague", self.colleague_id))
        if alone is not None and (self.role_classes or self.teams or self.roles):
            raise InvalidValue("audience", "what is for one colleague is for him alone")
        return Audience(role_classes=self.role_classes, teams=self.teams, roles=self.roles, colleague_id=alone)


class DraftLesson(LessonCommand, path="draft-lesson", facts=(LessonDrafted,), opens=True):
    """Write down what the house should know. Nobody is told before it is approved and published.

    `from_recovery` draws it up from what was recorded of a recovery: codes and offsets only, nobody named; `title`
    and `text` take the place of those words. A recognition may say whose good work it tells of (`colleague_id`):
    where `{name}` stands in it, readers find his name while he agrees to be named. What is written here stands in
    the open for ever: name nobody. `trigger` is the event that gave rise to it: one draft of a kind for each.
    """

    kind: LessonKind
    title: Title | None = None
    text: Text | None = None
    topic: Code | None = None
    audience: ForWhom = ForWhom()
    colleague_id: CallerRef | None = None
    """Your own id of the colleague whose good work it tells of."""
    from_recovery: FromRecovery | None = None
    trigger: UUID | None = None

    def decide(self, state: Lesson, at: Context) -> list[Event]:
        if state.version:
            raise AlreadyExists("lesson", state.stream_id)
        if self.colleague_id is not None and self.kind != "recognition":
            raise InvalidValue("colleague_id", "only a recognition tells of one colleague")
        words, audience = self._words(at), self.audience.audience(at)
        return [
            LessonDrafted(
                kind=self.kind,
                title=words.title,
                text=words.text,
                topic=self.topic,
                audience=audience,
                recognises=self._recognised(at),
                from_recovery=self.from_recovery,
                trigger=self.trigger,
                only_for=audience.colleague_id,
            )
        ]

    def _words(self, at: Context) -> Draft:
        if self.from_recovery is None:
            if self.title is None or self.text is None:
                missing = "title" if self.title is None else "text"
                raise InvalidValue(missing, "say it in words, or name the recovery that it is learned from")
            return Draft(self.title, self.text)
        made = _drawn_up(self.from_recovery, self.trigger, at)
        return Draft(self.title or made.title, self.text or made.text)

    def _recognised(self, at: Context) -> ColleagueId | None:
        return None if self.colleague_id is None else ColleagueId(at.pseudonym("colleague", self.colleague_id))


def _drawn_up(of: FromRecovery, trigger: UUID | None, at: Context) -> Draft:
    """What was recorded of this recovery, as it may be told; up to the trigger where that is part of it."""
    customer = at.other(Relationship, of.customer_id)
    if customer is None:
        raise UnknownRef("customer", of.customer_id)
    refuse_unknown(customer)
    customer.recovery(of.recovery_id)
    try:
        return drafted(at.history(of.customer_id), of.recovery_id, trigger)
    except UnknownRef:
        why = "its report lies too far back to be drawn up: say it in words"
        raise InvalidValue("from_recovery", why) from None


class ApproveLesson(LessonCommand, path="approve-lesson", facts=(LessonApproved,), scope="admin"):
    """Say that the house may be told this wording. Somebody else does than whom it is about: say who (`by`).

    Whoever approves has made sure that nobody is named in it.
    """

    def decide(self, state: Lesson, at: Context) -> list[Event]:
        refuse_retired(state)
        by = at.actor.colleague_id
        if by is None:
            raise InvalidValue("by", "say which colleague approves it")
        if state.approved == state.edition:
            raise AlreadyExists("approval")
        _refuse_subject(state, by, at)
        return [LessonApproved(edition=state.edition, by=ColleagueId(by), only_for=state.only_for)]


def _refuse_subject(state: Lesson, by: UUID, at: Context) -> None:
    """Raises OwnLesson, or OwnCase, for whom it is about."""
    if by in (state.recognised, state.only_for) or (state.kind in OF_ITS_AUTHOR and by == state.author):
        raise OwnLesson
    recovery = _learned_from(state, at)
    if recovery is not None:
        refuse_own_case(recovery, by, at)
        if recovery.owner == by:
            raise OwnLesson


def _learned_from(state: Lesson, at: Context) -> Recovery | None:
    """The recovery that it is learned from, as it stands now."""
    if state.from_recovery is None:
        return None
    customer = at.other(Relationship, state.from_recovery.customer_id)
    return None if customer is None else customer.recoveries.get(state.from_recovery.recovery_id)


class PublishLesson(LessonCommand, path="publish-lesson", facts=(LessonPublished,), scope="admin"):
    """Tell it to the audience of the draft, or to another; without either, to everyone. It holds for a year.

    A notice must be acknowledged unless `must_ack` says otherwise. A new version must be read and acknowledged
    anew. What is learned from a customer who was lost is told in the weekly digest alone. Whether something is
    for one colleague alone is said with the draft, and stays.
    """

    audience: ForWhom | None = None
    must_ack: bool | None = None
    expires_at: Moment | None = None

    def decide(self, state: Lesson, at: Context) -> list[Event]:
        refuse_retired(state)
        if state.approved != state.edition:
            raise NotApproved(state.edition)
        if state.published == state.edition:
            raise AlreadyExists("version of this lesson", state.edition)
        return [
            LessonPublished(
                version=state.edition,
                audience=self._audience(state, at),
                must_ack=_must_ack(state) if self.must_ack is None else self.must_ack,
                expires_at=_until(self.expires_at, at),
                digest_only=_lost(_learned_from(state, at)),
                only_for=state.only_for,
            )
        ]

    def _audience(self, state: Lesson, at: Context) -> Audience:
        audience = state.audience if self.audience is None else self.audience.audience(at)
        if audience.colleague_id != state.only_for:
            raise InvalidValue("audience", "whether it is for one colleague alone is said with the draft")
        return audience


def _lost(recovery: Recovery | None) -> bool:
    return recovery is not None and (recovery.lost or recovery.outcome == "lost")


def _must_ack(state: Lesson) -> bool:
    return state.must_ack if state.published else state.kind == "notice"


class ReviseLesson(LessonCommand, path="revise-lesson", facts=(LessonRevised,), scope="admin"):
    """Word it anew. The wording before is told until the new one is approved and published."""

    title: Title | None = None
    text: Text | None = None

    def decide(self, state: Lesson, at: Context) -> list[Event]:
        refuse_retired(state)
        if self.title is None and self.text is None:
            raise InvalidValue("text", "say what changes: title or text")
        edition = state.edition + 1
        return [LessonRevised(edition=edition, title=self.title, text=self.text, only_for=state.only_for)]


class ReconfirmLesson(LessonCommand, path="reconfirm-lesson", facts=(LessonReconfirmed,), scope="admin"):
    """Say that a published lesson holds still: for a year from now, or until `expires_at`."""

    expires_at: Moment | None = None

    def decide(self, state: Lesson, at: Context) -> list[Event]:
        refuse_unpublished(state)
        until = _until(self.expires_at, at)
        return [LessonReconfirmed(version=state.published, expires_at=until, only_for=state.only_for)]


class RetireLesson(LessonCommand, path="retire-lesson", facts=(LessonRetired,), scope="admin"):
    """Tell it no longer. A draft that nobody wants is retired, too."""

    def decide(self, state: Lesson, at: Context) -> list[Event]:
        refuse_retired(state)
        return [LessonRetired(only_for=state.only_for)]


def refuse_retired(state: Lesson) -> None:
    """Raises AlreadyEnded when it is told no longer."""
    if state.retired:
        raise AlreadyEnded("lesson", "retired")


def refuse_unpublished(state: Lesson) -> None:
    """Raises AlreadyEnded when it is told no longer, UnknownRef when it never was."""
    refuse_retired(state)
    if not state.published:
        raise UnknownRef("published lesson", state.stream_id)


def _until(said: datetime | None, at: Context) -> datetime:
    if said is None:
        return a_year_after(at.occurred_at)
    if said <= at.occurred_at:
        raise InvalidValue("expires_at", "a lesson holds for some time, at least")
    return said


def a_year_after(moment: datetime) -> datetime:
    """The same day and time of the next year; of 29 February, the 28th."""
    leaps = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year + 1, day=28 if leaps else moment.day)
