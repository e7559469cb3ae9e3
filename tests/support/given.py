"""Given, when, then for the rules of one relationship, without any adapter."""

from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

import domain.all_kinds
from domain.budgets.budget import Budget, reference
from domain.deciding import decided
from domain.errors import Refused
from domain.kinds import UNPUBLISHED, Actor, Aggregate, Context, Elsewhere, Event, Fact
from domain.relationship import Relationship, RelationshipCommand, evolve
from domain.standards.house import House
from domain.values import Money

assert domain.all_kinds
CUSTOMER = UUID("0192e4a0-0000-7000-8000-000000000001")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = UUID("0192e4a0-0000-7000-8000-00000000ffff")


def named_id(name: str) -> UUID:
    """The same UUID for the same name, so that tests can speak of `named_id("plums")`."""
    return uuid5(NAMES, name)


def colleague(name: str = "anyone", role: str = "representative", role_class: str = "front") -> Actor:
    """A colleague who acts."""
    return Actor(kind="colleague", ref=f"u:{named_id('colleague:' + name)}", role=role, role_class=role_class)


def next_fact(
    state: Aggregate,
    event: Event,
    moment: datetime,
    actor: Actor,
    name: str = "",
    *,
    recorded: datetime | None = None,
) -> Fact:
    """This event as what happens next on its stream, which `name` tells apart from others.

    It was recorded when it happened, unless another time is given.
    """
    version = state.version + 1
    return Fact(
        event=event,
        stream_id=state.stream_id,
        version=version,
        position=version,
        event_id=named_id(f"{name} event {version}".strip()),
        occurred_at=moment,
        recorded_at=recorded or moment,
        actor=actor,
        source="urn:test",
    )


@dataclass
class Story:
    """A relationship in the making: commands and facts at moments counted in minutes from START."""

    state: Relationship = field(default_factory=lambda: Relationship(CUSTOMER))
    facts: list[Fact] = field(default_factory=list)
    last: list[Event] = field(default_factory=list)
    minted: int = 0
    by_position: dict[int, UUID] = field(default_factory=dict)
    others: dict[UUID, Aggregate] = field(default_factory=dict)
    """Colleagues and budgets as they stand."""
    elsewhere: list[Event] = field(default_factory=list)
    """What came out last for their streams."""
    house: House = UNPUBLISHED

    def new_id(self) -> UUID:
        self.minted += 1
        return named_id(f"minted {self.minted}")

    def given(self, *events: Event, at: float = 0, actor: Actor | None = None) -> "Story":
        """These facts happened `at` minutes after START."""
        for event in events:
            self.record(event, START + timedelta(minutes=at), actor or colleague())
        return self

    def when(
        self,
        command: RelationshipCommand,
        *,
        at: float = 0,
        actor: Actor | None = None,
        importing: bool = False,
        recorded_at: float | None = None,
        references: tuple[tuple[str, str], ...] = (),
    ) -> "Story":
        """The command is decided and its events recorded; `last` holds them."""
        moment = START + timedelta(minutes=at)
        recorded = START + timedelta(minutes=at if recorded_at is None else recorded_at)
        who = actor or colleague()
        context = Context(
            occurred_at=moment,
            recorded_at=recorded,
            actor=who,
            new_id=self.new_id,
            pseudonym=lambda kind, value: named_id(f"{kind}:{value}"),
            importing=importing,
            references=references,
            named=self.by_position.get,
            other=self.other,
            currencies=self.currencies,
            house=self.house,
        )
        told = decided(command, self.state, context)
        self.last = [one for one in told if not isinstance(one, Elsewhere)]
        self.elsewhere = [one.event for one in told if isinstance(one, Elsewhere)]
        for one in told:
            if isinstance(one, Elsewhere):
                self._record_elsewhere(one, moment, who, recorded)
            else:
                self.record(one, moment, who, recorded)
        return self

    def other(self, kind: type[Any], stream: UUID | tuple[str, str]) -> Any:
        """A colleague or a budget as it stands."""
        if isinstance(stream, tuple):
            stream = named_id("/".join(stream))
            return self.others.get(stream)
        return self.others.get(stream) or kind.begun(stream)

    def currencies(self, cost_centre: str) -> frozenset[str]:
        """Those in which this cost centre has a budget."""
        budgets = (one for one in self.others.values() if isinstance(one, Budget))
        return frozenset(one.currency for one in budgets if one.cost_centre == cost_centre)

    def with_budget(self, limit: Money, period: str = "2026", cost_centre: str = "main") -> "Story":
        """The house has opened this budget."""
        stream = named_id("/".join(reference(cost_centre, limit.currency, period)))
        self.others[stream] = Budget(
            stream, version=1, cost_centre=cost_centre, currency=limit.currency, period=period, limit=limit.minor
        )
        return self

    def _record_elsewhere(self, one: Elsewhere, moment: datetime, actor: Actor, recorded: datetime) -> None:
        stream = one.stream.stream_id
        state = self.others.get(stream, one.stream)
        fact = Fact(
            event=one.event,
            stream_id=stream,
            version=state.version + 1,
            position=0,
            event_id=named_id(f"{stream} {state.version}"),
            occurred_at=moment,
            recorded_at=recorded,
            actor=actor,
            source="urn:test",
        )
        self.others[stream] = state.after(fact)

    def then(self, *kinds: type[Event]) -> list[Any]:
        """Asserts that exactly these kinds of events came out last, in this order, and gives them."""
        assert [type(event).__name__ for event in self.last] == [kind.__name__ for kind in kinds]
        return self.last

    def record(self, event: Event, moment: datetime, actor: Actor, recorded: datetime | None = None) -> None:
        """This happened next; it was recorded then, unless another time is given."""
        version = self.state.version + 1
        named = getattr(event, "by_colleague", None)
        if isinstance(named, UUID):
            self.by_position[version] = named
        fact = next_fact(self.state, event, moment, actor, recorded=recorded)
        self.facts.append(fact)
        self.state = evolve(self.state, fact)


def story() -> Story:
    """A relationship of which nothing is recorded yet."""
    return Story()


@contextmanager
def refused(code: str, **facts: Any) -> Iterable[None]:
    """Asserts that the block raises a refusal of this slug with these facts."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code == code
    for name, value in facts.items():
        assert getattr(caught.value, name) == value
