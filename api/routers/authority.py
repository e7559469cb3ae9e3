"""Authority: what may be given, asked before it is given. The answer is that of the command itself."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ValidationError, model_validator
from pydantic_core import ErrorDetails

from api.auth import Credential, Reading, default_source
from api.deps import services_of
from api.envelope import By
from api.problems import invalid, placed
from api.reads import answer
from api.refusals import problem_of
from api.writes import Posting, order_of, rehearsed
from domain.errors import InvalidValue, Refused
from domain.moves.compensation import GrantCompensation
from domain.values import Code, Money, RecoveryId
from domain.vocabulary import Basis, CompensationKind, RoleClass

router = APIRouter(tags=["authority"])
Verdict = Literal["granted", "needs_approval", "refused"]
_VERDICTS: dict[str, Verdict] = {"compensation.granted": "granted", "compensation.requested": "needs_approval"}


class Asked(BaseModel):
    """What is to be given to whom, and by whom."""

    customer_id: UUID
    recovery_id: Annotated[RecoveryId | None, Query(description="which recovery, where several are open")] = None
    colleague: Annotated[str | None, Query(description="your own id of the colleague who gives it")] = None
    role: Code | None = None
    role_class: RoleClass | None = None
    kind: CompensationKind
    basis: Basis = "goodwill"
    amount: Annotated[str | None, Query(description="what it costs, as in 12.50")] = None
    currency: str = "EUR"
    cost_centre: Code | None = None

    @property
    def command(self) -> GrantCompensation:
        """The grant that is asked about."""
        cost = None if self.amount is None else {"amount": self.amount, "currency": self.currency}
        return GrantCompensation.model_validate(
            {
                "recovery_id": self.recovery_id,
                "kind": self.kind,
                "basis": self.basis,
                "cost": cost,
                "cost_centre": self.cost_centre,
            },
            context=Money.OUTSIDE,
        )

    @property
    def by(self) -> By | None:
        """Who gives it; None where the service does so itself."""
        if self.colleague is None:
            return None
        return By(colleague_id=self.colleague, role=self.role, role_class=self.role_class)

    @model_validator(mode="after")
    def _named(self) -> "Asked":
        if self.colleague is None and (self.role is not None or self.role_class is not None):
            raise ValueError("say which colleague has this role: a service gives as itself")
        return self


class Answered(BaseModel):
    """Whether it may be given. `problem` is what the command would answer where it may not."""

    verdict: Verdict
    problem: dict[str, Any] | None


@router.get("/v1/authority/check", response_model=Answered, name="check_authority")
def check(request: Request, caller: Reading, asked: Annotated[Asked, Query()]) -> Response:
    """Whether a compensation may be given now: alone, after approval, or not.

    It is decided as `grant-compensation` would be, on what is recorded by now, and nothing is recorded.
    """
    services = services_of(request)
    order = order_of(services, caller, _posting(asked, caller))
    found = rehearsed(services, order)
    if isinstance(found, str):
        return answer(request, Answered(verdict=_VERDICTS[found], problem=None))
    problem = problem_of(_as_asked(found), services.settings.address)
    return answer(request, Answered(verdict="refused", problem=problem))


def _as_asked(refusal: Refused) -> BaseException:
    """The same refusal, at the parameter that it is about."""
    if isinstance(refusal, InvalidValue) and refusal.field == "cost":
        refusal = InvalidValue("amount", refusal.reason)
    return placed(refusal, where="query")


def _where_asked(error: ErrorDetails) -> ErrorDetails:
    """The same fault, at the parameter that it is about instead of the command's field."""
    named = {"cost": "amount", "colleague_id": "colleague"}
    if error["loc"][:2] == ("cost", "currency"):
        return {**error, "loc": ("currency",)}
    return {**error, "loc": tuple(named.get(str(one), one) for one in error["loc"][:1])}


def _posting(asked: Asked, caller: Credential) -> Posting:
    try:
        command, by = asked.command, asked.by
    except ValidationError as error:
        raise invalid([_where_asked(one) for one in error.errors()], (), "query") from None
    return Posting(command=command, customer=asked.customer_id, source=default_source(caller), received={}, by=by)
