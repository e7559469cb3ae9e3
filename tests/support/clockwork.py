"""A relationship on a simulated clock: due events are settled before each command, as the writer does it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.duties import next_due, settle
from domain.kinds import AMENDS, Actor, Event
from domain.recovery import Recovery
from domain.relationship import RelationshipCommand
from tests.support.given import START, Story, colleague

HOUR = 60
DAY = 24 * HOUR


@dataclass
class Clockwork:
    """A story whose clocks fire. Moments are minutes after START; `now` is the last one reached."""

    story: Story = field(default_factory=Story)
    now: float = 0

    def told(
        self, command: RelationshipCommand, *, at: float, actor: Actor | None = None, **more: Any
    ) -> "Clockwork":
        """Time passes until `at` (or until it is recorded, if that is earlier), then the command is decided."""
        self.sweep(min(at, more.get("recorded_at") or at))
        self.story.when(command, at=at, actor=actor or colleague(), **more)
        return self

    def happened(self, event: Event, *, at: float, recorded_at: float | None = None) -> "Clockwork":
        """Time passes until `at`, then this fact is recorded as it is."""
        self.sweep(at)
        self._record(event, at, at if recorded_at is None else recorded_at, colleague())
        return self

    def sweep(self, until: float, every: float | None = None) -> list[Event]:
        """Everything that falls due up to `until`, in one sweep or in sweeps of this size."""
        swept: list[Event] = []
        while every is not None and self.now + every < until:
            swept += self._settle(self.now + every)
        return swept + self._settle(until)

    @property
    def recovery(self) -> Recovery:
        """The only recovery of the story."""
        (recovery,) = self.story.state.recoveries.values()
        return recovery

    @property
    def due(self) -> float | None:
        """The minute at which something falls due next."""
        at = next_due(self.story.state)
        return None if at is None else minutes(at)

    def log(self, *topics: str) -> list[tuple[float, str]]:
        """(minute, topic) of everything recorded, or of these topics; a step is named behind its topic."""
        return [
            (minutes(fact.occurred_at), _label(fact.event))
            for fact in self.story.facts
            if not topics or fact.event.TOPIC in topics
        ]

    def _settle(self, until: float) -> list[Event]:
        self.now = max(self.now, until)
        settled = settle(self.story.state, START + timedelta(minutes=until))
        for at, event in settled:
            self._record(event, minutes(at), self.now, AMENDS)
        return [event for _, event in settled]

    def _record(self, event: Event, at: float, recorded_at: float, actor: Actor) -> None:
        moment, recorded = (START + timedelta(minutes=one) for one in (at, recorded_at))
        self.story.record(event, moment, actor, recorded)


def minutes(moment: datetime) -> float:
    """How many minutes after START."""
    return (moment - START) / timedelta(minutes=1)


def _label(event: Event) -> str:
    step = getattr(event, "step", None)
    return event.TOPIC if step is None else f"{event.TOPIC} {step}"
