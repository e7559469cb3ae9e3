"""One customer's relationship: the state that rules and duties need, and how events change it.

No personal data here: the state is stored in snapshots and projections as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.errors import AmbiguousRecovery, Erased, OwnCase, UnknownRef, WrongPhase
from domain.kinds import Actor, Command, Context, Elsewhere, Event, Fact
from domain.recovery import Obstacle, Recovery, later
from domain.values import CallerRef, Frozen, RecoveryId

REMEMBERED: Final = timedelta(days=180)
"""How long a similar failure counts as a repetition. Source: satisfaction.md section 2."""


@dataclass(frozen=True)
class Relationship(Frozen):
    """Everything rules need to know of one customer. `version` 0: nothing recorded yet."""

    customer_id: UUID
    version: int = 0
    position: int = 0
    status: Literal["active", "erased"] = "active"
    party_kind: str = "customer"
    contactable: bool = True
    timezone: str | None = None
    quiet_hours: tuple[str, str] | None = None
    """From when until when, on the clock where he lives, nobody disturbs him (I-17)."""
    asked_at: datetime | None = None
    """When we last asked him how he feels, and he answered or declined (D6)."""
    opened_at: datetime | None = None
    recoveries: Mapping[UUID, Recovery] = field(default_factory=dict)
    gestures: frozenset[UUID] = frozenset()
    obstacles: Mapping[UUID, Obstacle] = field(default_factory=dict)
    """Open obstacles that belong to no recovery."""
    treatments: tuple[int, ...] = ()
    """Positions of the treatment events that belong to no recovery."""
    lost: bool = False
    strange: bool = False
    NAME: ClassVar[str] = "customer"

    @property
    def stream_id(self) -> UUID:
        """The stream that holds its events."""
        return self.customer_id

    @classmethod
    def begun(cls, stream_id: UUID) -> "Relationship":
        """A customer of whom nothing is recorded."""
        return cls(stream_id)

    def after(self, fact: Fact) -> "Relationship":
        """The relationship after one more fact."""
        return evolve(self, fact)

    def open_recoveries(self) -> list[Recovery]:
        """Those not closed."""
        return [recovery for recovery in self.recoveries.values() if recovery.phase != "closed"]

    def recovery(self, recovery_id: UUID) -> Recovery:
        """The recovery of this id. Raises UnknownRef (I-1)."""
        try:
            return self.recoveries[recovery_id]
        except KeyError:
            raise UnknownRef("recovery", recovery_id) from None

    def goodwill_since(self, moment: datetime, currency: str) -> int:
        """What was granted out of goodwill at or after this moment and still stands, in minor units.

        Other currencies are not counted: sums are never made across them.
        """
        given = (one for recovery in self.recoveries.values() for one in recovery.compensations.values())
        return sum(
            one.amount.minor
            for one in given
            if one.basis == "goodwill" and one.stands and one.amount is not None
            if one.amount.currency == currency and one.counts_from is not None and one.counts_from >= moment
        )

    def goodwill_asked(self, currency: str, *, fallback: bool) -> int:
        """What was asked for and nobody has decided on, in minor units; or what follows of it if nobody does."""
        waiting = (request for one in self.recoveries.values() for request in one.requests.values())
        amounts = (one.fallback if fallback else one.amount for one in waiting if not one.timed_out)
        return sum(one.minor for one in amounts if one is not None and one.currency == currency)

    def with_recovery(self, recovery: Recovery) -> "Relationship":
        """The relationship with this recovery added or replaced."""
        # A copy of the whole is twice as quick as one made entry by entry.
        recoveries = dict(self.recoveries)
        recoveries[recovery.recovery_id] = recovery
        return self.but(recoveries=recoveries)

    def had_similar(self, similarity_key: str, at: datetime) -> bool:
        """Whether a similar failure lies within 180 days before `at`; late news counts as distance 0."""
        return any(
            one.similarity_key == similarity_key and at - one.opened_at <= REMEMBERED
            for one in self.recoveries.values()
        )


class RelationshipEvent(Event):
    """An event of a customer's relationship."""

    OF = Relationship.NAME

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        """The state after this event. Copies facts, never refuses: what is in the log has happened.

        It is the state given, where nothing changes, else a copy that nobody else has; so is what `change` gives.
        """
        return state


class OptionalRecoveryEvent(RelationshipEvent):
    """An event that may belong to a recovery, or to the relationship alone."""

    recovery_id: RecoveryId | None = None

    def evolve(self, state: Relationship, fact: Fact) -> Relationship:
        recovery = state.recoveries.get(self.recovery_id) if self.recovery_id else None
        if recovery is None:
            return state
        last_event_at = later(recovery.last_event_at, fact.occurred_at)
        changed = self.change(recovery, fact)
        # What changed is a copy already: to make another takes a fifth of the time of a fold.
        complete = changed.but if changed is recovery else changed.completed
        return state.with_recovery(complete(last_event_at=last_event_at))

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        """The recovery after this event."""
        return recovery


