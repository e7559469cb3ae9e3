"""The demo: thirty days of a small house and its customers, played on a simulated clock that ends now."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from api.stories import failures, kindness, languages, last_words
from api.stories.ordinary import Language, ordinary
from api.stories.telling import Tale
from domain.kinds import AMENDS, Actor
from domain.milestones import Reference
from domain.relationship import RelationshipCommand
from infrastructure.orders import Order, Outcome

SOURCE: Final = "amends:demo"
DUTIES_SOURCE: Final = "amends:duties"
SWEEP_EVERY: Final = timedelta(hours=3)
"""How much simulated time passes between two looks at what is due; a real sweeper looks every second."""
ANSWER_WITHIN_SECONDS: Final = 60.0
Submit = Callable[[Order], "Future[Outcome]"]


@dataclass(frozen=True, slots=True)
class Line:
    """One command of the play: when it happened, and when the house is told."""

    at: datetime
    told_at: datetime
    tale: int
    reference: Reference | None
    actor: Actor
    command: RelationshipCommand


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the play is: lines done of all, and the simulated moment."""

    done: int
    total: int
    at: datetime


def play(
    submit: Submit,
    set_clock: Callable[[datetime], None],
    now: datetime,
    seed: int,
    days: int = 30,
    customers: int = 52,
    language: Language | None = None,
) -> Iterator[Progress]:
    """Gives every command to the writer at its simulated time; in between, time takes its effect.

    The writer's clock must be the one that `set_clock` sets; it stands at `now` in the end. With `language` all
    ordinary customers speak it. Raises what the writer refuses.
    """
    lines = script(now, tales(seed, customers, language), days)
    stage = _Stage(submit, set_clock, lines[0].told_at if lines else now)
    done = 0
    for (told_at, tale), told in groupby(lines, key=lambda line: (line.told_at, line.tale)):
        stage.time_passes(told_at)
        done += stage.tell(tale, list(told))
        yield Progress(done, len(lines), told_at)
    stage.time_passes(now)


def tales(seed: int, customers: int = 52, language: Language | None = None) -> list[Tale]:
    """The told customers first, then so many ordinary ones."""
    told = (*failures.TALES, *last_words.TALES, *kindness.TALES, *languages.TALES)
    return [*(tell() for tell in told), *ordinary(seed, customers, language)]


def script(now: datetime, told: list[Tale], days: int = 30) -> list[Line]:
    """Every command of these tales up to `now`, in order of time. What would lie after `now` is left out."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    lines = [line for n, tale in enumerate(told) for line in _lines(n, tale, tale.begins(midnight, days))]
    return sorted((line for line in lines if line.told_at <= now), key=lambda line: line.told_at)


def _lines(n: int, tale: Tale, begins: datetime) -> Iterator[Line]:
    for scene in tale.scenes:
        at = begins + scene.after
        command = scene.deed if isinstance(scene.deed, RelationshipCommand) else scene.deed(at)
        yield Line(at, begins + scene.told, n, tale.reference, scene.who, command)


class _Stage:
    """The writer, its clock, and the customers met so far."""

    def __init__(self, submit: Submit, set_clock: Callable[[datetime], None], begins: datetime) -> None:
        self._submit, self._set_clock, self._swept = submit, set_clock, begins
        self._customers: dict[int, UUID] = {}

    def tell(self, tale: int, lines: list[Line]) -> int:
        """Has these commands of one tale recorded together. Gives their number."""
        known = self._customers.get(tale)
        outcomes = self._answered([_order(line, known) for line in lines])
        self._customers[tale] = outcomes[0].customer_id
        return len(outcomes)

    def time_passes(self, until: datetime) -> None:
        """Lets the clocks fire on the way, and leaves the writer's clock at `until`."""
        while self._swept + SWEEP_EVERY <= until:
            self._swept += SWEEP_EVERY
            self._set_clock(self._swept)
            # Everybody is asked, not only whom a projection calls due: the projector need not run meanwhile.
            self._answered([Order(None, one, AMENDS, DUTIES_SOURCE) for one in self._customers.values()])
        self._set_clock(until)

    def _answered(self, orders: list[Order]) -> list[Outcome]:
        waiting = [self._submit(order) for order in orders]
        return [future.result(ANSWER_WITHIN_SECONDS) for future in waiting]


def _order(line: Line, customer: UUID | None) -> Order:
    return Order(line.command, customer or line.reference, line.actor, SOURCE, occurred_at=line.at)
