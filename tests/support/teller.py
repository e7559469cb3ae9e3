"""Who tells random histories: keeps the state of a relationship, so that what comes next is plausible."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from domain.kinds import Actor, Event, Fact
from domain.recovery import Recovery
from domain.relationship import Relationship, evolve

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_IDS = 0x0192E4A0_0000_7000_8000_000000000000
FRONT = Actor(kind="colleague", ref=f"u:{UUID(int=_IDS + 1)}", role="waiter", role_class="front")
BACK = Actor(kind="colleague", ref=f"u:{UUID(int=_IDS + 2)}", role="accountant", role_class="back")
T = TypeVar("T")


class Choice:
    """Takes one plausible option after the other out of a number; 0 always takes the first."""

    def __init__(self, number: int) -> None:
        self._number = number

    def of(self, *options: T) -> T:
        """One of these."""
        self._number, chosen = divmod(self._number, len(options))
        return options[chosen]


@dataclass
class Teller:
    """Tells one relationship: keeps its state, so that what is told next is plausible, and its facts."""

    stream: int = 0
    facts: list[Fact] = field(default_factory=list)
    now: datetime = BEGINNING
    minted: int = 0

    def __post_init__(self) -> None:
        self.state = Relationship(UUID(int=_IDS + (self.stream + 1) * 2**32))
        self.recorded_at = self.now

    def new_id(self) -> UUID:
        """An id nobody else in the relationships has."""
        self.minted += 1
        return UUID(int=_IDS + (self.stream + 1) * 2**32 + self.minted)

    def say(self, *events: Event, by: Actor = FRONT) -> None:
        """These happened now."""
        self.recorded_at = max(self.recorded_at, self.now)
        for event in events:
            version = self.state.version + 1
            fact = Fact(
                event=event,
                stream_id=self.state.customer_id,
                version=version,
                position=version,
                event_id=self.new_id(),
                occurred_at=self.now,
                recorded_at=self.recorded_at,
                actor=by,
                source="urn:random",
            )
            self.facts.append(fact)
            self.state = evolve(self.state, fact)

    def after(self, minutes: int) -> datetime:
        """So many minutes from now."""
        return self.now + timedelta(minutes=minutes)


Telling = Callable[[Teller, Choice], None]
TELLINGS: dict[str, Telling] = {}
"""Every telling by its name; what happens often has several (`apologised`, `apologised 2`)."""


def telling(times: int = 1) -> Callable[[Telling], Telling]:
    """Enters a telling of the relationship, to be told so many times as often as others."""

    def enter(tell: Telling) -> Telling:
        name = tell.__name__
        for n in range(1, times + 1):
            TELLINGS[name if n == 1 else f"{name} {n}"] = tell
        return tell

    return enter


RecoveryTelling = Callable[[Teller, Choice, Recovery], None]


def of_recovery(times: int = 1) -> Callable[[RecoveryTelling], Telling]:
    """Enters a telling about one recovery; where there is none yet, a failure is told instead."""

    def enter(tell: RecoveryTelling) -> Telling:
        def about_one(teller: Teller, choice: Choice) -> None:
            recoveries = list(teller.state.recoveries.values())[::-1]
            if recoveries:
                tell(teller, choice, choice.of(*recoveries[:4]))
            else:
                TELLINGS["failure"](teller, choice)

        about_one.__name__ = tell.__name__
        return telling(times)(about_one)

    return enter