class RecoveryEvent(OptionalRecoveryEvent):
    """An event of one recovery. Subclasses say what changes in it."""

    recovery_id: RecoveryId


class RelationshipCommand(Command):
    """A command on one customer's relationship."""

    ON = Relationship

    def decide(self, state: Relationship, at: Context) -> Sequence[Event | Elsewhere]:
        """What follows, or a refusal raised."""
        raise NotImplementedError


class RecoveryCommand(RelationshipCommand):
    """A command on one recovery: named by id, by the caller's own number or what it holds, else the only one."""

    recovery_id: RecoveryId | None = None
    about: "About | None" = None

    def found(self, state: Relationship, at: Context) -> Recovery:
        """The recovery meant. Raises UnknownRef, AmbiguousRecovery or Erased."""
        refuse_erased(state)
        if self.recovery_id is not None:
            return state.recovery(self.recovery_id)
        matching = _matching(state, self.about, at)
        named = next((one for one in state.recoveries.values() if self.names(one)), None)
        if named is not None and (self.about is None or named in matching):
            return named
        return only_one(matching)

    def names(self, recovery: Recovery) -> bool:
        """Whether it names something that this recovery holds, and hence no other one."""
        return False

    def found_if_any(self, state: Relationship, at: Context) -> Recovery | None:
        """The recovery named, else the only one open, else None. For what may concern no recovery at all."""
        if self.recovery_id is None and self.about is None:
            refuse_erased(state)
            recoveries = state.open_recoveries()
            return recoveries[0] if len(recoveries) == 1 else None
        return self.found(state, at)

    def found_open(self, state: Relationship, at: Context) -> Recovery:
        """The recovery meant, which must not be closed. Raises WrongPhase too."""
        recovery = self.found(state, at)
        if recovery.phase == "closed":
            raise WrongPhase("closed", "an open recovery")
        return recovery


class About(BaseModel):
    """How a caller names a recovery by his own number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report: CallerRef | None = None
    order: CallerRef | None = None


def _matching(state: Relationship, about: About | None, at: Context) -> list[Recovery]:
    recoveries = state.open_recoveries()
    if about is None:
        return recoveries
    if about.report is not None:
        key = at.pseudonym("report", about.report)
        recoveries = [recovery for recovery in recoveries if recovery.report_key == key]
    if about.order is not None:
        key = at.pseudonym("order", about.order)
        recoveries = [recovery for recovery in recoveries if recovery.order_key == key]
    return recoveries


def only_one(matches: list[Recovery]) -> Recovery:
    """The only one of these. Raises UnknownRef or AmbiguousRecovery."""
    if not matches:
        raise UnknownRef("open recovery")
    if len(matches) > 1:
        raise AmbiguousRecovery(sorted(str(recovery.recovery_id) for recovery in matches))
    return matches[0]


def refuse_erased(state: Relationship) -> None:
    """Raises Erased when the customer was forgotten (I-2)."""
    if state.status == "erased":
        raise Erased


def refuse_unknown(state: Relationship) -> None:
    """Raises UnknownRef when nothing is recorded of this customer (I-1), or Erased (I-2)."""
    refuse_erased(state)
    if state.version == 0:
        raise UnknownRef("customer", state.customer_id)


def refuse_own_case(recovery: Recovery, colleague_id: UUID | None, at: Context) -> None:
    """Raises OwnCase when this colleague is named in a report of poor treatment here (I-21)."""
    if colleague_id is not None and any(at.named(position) == colleague_id for position in recovery.treatments):
        raise OwnCase


def evolve(state: Relationship, fact: Fact) -> Relationship:
    """The state after one more fact."""
    event = fact.event
    if isinstance(event, RelationshipEvent):
        after = event.evolve(state, fact)
    else:
        after = state.but(strange=True) if event.OF else state
    complete = state.but if after is state else after.completed
    return complete(version=fact.version, position=fact.position)


def fold(facts: Iterable[Fact], state: Relationship) -> Relationship:
    """The state after all these facts, in stream order."""
    for fact in facts:
        state = evolve(state, fact)
    return state


def foreseen(state: Relationship, decided: Iterable[Event | Elsewhere], at: Context) -> Relationship:
    """The state as it will be once this is recorded; for decisions made of several steps."""
    events = [one for one in decided if not isinstance(one, Elsewhere)]
    return assumed(state, events, occurred_at=at.occurred_at, recorded_at=at.recorded_at, actor=at.actor)


def assumed(
    state: Relationship,
    events: Iterable[Event],
    *,
    occurred_at: datetime,
    recorded_at: datetime,
    actor: Actor,
) -> Relationship:
    """The state as it would be if these events were recorded so. Positions and ids are not known yet."""
    for event in events:
        fact = Fact(
            event=event,
            stream_id=state.customer_id,
            version=state.version + 1,
            position=state.position,
            event_id=state.customer_id,
            occurred_at=occurred_at,
            recorded_at=recorded_at,
            actor=actor,
            source="",
        )
        state = evolve(state, fact)
    return state


RecoveryCommand.model_rebuild()
