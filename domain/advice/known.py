"""Known: what a customer told us and what we told him, in the words that the reader may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.kinds import Fact
from domain.moves.commitment import CommitmentKept, CommitmentMade
from domain.moves.failure import FailureReported
from domain.moves.gesture import GestureMade
from domain.moves.relationship import ExpectationRecorded
from domain.moves.remedy import RemedyDelivered


@dataclass(frozen=True)
class Expectation:
    """What matters to the customer."""

    topic: str
    importance: int
    said_by: str
    wish: str | None


@dataclass(frozen=True)
class Win:
    """A promise that was kept, or a gesture."""

    kind: str
    of: str | None
    what: str | None
    at: datetime


@dataclass(frozen=True)
class Said:
    """What the customer said when it went wrong."""

    desired_outcome: str | None
    customer_words: str | None


def visible(value: Any) -> str | None:
    """The words, or None where they are missing, withheld or erased."""
    return value if isinstance(value, str) else None


def expectations(facts: Iterable[Fact]) -> list[Expectation]:
    """What matters to him, the most important first; of each topic what was said last."""
    latest: dict[str, Expectation] = {}
    for fact in facts:
        event = fact.event
        if isinstance(event, ExpectationRecorded):
            told = Expectation(event.topic, event.importance, event.from_, visible(event.wish))
            latest[event.topic] = told
    return sorted(latest.values(), key=lambda one: (-one.importance, one.topic))


def promises(facts: Iterable[Fact]) -> dict[UUID, str | None]:
    """What was promised with each commitment."""
    made = (fact.event for fact in facts if isinstance(fact.event, CommitmentMade))
    return {event.commitment_id: visible(event.what) for event in made}


def said(facts: Iterable[Fact], recovery_id: UUID) -> Said:
    """What the customer wants and said about this failure."""
    for fact in facts:
        event = fact.event
        if isinstance(event, FailureReported) and event.recovery_id == recovery_id:
            return Said(visible(event.desired_outcome), visible(event.customer_words))
    return Said(None, None)


def wins(facts: Iterable[Fact], standing: frozenset[UUID]) -> list[Win]:
    """Promises kept and gestures made, the latest first; of remedies those that still stand."""
    told = list(facts)
    words = promises(told)
    found = [(fact, win) for fact in told if (win := _win(fact, words, standing)) is not None]
    found.sort(key=lambda one: (one[1].at, one[0].position), reverse=True)
    return [win for _, win in found]


def _win(fact: Fact, words: dict[UUID, str | None], standing: frozenset[UUID]) -> Win | None:
    event, at = fact.event, fact.occurred_at
    if isinstance(event, CommitmentKept):
        return Win("kept_promise", None, words.get(event.commitment_id), at)
    if isinstance(event, GestureMade):
        return Win("gesture", str(event.kind), None, at)
    if isinstance(event, RemedyDelivered) and event.remedy_id in standing:
        return Win("kept_promise", "remedy", None, at)
    return None
