"""Work: what one order appends to its stream, kept apart until the order has succeeded as a whole."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.duties import settle
from domain.errors import AlreadyExists
from domain.kinds import AMENDS, Actor, Event, Fact
from domain.milestones import Reference
from domain.relationship import Relationship, evolve
from domain.values import unchanging
from infrastructure import lookup
from infrastructure.keys import Drawn, SubjectKey
from infrastructure.orders import Order
from infrastructure.record import Record
from infrastructure.subjects import Subjects
from infrastructure.tools import Tools

DUTIES_SOURCE: Final = "amends:duties"


@unchanging
class Envelope:
    """What the events of one order share."""

    actor: Actor
    source: str
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None
    time_known: bool = True


# Of whichever command time happens to be settled before: what it causes is not that command's doing.
_CLOCK: Final = Envelope(AMENDS, DUTIES_SOURCE)


class Work:
    """The events of one order in the making, each one evolving the state that the next is decided on."""

    def __init__(
        self,
        tools: Tools,
        subjects: Subjects,
        order: Order,
        start: Relationship,
        *,
        after: int,
        occurred_at: datetime,
        recorded_at: datetime,
    ) -> None:
        self._tools, self._subjects, self._order = tools, subjects, order
        self._after, self._occurred_at, self._recorded_at = after, occurred_at, recorded_at
        self.start, self.state = start, start
        self.records: list[Record] = []
        self.facts: list[Fact] = []
        self.links: list[Reference] = []
        self.drawn: dict[UUID, Drawn] = {}
        self._settled = 0

    @property
    def stream(self) -> UUID:
        """The customer's stream."""
        return self.start.customer_id

    @property
    def own(self) -> slice:
        """Which records and facts are the command's; a settling order owns those of the clock."""
        return slice(self._settled if self._order.command is not None else 0, None)

    def settle(self, until: datetime) -> None:
        """Appends what time obliges us to record up to then, each at its due time."""
        if not self.state.version:
            return
        for due_at, event in settle(self.state, until):
            self._append(event, due_at, _CLOCK, self._tools.new_id())
        self._settled = len(self.records)

    def add(self, decided: Sequence[Event], first_id: UUID) -> None:
        """Appends the events of the command; the first takes this id, and correlates the others."""
        order = self._order
        envelope = Envelope(
            actor=order.actor,
            source=order.source,
            correlation_id=order.correlation_id or first_id,
            causation_id=order.causation_id,
            traceparent=order.traceparent,
            time_known=order.time_known,
        )
        for n, event in enumerate(decided):
            self._link(event)
            self._append(event, self._occurred_at, envelope, first_id if n == 0 else self._tools.new_id())

    def _link(self, event: Event) -> None:
        for kind, value in event.links():
            reference = lookup.same(Reference(kind=kind, value=value))
            leads_to = self._subjects.stream_of(reference)
            if leads_to is None:
                self.links.append(reference)
            elif leads_to != self.stream:
                raise AlreadyExists("reference")

    def _append(self, event: Event, occurred_at: datetime, envelope: Envelope, event_id: UUID) -> None:
        fact = Fact(
            event,
            self.start.customer_id,
            self.state.version + 1,
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
        self.records.append(self._record(fact))
        self.facts.append(fact)
        self.state = evolve(self.state, fact)

    def _record(self, fact: Fact) -> Record:
        personal, named = self._tools.mapper.needs(fact.event)
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
            customer_key=self._key(fact.stream_id) if personal else None,
            colleague_key=self._key(named) if named is not None else None,
        )
        return draft.complete(fact.position, fact.recorded_at)

    def _key(self, subject: UUID) -> SubjectKey:
        """The subject's key, drawn when this is the first thing we learn of the subject."""
        # A stream that begins here can have no key yet.
        begins = subject == self.stream and not self.start.version
        key = None if begins else self._subjects.key_of(subject)
        if key is not None:
            return key
        if subject not in self.drawn:
            self.drawn[subject] = self._tools.keyring.draw(self._tools.ledger, subject, self._recorded_at)
        return self.drawn[subject].key
