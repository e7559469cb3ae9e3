"""Publication: a standard as it was published, version after version, until it was retired."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import ValidationError, model_validator

from domain.errors import InvalidValue, NewerProgramNeeded, UnknownRef
from domain.kinds import Command, Context, Event, Fact
from domain.standards.authority import Authority
from domain.standards.calendar import Calendar
from domain.standards.document import RECORDED, Name, Standard
from domain.standards.house import BODIES
from domain.standards.playbook import Playbook
from domain.standards.rule import HouseRule
from domain.standards.targets import Targets
from domain.values import Count, Frozen, Moment, Personal, Words

REFERENCE: Final = "/standard"
"""The kind of reference under which a standard's stream is found. No caller can write it: codes have no slash."""
StandardKind = Literal["authority", "targets", "rule", "playbook", "calendar"]


@dataclass(frozen=True)
class HousesOwn:
    """Marks what the house says of itself, open to everybody: it is about nobody, so it is not personal."""


Document = Annotated[dict[str, Any], HousesOwn()]
"""The body of a standard as JSON values."""


@dataclass(frozen=True)
class Edition(Frozen):
    """One version as it was published. It may end before the next begins."""

    version: int
    effective_from: datetime
    body: Mapping[str, Any]
    retired_from: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is not retired at this moment."""
        return self.retired_from is None or moment < self.retired_from


@dataclass(frozen=True)
class Review(Frozen):
    """What the owner of a rule decided about it."""

    at: datetime
    decision: str


@dataclass(frozen=True)
class Publication(Frozen):
    """One standard: its versions, in order."""

    stream: UUID
    version: int = 0
    position: int = 0
    strange: bool = False
    kind: str = ""
    name: str = ""
    editions: tuple[Edition, ...] = ()
    reviews: tuple[Review, ...] = ()
    NAME: ClassVar[str] = "standard"

    @property
    def stream_id(self) -> UUID:
        """The stream that holds its events."""
        return self.stream

    @classmethod
    def begun(cls, stream_id: UUID) -> "Publication":
        """Before it is published."""
        return cls(stream_id)

    def after(self, fact: Fact) -> "Publication":
        """The same after one more fact."""
        event = fact.event
        if isinstance(event, StandardEvent):
            return event.evolve(self, fact).but(version=fact.version, position=fact.position)
        return self.but(version=fact.version, position=fact.position, strange=self.strange or bool(event.OF))

    @property
    def retired_from(self) -> datetime | None:
        """From when on it holds no longer, unless it is published again."""
        return self.editions[-1].retired_from if self.editions else None

    def standards(self) -> list[Standard[Any]]:
        """Its versions as documents. Raises NewerProgramNeeded where one says what only a newer program reads."""
        return [self.read(edition) for edition in self.editions]

    def edition_at(self, moment: datetime) -> Edition | None:
        """The version that holds at this moment, if one does: of those that have begun the one published last."""
        begun = [one for one in self.editions if one.effective_from <= moment]
        return begun[-1] if begun and begun[-1].holds_at(moment) else None

    def read(self, edition: Edition) -> Standard[Any]:
        """This version as a document. Raises NewerProgramNeeded where it says what only a newer program reads."""
        try:
            body = BODIES[self.kind].model_validate(edition.body, context=RECORDED)
        except (KeyError, ValidationError):
            raise NewerProgramNeeded from None
        return Standard(name=self.name, version=edition.version, effective_from=edition.effective_from, body=body)


class StandardEvent(Event):
    """An event of a standard. It names the standard, for whoever reads the ledger."""

    OF = Publication.NAME
    FOR_CUSTOMER: ClassVar[bool] = False

    kind: StandardKind
    name: Name

    def evolve(self, state: Publication, fact: Fact) -> Publication:
        """The state after this event. Copies facts, never refuses."""
        return state


class StandardPublished(StandardEvent, topic="standard.published"):
    """From a moment on the house goes by this version.

    What was to begin later than that never does.
    """

    version: Count
    effective_from: Moment
    body: Document

    def links(self) -> tuple[tuple[str, str], ...]:
        return (reference(self.kind, self.name),)

    def evolve(self, state: Publication, fact: Fact) -> Publication:
        edition = Edition(self.version, self.effective_from, self.body)
        return state.but(kind=self.kind, name=self.name, editions=(*state.editions, edition))


class StandardRetired(StandardEvent, topic="standard.retired"):
    """From a moment on the house goes by it no longer: by what ships with the program, if anything does."""

    retired_from: Moment

    def evolve(self, state: Publication, fact: Fact) -> Publication:
        # Those that had ended before stay ended when they had: a retired standard never comes back by itself.
        editions = [one.but(retired_from=_earlier(one.retired_from, self.retired_from)) for one in state.editions]
        return state.but(editions=tuple(editions))


class RuleReviewed(StandardEvent, topic="rule.reviewed"):
    """The owner of a rule looked at what it does to customers, and decided."""

    decision: Literal["keep", "soften", "remove"]
    reason: Personal[Words]

    def evolve(self, state: Publication, fact: Fact) -> Publication:
        return state.but(reviews=(*state.reviews, Review(fact.occurred_at, self.decision)))


class StandardCommand(Command):
    """A command on one standard, which is named by the reference it is sent to."""

    ON = Publication

    kind: StandardKind
    name: Name


class PublishStandard(
    StandardCommand, path="publish-standard", facts=(StandardPublished,), opens=True, scope="admin"
):
    """Publish a standard, or a new version of one. It holds from `effective_from` on, else from now on.

    A version that was to begin later than that is replaced by it and never holds.
    """

    effective_from: Moment | None = None
    body: Authority | Calendar | HouseRule | Playbook | Targets

    @model_validator(mode="after")
    def _of_its_kind(self) -> "PublishStandard":
        if self.kind != self.body.KIND:
            raise ValueError(f"the body is one of kind {self.body.KIND}, not {self.kind}")
        return self

    def decide(self, state: Publication, at: Context) -> list[Event]:
        begins = self.effective_from or at.recorded_at
        # What was decided by a standard stays decided by it. What has not begun has decided nothing: a slip in
        # its day is put right by publishing again.
        if begins < at.recorded_at:
            raise InvalidValue("effective_from", "a standard holds from now on or later, never for what is past")
        if isinstance(self.body, Targets) and self.body.calendar is not None:
            _refuse_unpublished(self.body.calendar, at)
        return [
            StandardPublished(
                kind=self.kind,
                name=self.name,
                version=len(state.editions) + 1,
                effective_from=begins,
                body=self.body.model_dump(mode="json", exclude_none=True),
            )
        ]


def _refuse_unpublished(calendar: str, at: Context) -> None:
    if at.house.calendar(calendar) is None:
        raise InvalidValue(
            "body.calendar", f"publish the calendar {calendar} first: promises without one hold all day"
        )


class RetireStandard(StandardCommand, path="retire-standard", facts=(StandardRetired,), scope="admin"):
    """Let a standard hold no longer. What ships with the program holds again, if it has one of this name.

    Versions that have not begun by then never do.
    """

    retired_from: Moment | None = None

    def decide(self, state: Publication, at: Context) -> list[Event]:
        ends = self.retired_from or at.recorded_at
        if ends < at.recorded_at:
            raise InvalidValue("retired_from", "a standard ends now or later, never for what is past")
        known = state.retired_from
        if known is not None and known <= at.recorded_at:
            raise UnknownRef("standard in force", f"{self.kind}:{self.name}")
        if known is not None and known <= ends:
            raise InvalidValue("retired_from", "it ends by then already; publish it again to let it hold on")
        return [StandardRetired(kind=self.kind, name=self.name, retired_from=ends)]


class ReviewRule(StandardCommand, path="review-rule", facts=(RuleReviewed,), scope="admin"):
    """Say what becomes of a rule that stood in the way: keep it, soften it or remove it, and why."""

    kind: Literal["rule"] = "rule"
    decision: Literal["keep", "soften", "remove"]
    reason: Personal[Words]

    def decide(self, state: Publication, at: Context) -> list[Event]:
        return [RuleReviewed(kind=self.kind, name=self.name, decision=self.decision, reason=self.reason)]


def reference(kind: str, name: str) -> tuple[str, str]:
    """Under which the stream of a standard is found."""
    return REFERENCE, f"{kind}:{name}"


def in_force(publications: Iterable[Publication], moment: datetime) -> list[Standard[Any]]:
    """The published version of each that holds at this moment, for `House.at`; None of what is retired by then."""
    found = ((one, one.edition_at(moment)) for one in publications)
    return [one.read(edition) for one, edition in found if edition is not None]


def turning_points(publications: Iterable[Publication]) -> list[datetime]:
    """The moments at which the house changes, in order."""
    editions = [edition for one in publications for edition in one.editions]
    begins = {one.effective_from for one in editions}
    return sorted(begins | {one.retired_from for one in editions if one.retired_from is not None})


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)
