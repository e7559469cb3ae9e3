"""Finality: what was given as the house allows stays given, and what it may be taken back for all the same.

Whoever is asked afterwards why he gave so much gives less the next time, and sends customers on to others. That
the house wants to allow less is said for the future, in its rules.
"""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from domain.errors import InvalidValue, WithinAuthority
from domain.kinds import Context
from domain.recovery import Compensation
from domain.relationship import Relationship
from domain.values import OneOf

CAUSES: Final = ("made_twice", "never_arrived", "returned", "own_mistake", "law")
"""What goodwill may be taken back for. That somebody else would have given less is none of them."""
Cause = Annotated[str, OneOf((*CAUSES, "other"))]


def refuse_challenge(
    state: Relationship, compensation_id: UUID, cause: str | None, legal_ref: str | None, at: Context
) -> None:
    """Raises WithinAuthority where taking it back would overrule whoever gave it (A-6).

    Raises InvalidValue for a cause that cannot be meant. What is owed by contract or law nobody gave by his own
    judgement, and importers tell what another system did.
    """
    given = {one: found for recovery in state.recoveries.values() for one, found in recovery.compensations.items()}
    compensation = given[compensation_id]
    if at.importing or compensation.basis != "goodwill":
        return
    if cause in _NEEDS_NO_OTHER and _gave(compensation, at):
        return
    if cause not in CAUSES or cause == "own_mistake":
        raise WithinAuthority(CAUSES)
    _refuse_impossible(cause, compensation_id, given, legal_ref)


_NEEDS_NO_OTHER: Final = (None, "own_mistake", "other")
"""The causes that are enough for whoever gave it."""


def _gave(compensation: Compensation, at: Context) -> bool:
    """Whether he who acts gave it himself: a colleague, or a service that named none."""
    # What was granted because nobody had decided in time counts against nobody's day, and is nobody's to undo.
    by_somebody = compensation.by is not None or compensation.local_day is not None
    return by_somebody and at.actor.kind != "customer" and compensation.by == at.actor.colleague_id


def _refuse_impossible(
    cause: str, compensation_id: UUID, given: Mapping[UUID, Compensation], legal_ref: str | None
) -> None:
    this = given[compensation_id]
    alike = (one for twin, one in given.items() if twin != compensation_id and one.kind == this.kind)
    if cause == "made_twice" and not any(one.stands for one in alike):
        raise InvalidValue("cause", "he was given nothing else of this kind that he keeps")
    if cause == "returned" and this.status != "delivered":
        raise InvalidValue("cause", "nobody returns what he does not have yet: an offer is turned down")
    if cause == "law" and legal_ref is None:
        raise InvalidValue("legal_ref", "say which law demands it back")
