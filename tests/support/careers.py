"""Given, when, then for the rules of one colleague, without any adapter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.colleagues.asking import unanswered
from domain.colleagues.post import Join
from domain.colleagues.state import Colleague, ColleagueCommand
from domain.kinds import AMENDS, Actor, Context, Elsewhere, Event, Fact
from tests.support.given import START, colleague, named_id, next_fact

OFFICE = Actor(kind="service", ref="k:office")
"""The key through which whoever administers speaks."""


def day(at: float) -> datetime:
    """So many days after the stories begin."""
    return START + timedelta(days=at)


def known_as(name: str) -> UUID:
    """Under which id the ledger knows the colleague of this name."""
    found = colleague(name).colleague_id
    assert found is not None
    return found


@dataclass
class Career:
    """A colleague in the making: commands and facts at moments counted in days from START."""

    name: str = "anyone"
    state: Colleague = field(init=False)
    facts: list[Fact] = field(default_factory=list)
    last: list[Any] = field(default_factory=list)
    minted: int = 0

    def __post_init__(self) -> None:
        self.state = Colleague.begun(known_as(self.name))

    def when(
        self,
        command: ColleagueCommand,
        *,
        at: float = 0,
        actor: Actor = OFFICE,
        importing: bool = False,
        recorded_at: float | None = None,
    ) -> "Career":
        """The command is decided and its events recorded; `last` holds them."""
        moment, recorded = day(at), day(at if recorded_at is None else recorded_at)
        context = Context(
            occurred_at=moment,
            recorded_at=recorded,
            actor=actor,
            new_id=self._new_id,
            pseudonym=lambda kind, value: named_id(f"{kind}:{value}"),
            importing=importing,
        )
        self.last = list(command.decide(self.state, context))
        for event in self.last:
            self._record(event, moment, recorded, actor)
        return self

    def given(self, *events: Event | Elsewhere, at: float = 0) -> "Career":
        """These facts happened so many days after START."""
        for one in events:
            event = one.event if isinstance(one, Elsewhere) else one
            self._record(event, day(at), day(at), OFFICE)
        return self

    def swept(self, at: float) -> Sequence[tuple[datetime, Event]]:
        """What time had made due by then, recorded."""
        found = unanswered(self.state, day(at))
        for due_at, event in found:
            self._record(event, due_at, day(at), AMENDS)
        return found

    def then(self, *kinds: type[Event]) -> list[Any]:
        """Asserts that exactly these kinds of events came out last, in this order, and gives them."""
        assert [type(event).__name__ for event in self.last] == [kind.__name__ for kind in kinds]
        return self.last

    def _new_id(self) -> UUID:
        self.minted += 1
        return named_id(f"{self.name} minted {self.minted}")

    def _record(self, event: Event, moment: datetime, recorded: datetime, actor: Actor) -> None:
        fact = next_fact(self.state, event, moment, actor, self.name, recorded=recorded)
        self.facts.append(fact)
        self.state = self.state.after(fact)


def joined(name: str = "anyone", *, at: float = 0, **said: Any) -> Career:
    """Somebody who works here, at the front unless said otherwise."""
    post = {"role": "representative", "role_class": "front", "team": "desk"} | said
    return Career(name).when(Join.model_validate(post), at=at)
