"""Advice: what to do next for a customer, what to know before speaking with him, and why he should stay.

Told from the ledger itself and the standards in force, so it is never behind. It advises; nothing is recorded.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api.auth import Credential, Reading
from api.deps import services_of
from api.headers import etag
from api.reads import FRESH, CaughtUp, answer
from api.replay import of_customer
from domain.advice.advice import NextStep
from domain.advice.brief import Brief, brief
from domain.advice.next_step import next_step
from domain.advice.situation import Situation, meant, situation
from domain.advice.stay import ReasonToStay, reason_to_stay
from domain.kinds import Fact
from domain.standards.authority import Asker
from domain.values import Code, Money
from domain.vocabulary import RoleClass

router = APIRouter(tags=["advice"])
_PARAMETERS = {"parameters": FRESH}


class Asking(BaseModel):
    """Who asks, and about which recovery."""

    recovery_id: Annotated[UUID | None, Query(description="which recovery, where several are open")] = None
    role: Annotated[Code, Query(description="the role of who asks, such as barista")] = "other"
    role_class: Annotated[RoleClass, Query(description="what he may give depends on it")] = "front"

    @property
    def asker(self) -> Asker:
        """Who asks."""
        return Asker(role=self.role, role_class=self.role_class)


@router.get(
    "/v1/customers/{customer_id}/next-step",
    response_model=NextStep,
    openapi_extra=_PARAMETERS,
    dependencies=[CaughtUp],
    name="next_step",
)
def next_step_of(
    request: Request, customer_id: UUID, caller: Reading, asking: Annotated[Asking, Query()]
) -> Response:
    """The best thing to do now for a customer, why, until when, and what there is to choose from.

    `recovery_id` may be left out where one recovery is open. Any other step is taken as well: this only advises.
    """
    facts, found = _situation(request, customer_id)
    as_of = services_of(request).clock()
    recovery = meant(found, asking.recovery_id)
    return _told(
        request, facts, next_step(found, recovery, services_of(request).house(as_of), asking.asker, as_of)
    )


@router.get(
    "/v1/customers/{customer_id}/brief",
    response_model=Brief,
    openapi_extra=_PARAMETERS,
    dependencies=[CaughtUp],
    name="brief",
)
def brief_of(request: Request, customer_id: UUID, caller: Reading, asking: Annotated[Asking, Query()]) -> Response:
    """Everything to know before speaking with a customer, on one page, what he wants first.

    His own words are there for keys with the scope `personal`. `next_step` is for the recovery named, else for
    the most pressing one.
    """
    shown = _sees_words(caller)
    facts, found = _situation(request, customer_id, personal=shown)
    services = services_of(request)
    as_of = services.clock()
    recovery = found.pressing() if asking.recovery_id is None else meant(found, asking.recovery_id)
    page = brief(facts, found, recovery, services_of(request).house(as_of), asking.asker, as_of, words_shown=shown)
    return _told(request, facts, page)


@router.get(
    "/v1/customers/{customer_id}/reason-to-stay",
    response_model=ReasonToStay,
    openapi_extra=_PARAMETERS,
    dependencies=[CaughtUp],
    name="reason_to_stay",
)
def reason_of(request: Request, customer_id: UUID, caller: Reading) -> Response:
    """Why the customer should stay with us, in sentences to say, or that we have not earned a reason yet.

    Made of what matters to him, of promises kept and gestures, of what we still owe, and of the years together.
    """
    facts, found = _situation(request, customer_id, personal=_sees_words(caller))
    return _told(request, facts, reason_to_stay(facts, found, services_of(request).clock()))


def _sees_words(caller: Credential) -> bool:
    return "personal" in caller.scopes


def _situation(request: Request, customer_id: UUID, *, personal: bool = False) -> tuple[Sequence[Fact], Situation]:
    facts = of_customer(services_of(request).ledger.stream(customer_id, personal=personal), customer_id)
    return facts, situation(facts)


def _told(request: Request, facts: Sequence[Fact], body: BaseModel) -> Response:
    told = answer(request, body.model_dump(mode="json", context=Money.OUTSIDE), position=facts[-1].position)
    # The version to decide on with If-Match. Never 304: what is due changes with time though nothing was recorded.
    told.headers["ETag"] = etag(facts[-1].version)
    return told
