"""Budgets: what goodwill may cost, by cost centre and period: open, raise and close them, and see what is left."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api import openapi
from api.auth import Administering, Reading
from api.deps import reading, services_of
from api.house import record, reference
from api.reads import AFTER, FRESH, LIMIT, Asked, CaughtUp, answer, next_link
from domain.budgets.commands import CloseBudget, OpenBudget, RaiseBudget
from domain.errors import UnknownRef
from domain.milestones import Reference
from domain.values import Code, Moment
from projections import budgets

router = APIRouter(tags=["budgets"], generate_unique_id_function=openapi.operation_id)
BUDGET_ID: Final = "budget_id"
_AS_OF: Final = "how much of the period is over then; the money as it stands now. Without it, now"
AsOf = Annotated[Moment | None, Query(description=_AS_OF)]


class BudgetRecorded(BaseModel):
    """What a write about a budget answers."""

    budget_id: str
    position: int
    version: int
    ids: dict[str, str]
    receipts: list[openapi.RecordedEvent]


_RECORDED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": BudgetRecorded, "description": "Recorded.", "headers": openapi.ANSWER_HEADERS}
}
_LIMIT: Final = {"amount": "2500.00", "currency": "EUR"}
_OPENING: Final = {"cost_centre": "care", "period": "2026-q4", "limit": {"amount": "2000.00", "currency": "EUR"}}


@router.get(
    "/v1/budgets",
    response_model=budgets.BudgetPage,
    openapi_extra={"parameters": [AFTER, LIMIT, *FRESH]},
    dependencies=[CaughtUp],
    name="budgets",
)
def all_budgets(
    request: Request,
    caller: Reading,
    page: Asked,
    cost_centre: Annotated[Code | None, Query(description="only of this cost centre")] = None,
    as_of: AsOf = None,
) -> Response:
    """The budgets in the order in which they were opened, with what is left and what is worth a look."""
    services = services_of(request)
    with reading(services) as view:
        found = budgets.listed(
            view.source,
            as_of or services.clock(),
            cost_centre=cost_centre,
            after=page.position,
            limit=page.limit,
        )
    address = services.settings.address
    link = None if found.next is None else next_link(request, address, found.next, "cost_centre", "as_of")
    return answer(request, found, position=view.position, link=link)


@router.get(
    "/v1/budgets/{budget_id}",
    response_model=budgets.BudgetView,
    openapi_extra={"parameters": FRESH},
    dependencies=[CaughtUp],
    name="budget",
)
def one_budget(request: Request, budget_id: UUID, caller: Reading, as_of: AsOf = None) -> Response:
    """One budget: its limit, what is set aside, spent and left, and how fast it goes."""
    services = services_of(request)
    with reading(services) as view:
        found = budgets.found(view.source, budget_id, as_of or services.clock())
    if found is None:
        raise UnknownRef("budget", budget_id)
    return answer(request, found, position=view.position)


@router.post(
    "/v1/budgets",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(OpenBudget), _OPENING),
    name="open_budget",
)
async def open_budget(request: Request, caller: Administering) -> Response:
    """Let a cost centre spend so much on goodwill in a year, a quarter, a month or a week.

    `period` is `2026`, `2026-q4`, `2026-11` or `2026-w47`, its days counted in `timezone`. Where several budgets
    of a cost centre fit a moment, the shortest period counts.
    """
    return await record(request, OpenBudget, _named, caller, stream=BUDGET_ID)


@router.post(
    "/v1/budgets/{budget_id}/raise",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(RaiseBudget), {"limit": _LIMIT}),
    name="raise_budget",
)
async def raise_budget(request: Request, budget_id: UUID, caller: Administering) -> Response:
    """Let more be spent: `limit` is the new limit in all. What was promised stays promised, so none is lowered."""
    return await record(request, RaiseBudget, lambda _: budget_id, caller, stream=BUDGET_ID)


@router.post(
    "/v1/budgets/{budget_id}/close",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(CloseBudget), {}, required=False),
    name="close_budget",
)
async def close_budget(request: Request, budget_id: UUID, caller: Administering) -> Response:
    """Promise nothing more from a budget. What was promised before is still paid."""
    return await record(request, CloseBudget, lambda _: budget_id, caller, stream=BUDGET_ID)


def _named(command: OpenBudget) -> Reference:
    return reference(*command.reference)
