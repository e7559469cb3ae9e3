"""What is advised in a story, at a moment counted in minutes from START."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from domain.advice.advice import NextStep
from domain.advice.next_step import next_step
from domain.advice.situation import meant, situation
from domain.standards.authority import Asker
from domain.standards.document import Standard
from domain.standards.house import House
from tests.support.given import START, Story

WAITER = Asker(role="waiter", role_class="front")


def advised(
    tale: Story, *, at: float = 0, asker: Asker = WAITER, published: Iterable[Standard[Any]] = ()
) -> NextStep:
    """The next step for the only open recovery, or for the only one there is."""
    moment = START + timedelta(minutes=at)
    found = situation(tale.facts)
    recoveries = list(found.relationship.recoveries)
    recovery = meant(found, recoveries[0] if len(recoveries) == 1 else None)
    return next_step(found, recovery, House.at(moment, published), asker, moment)


def kinds(step: NextStep, command: str) -> list[str | None]:
    """Of which kinds the options of this command are, in their order."""
    return [one.kind for one in step.options if one.command == command]
