"""Finality: what was given as the house allows stays given, and what it may be taken back for all the same.

Whoever is asked afterwards why he gave so much gives less the next time, and sends customers on to others. That
the house wants to allow less is said for the future, in its rules.
"""

from typing import Annotated, Final
from uuid import UUID

from domain.errors import InvalidValue, WithinAuthority
from domain.kinds import Context
from domain.recovery import Compensation, Recovery
from domain.relationship import Relationship
from domain.values import OneOf

CAUSES: Final = ("made_twice", "never_arrived", "returned", "own_mistake", "entered_in_error", "law")
"""What goodwill may be taken back for. That somebody else would have given less is none of them."""
Cause = Annotated[str, OneOf((*CAUSES, "other"))]


def refuse_challenge(
    state: Relationship, compensation_id: UUID, cause: str | None, legal_ref: str | None, at: Context
) -> None:
    """Raises WithinAuthority where taking it back would overrule whoever gave it (A-6).

    Raises InvalidValue for a cause that cannot be meant. What is owed by contract or law nobody gave by his own
    judgement, and importers tell what another system did.
    """
    recovery = next(one for one in state.recoveries.values() if compensation_id in one.compensations)
    compensation = recovery.compensations[compensation_id]
    if at.importing or compensation.basis != "goodwill" or _nobody_judged(compensation):
        return
    if cause in _NEEDS_NO_OTHER and _gave(compensation, at):
        return
    if cause not in CAUSES or cause == "own_mistake" or (cause == "entered_in_error" and not _leads(at)):
        raise WithinAuthority(CAUSES)
    if cause == "made_twice" and not _was_given_twice(state, recovery, compensation_id):
        raise InvalidValue("cause", "he was given nothing else like this for the same failure that he keeps")
    _refuse_impossible(cause, compensation, legal_ref)


_NEEDS_NO_OTHER: Final = (None, "own_mistake", "entered_in_error", "other")
"""The causes that are enough for whoever gave it."""


def _nobody_judged(compensation: Compensation) -> bool:
    """Whether it was told by an importer that named nobody: no rule was asked, and nobody is overruled."""
    return compensation.by is None and not compensation.ruled


def _gave(compensation: Compensation, at: Context) -> bool:
    """Whether he who acts gave it himself: a colleague, or with the same key a service that named none.

    What was granted because nobody had decided in time the clock gave, so it is nobody's to undo.
    """
    return at.actor.kind != "customer" and compensation.given_by == at.actor.ref


def _leads(at: Context) -> bool:
    """Whether a manager acts in his own name."""
    return at.actor.kind == "colleague" and at.actor.role_class == "manager"


def _was_given_twice(state: Relationship, recovery: Recovery, compensation_id: UUID) -> bool:
    """Whether he keeps another one that is just like it, for the same failure."""
    this = recovery.compensations[compensation_id]
    others = (
        one
        for case in state.recoveries.values()
        if case.recovery_id == recovery.recovery_id or case.similarity_key == recovery.similarity_key != ""
        for twin, one in case.compensations.items()
        if twin != compensation_id and one.stands
    )
    return any((one.kind, one.basis, one.amount) == (this.kind, this.basis, this.amount) for one in others)


def _refuse_impossible(cause: str, this: Compensation, legal_ref: str | None) -> None:
    if cause == "returned" and this.status != "delivered":
        raise InvalidValue("cause", "nobody returns what he does not have yet: an offer is turned down")
    if cause == "law" and legal_ref is None:
        raise InvalidValue("legal_ref", "say which law demands it back")
