"""Given, when, then for the rules of one lesson, and ledgers in which several were told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.kinds import Actor, Aggregate, Context, Event, Fact
from domain.lessons.commands import ApproveLesson, DraftLesson, LessonCommand, PublishLesson
from domain.lessons.lesson import Lesson
from projections import knowledge
from projections.feed import Feed
from projections.lesson_rows import Lessons, Receipts
from projections.readers import Reader
from projections.training_rows import Training
from tests.support.careers import OFFICE, Career, day
from tests.support.given import Story, colleague, named_id, next_fact
from tests.support.ledgers import Book, in_order

LATER = day(30)
NEEDED = (Lessons(), Receipts(), Training(), Feed())
"""The read models that are asked here."""
NOTICE = {"kind": "notice", "title": "No receipt below 50.00", "text": "Nobody is asked for a receipt any more."}


@dataclass
class Writing:
    """A lesson in the making: commands at moments counted in days from START."""

    name: str = "lesson"
    told: Story | None = None
    """The customer's story that it may be learned from."""
    others: dict[UUID, Aggregate] = field(default_factory=dict)
    state: Lesson = field(init=False)
    facts: list[Fact] = field(default_factory=list)
    last: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = Lesson.begun(named_id(self.name))

    def when(self, command: LessonCommand, *, at: float = 0, actor: Actor | None = None) -> "Writing":
        """The command is decided and its events recorded; `last` holds them."""
        moment, who = day(at), actor or colleague("lead", "manager", "manager")
        self.last = list(command.decide(self.state, self._context(moment, who)))
        for event in self.last:
            self._record(event, moment, who)
        return self

    def then(self, *kinds: type[Event]) -> list[Any]:
        """Asserts that exactly these kinds of events came out last, in this order, and gives them."""
        assert [type(event) for event in self.last] == [*kinds]
        return self.last

    def _context(self, moment: datetime, who: Actor) -> Context:
        return Context(
            occurred_at=moment,
            recorded_at=moment,
            actor=who,
            new_id=lambda: named_id(f"{self.name} minted"),
            pseudonym=lambda kind, value: named_id(f"{kind}:{value}"),
            other=self._other,
            named=lambda position: None if self.told is None else self.told.by_position.get(position),
            history=self._history,
        )

    def _other(self, kind: type[Any], stream: UUID | tuple[str, str]) -> Any:
        if self.told is not None and stream == self.told.state.customer_id:
            return self.told.state
        return kind.begun(stream)

    def _history(self, stream: UUID) -> Sequence[Fact]:
        return self.told.facts if self.told is not None and stream == self.told.state.customer_id else ()

    def _record(self, event: Event, moment: datetime, actor: Actor) -> None:
        fact = next_fact(self.state, event, moment, actor, self.name)
        self.facts.append(fact)
        self.state = self.state.after(fact)


def draft(
    name: str = "lesson", *, at: float = 0, by: Actor = OFFICE, told: Story | None = None, **said: Any
) -> Writing:
    """A notice for everyone, drafted; or whatever else is said."""
    return Writing(name, told).when(DraftLesson.model_validate(said or NOTICE), at=at, actor=by)


def published(
    name: str = "lesson", *, at: float = 0, telling: PublishLesson | None = None, **said: Any
) -> Writing:
    """The same, approved by whoever leads and published."""
    made = draft(name, at=at, **said).when(ApproveLesson(), at=at)
    return made.when(telling or PublishLesson(), at=at)


def told(shelf: Book, *tales: Writing | Career | Story) -> Book:
    """The shelf with all of these told, in the order of days, read models caught up."""
    facts = [fact for tale in tales for fact in tale.facts]
    shelf.record(in_order(sorted(facts, key=lambda fact: fact.recorded_at)))
    shelf.projector(NEEDED).catch_up()
    return shelf


def told_to(shelf: Book, reader: Reader, as_of: Any = LATER) -> list[str]:
    """The titles that this reader is told."""
    with shelf.source() as source:
        return [one.title for one in knowledge.page(source, reader, as_of).items]
