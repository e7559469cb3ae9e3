"""Feedback: what customers said of how a colleague treated them, told to him in private, with what he said to it.

Told from the ledger itself, so it is never behind. Source: practices S2.2.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel

from api.auth import Credential, Reading, require
from api.deps import Services, services_of
from api.reads import AFTER, LIMIT, Asked, answer
from domain.dignity import KEPT
from domain.errors import NotAllowed
from domain.kinds import Fact
from domain.moves.treatment import TreatmentAnswered, TreatmentReported
from domain.values import CallerRef

router = APIRouter(tags=["colleagues"])
Himself = Annotated[
    CallerRef | None,
    Header(
        alias="Amends-Colleague",
        description="who asks, by your own id of him or the ledger's; needs the scope `act_for`",
    ),
]


class Side(BaseModel):
    """What he said to a report."""

    position: int
    occurred_at: datetime
    words: str


class TreatmentReport(BaseModel):
    """What a customer or a witness said of how he treated a customer, and his side of it."""

    position: int
    customer_id: UUID
    recovery_id: UUID | None
    treatment: str
    degree: int
    witnessed: str
    told_by: str
    after_resolution: bool
    occurred_at: datetime
    readable_until: datetime
    """After it nobody can read any more whom the report names."""
    answers: list[Side]


class FeedbackPage(BaseModel):
    """Reports that name this colleague, in the order in which they were recorded."""

    data: list[TreatmentReport]
    next: int | None
    """The `after` of the following page; None at the end."""


@router.get(
    "/v1/colleagues/{colleague_id}/feedback",
    response_model=FeedbackPage,
    openapi_extra={"parameters": [AFTER, LIMIT]},
    name="colleague_feedback",
)
def feedback(
    request: Request, colleague_id: CallerRef, caller: Reading, page: Asked, himself: Himself = None
) -> Response:
    """What customers said of how this colleague treated them, for him alone and for the personnel department.

    A key with the scope `personnel` reads it of anybody. Any other says in `Amends-Colleague` who asks, which
    needs the scope `act_for`, and reads it of him only. After 180 days it is erased whom a report names.
    """
    services, after = services_of(request), page.position
    about = services.keyring.pseudonym("colleague", colleague_id)
    _refuse_others(services, caller, about, himself)
    # Whoever erases may be late: nobody reads what is past its time all the same.
    since = services.clock() - KEPT
    # What he said to a report stands behind it: nothing before the cursor is asked for.
    facts = [fact for fact in services.ledger.about(about, after) if fact.recorded_at > since]
    return answer(request, _told(facts, after, page.limit), position=services.ledger.head())


def _refuse_others(services: Services, caller: Credential, about: UUID, asking: str | None) -> None:
    """Raises what forbids this caller to read of that colleague."""
    if "personnel" in caller.scopes:
        return
    if asking is None or services.keyring.pseudonym("colleague", asking) != about:
        raise NotAllowed("personnel")
    require(caller, "act_for")


def _told(facts: Sequence[Fact], after: int, limit: int) -> FeedbackPage:
    answers: dict[int | None, list[Side]] = {}
    for fact in facts:
        if isinstance(fact.event, TreatmentAnswered) and isinstance(fact.event.side, str):
            side = Side(position=fact.position, occurred_at=fact.occurred_at, words=fact.event.side)
            answers.setdefault(fact.event.report, []).append(side)
    reports = [
        _report(fact, fact.event, answers.get(fact.position, []))
        for fact in facts
        if isinstance(fact.event, TreatmentReported) and fact.position > after
    ]
    shown = reports[:limit]
    return FeedbackPage(data=shown, next=shown[-1].position if len(reports) > limit else None)


def _report(fact: Fact, report: TreatmentReported, answers: list[Side]) -> TreatmentReport:
    return TreatmentReport(
        position=fact.position,
        customer_id=fact.stream_id,
        recovery_id=report.recovery_id,
        treatment=report.treatment,
        degree=report.degree,
        witnessed=report.witnessed,
        told_by=report.from_,
        after_resolution=report.after_resolution,
        occurred_at=fact.occurred_at,
        readable_until=fact.recorded_at + KEPT,
        answers=answers,
    )
