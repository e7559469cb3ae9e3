"""Work: what one order appends to its stream, kept apart until the order has succeeded as a whole."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from domain.budgets.budget import Budget
from domain.budgets.drawing import expired
from domain.colleagues.asking import unanswered
from domain.colleagues.state import Colleague
from domain.dignity import signed
from domain.duties import settle
from domain.errors import AlreadyExists
from domain.kinds import AMENDS, Actor, Aggregate, Elsewhere, Event, Fact
from domain.milestones import Reference
from domain.relationship import Relationship
from domain.values import unchanging
from infrastructure import lookup
from infrastructure.keys import Drawn, SubjectKey
from infrastructure.orders import DUTIES_SOURCE, Order
from infrastructure.record import Record
from infrastructure.subjects import Subjects
from infrastructure.tools import Tools

S = TypeVar("S", bound=Aggregate)


@unchanging
class Envelope:
    """What the events of one order share."""

    actor: Actor
    source: str
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None
    time_known: bool = True


_DUE: Final[Mapping[type[Aggregate], Callable[[Any, datetime], Sequence[tuple[datetime, Event]]]]] = {
    Relationship: settle,
    Colleague: unanswered,
    Budget: expired,
}
"""What time obliges us to record up to a moment, by what it is recorded of; of the others nothing."""
# Of whichever command time happens to be settled before: what it causes is not that command's doing.
_CLOCK: Final = Envelope(AMENDS, DUTIES_SOURCE)


class Work:
    """The events of one order in the making, each one evolving the state that the next is decided on."""

    def __init__(
        self,
        tools: Tools,
        subjects: Subjects,
        order: Order,
        start: Aggregate,
        *,
        after: int,
        occurred_at: datetime,
        recorded_at: datetime,
    ) -> None:
        self._tools, self._subjects, self._order = tools, subjects, order
        self._after, self._occurred_at, self._recorded_at = after, occurred_at, recorded_at
        self.stream = start.stream_id
        """The stream it appends to."""
        self._own = _Course(start)
        self._elsewhere: dict[UUID, _Course] = {}
        self.records: list[Record] = []
        self.facts: list[Fact] = []
        self.links: list[tuple[Reference, UUID]] = []
        self.drawn: dict[UUID, Drawn] = {}
        self._settled = 0

    @property
    def state(self) -> Aggregate:
        """What the stream has come to by now."""
        return self._own.now

    @property
    def changed(self) -> list[tuple[Aggregate, Aggregate]]:
        """Every stream it appends to: before, and after."""
        return [(one.before, one.now) for one in (self._own, *self._elsewhere.values())]

    @property
    def own(self) -> slice:
        """Which records and facts are the command's; a settling order owns those of the clock."""
        return slice(self._settled if self._order.command is not None else 0, None)

    def settle(self, until: datetime) -> None:
        """Appends what time obliges us to record up to then, each at its due time."""
        self._settle(self._own, until)

    def settled(self, state: S, until: datetime) -> S:
        """The same of another stream, which what is decided may draw on: what that has come to then.

        Only before the command's own events are added: those stand together.
        """
        course = self._course(state)
        self._settle(course, until)
        return cast(S, course.now)

    def _settle(self, course: "_Course", until: datetime) -> None:
        state = course.now
        due = _DUE.get(type(state)) if state.version else None
        for due_at, event in due(state, until) if due is not None else ():
            self._append(course, event, due_at, _CLOCK, self._tools.new_id())
        self._settled = len(self.records)

    def add(self, decided: Sequence[Event | Elsewhere], first_id: UUID) -> None:
        """Appends what follows from the command; the first event takes this id, and correlates the others."""
        order = self._order
        envelope = Envelope(
            actor=signed(order.actor, decided),
            source=order.source,
            correlation_id=order.correlation_id or first_id,
            causation_id=order.causation_id,
            traceparent=order.traceparent,
            time_known=order.time_known,
        )
        for n, one in enumerate(decided):
            course, event = self._placed(one)
            self._link(course, event)
            event_id = first_id if n == 0 else self._tools.new_id()
            self._append(course, event, self._occurred_at, envelope, event_id)

    def _placed(self, decided: Event | Elsewhere) -> "tuple[_Course, Event]":
        """The stream that the event belongs to, and the event."""
        if isinstance(decided, Elsewhere):
            return self._course(decided.stream), decided.event
        return self._own, decided

    def _course(self, state: Aggregate) -> "_Course":
        """The course of this stream, which has come to this state where nothing was appended yet."""
        stream = state.stream_id
        if stream == self.stream:
            return self._own
        return self._elsewhere.get(stream) or _Course(state)

    def _link(self, course: "_Course", event: Event) -> None:
        for kind, value in event.links():
            stream = course.now.stream_id
            reference = lookup.same(Reference.model_construct(kind=kind, value=value))
            leads_to = self._subjects.stream_of(reference)
            if leads_to is None:
                self.links.append((reference, stream))
            elif leads_to != stream:
                raise AlreadyExists("reference")

    def _append(
        self, course: "_Course", event: Event, occurred_at: datetime, envelope: Envelope, event_id: UUID
    ) -> None:
        state = course.now
        fact = Fact(
            event,
            state.stream_id,
            state.version + 1,
            self._after + len(self.records) + 1,
            event_id,
            occurred_at,
            self._recorded_at,
            envelope.actor,
            envelope.source,
            envelope.correlation_id,
            envelope.causation_id,
            envelope.traceparent,
            envelope.time_known,
        )
        self.records.append(self._record(fact, course.before))
        self.facts.append(fact)
        course.now = state.after(fact)
        if course is not self._own:
            self._elsewhere[fact.stream_id] = course

    def _record(self, fact: Fact, before: Aggregate) -> Record:
        personal, sealed = self._tools.mapper.needs(fact.event)
        draft = self._tools.mapper.draft(
            fact.event,
            stream_id=fact.stream_id,
            version=fact.version,
            event_id=fact.event_id,
            occurred_at=fact.occurred_at,
            actor=fact.actor,
            source=fact.source,
            correlation_id=fact.correlation_id,
            causation_id=fact.causation_id,
            traceparent=fact.traceparent,
            time_known=fact.time_known,
            customer_key=self._key(before) if personal else None,
            colleague_key=self._own_key() if sealed else None,
        )
        return draft.complete(fact.position, fact.recorded_at)

    def _key(self, before: Aggregate) -> SubjectKey:
        """The subject's key, drawn when this is the first thing we learn of the subject."""
        subject = before.stream_id
        # A customer who begins here can have no key yet: his id was drawn a moment ago.
        begins = isinstance(before, Relationship) and not before.version
        key = None if begins else self._subjects.key_of(subject)
        if key is not None:
            return key
        if subject not in self.drawn:
            self.drawn[subject] = self._tools.keyring.draw(self._tools.ledger, subject, self._recorded_at)
        return self.drawn[subject].key

    def _own_key(self) -> SubjectKey:
        """A key for one section about a colleague. It is nobody's: it tells neither of whom, nor what is alike."""
        drawn = self._tools.keyring.draw(self._tools.ledger, None, self._recorded_at)
        self.drawn[drawn.key.kid] = drawn
        return drawn.key


class _Course:
    """What a stream had come to before this work, and what it has come to by now."""

    __slots__ = ("before", "now")

    def __init__(self, state: Aggregate) -> None:
        self.before = self.now = state
