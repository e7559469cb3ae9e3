"""The demo: thirty days of a small house and its customers, played on a simulated clock that ends now."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from api.stories import (
    approvals,
    failures,
    house,
    kindness,
    knowledge,
    languages,
    last_words,
    openly,
    stock,
    table,
)
from api.stories.ordinary import ordinary
from api.stories.telling import On, Tale
from api.stories.words import Language
from domain.budgets.commands import OpenBudget
from domain.colleagues.asking import AskForHelp
from domain.kinds import AMENDS, Actor, Aggregate, Command
from domain.milestones import Reference
from domain.relationship import RelationshipCommand
from infrastructure.orders import DUTIES_SOURCE, Order, Outcome

SOURCE: Final = "amends:demo"
SWEEP_EVERY: Final = timedelta(hours=12)
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
    command: Command
    on: On | None = None
    """What it is done on, where that is not the customer of the tale."""


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
    customers speak it but those of whom the story says what they speak. Raises what the writer refuses.
    """
    opening = house.opening(first_midnight(now, days), now, customers)
    lines = script(now, [opening, *tales(seed, customers, language)], days)
    stage = _Stage(submit, set_clock, lines[0].told_at if lines else now)
    done = 0
    for (told_at, tale), told in groupby(lines, key=lambda line: (line.told_at, line.tale)):
        stage.time_passes(told_at)
        done += stage.tell(tale, list(told))
        yield Progress(done, len(lines), told_at)
    stage.time_passes(now)


def tales(seed: int, customers: int = 52, language: Language | None = None) -> list[Tale]:
    """The told customers and what the house does for itself first, then so many ordinary ones."""
    customers_told = (*failures.TALES, *stock.TALES, *last_words.TALES, *kindness.TALES, *languages.TALES)
    of_the_house = (*house.TALES, *knowledge.TALES)
    spoken = (*approvals.TALES, *table.TALES, *openly.TALES)
    told = [tell() for tell in (*customers_told, *of_the_house)]
    return [*told, *(tell(language or "en") for tell in spoken), *ordinary(seed, customers, language)]


def script(now: datetime, told: list[Tale], days: int = 30) -> list[Line]:
    """Every command of these tales up to `now`, in order of time. What would lie after `now` is left out."""
    midnight = first_midnight(now, days)
    lines = [line for n, tale in enumerate(told) for line in _lines(n, tale, tale.begins(midnight, days))]
    return sorted((line for line in lines if line.told_at <= now), key=lambda line: line.told_at)


def first_midnight(now: datetime, days: int) -> datetime:
    """When the demo begins that tells so many days up to `now`."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


def _lines(n: int, tale: Tale, begins: datetime) -> Iterator[Line]:
    for scene in tale.scenes:
        at = begins + scene.after
        command = scene.deed if isinstance(scene.deed, Command) else scene.deed(at)
        yield Line(at, begins + scene.told, n, tale.reference, scene.who, command, scene.on)


TIMED: Final = (RelationshipCommand, OpenBudget, AskForHelp)
"""Commands after which time may have something to say."""


class _Stage:
    """The writer, its clock, the customers met so far, and what time may have something to say about."""

    def __init__(self, submit: Submit, set_clock: Callable[[datetime], None], begins: datetime) -> None:
        self._submit, self._set_clock, self._swept = submit, set_clock, begins
        self._customers: dict[int, UUID] = {}
        self._timed: dict[UUID, type[Aggregate]] = {}

    def tell(self, tale: int, lines: list[Line]) -> int:
        """Has these commands of one tale recorded together. Gives their number."""
        known = self._customers.get(tale)
        outcomes = self._answered([_order(line, known) for line in lines])
        for line, outcome in zip(lines, outcomes, strict=True):
            if line.on is None:
                self._customers[tale] = outcome.customer_id
            if isinstance(line.command, TIMED):
                self._timed[outcome.customer_id] = line.command.ON
        return len(outcomes)

    def time_passes(self, until: datetime) -> None:
        """Lets the clocks fire on the way, and leaves the writer's clock at `until`."""
        while self._swept + SWEEP_EVERY <= until:
            self._swept += SWEEP_EVERY
            self._set_clock(self._swept)
            # Everybody is asked, not only whom a projection calls due: the projector need not run meanwhile.
            asked = self._timed.items()
            self._answered([Order(None, one, AMENDS, DUTIES_SOURCE, settling=kind) for one, kind in asked])
        self._set_clock(until)

    def _answered(self, orders: list[Order]) -> list[Outcome]:
        waiting = [self._submit(order) for order in orders]
        return [future.result(ANSWER_WITHIN_SECONDS) for future in waiting]


def _order(line: Line, customer: UUID | None) -> Order:
    return Order(line.command, line.on or customer or line.reference, line.actor, SOURCE, occurred_at=line.at)
