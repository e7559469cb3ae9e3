"""Health: whether the process lives, and whether it can do its work."""

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.deps import projected, services_of
from api.problems import ProblemError
from api.reads import answer

router = APIRouter(tags=["service"])
TOO_FAR_BEHIND: Final = 10_000
"""Events between the ledger and its read models beyond which reads are too old to be served."""


class Alive(BaseModel):
    """The process answers."""

    status: str


class Ready(BaseModel):
    """The ledger can be reached, and the read models keep up. `lag` is in events."""

    status: str
    head: int
    projected: int
    lag: int


@router.get("/healthz", response_model=Alive)
async def healthz() -> Response:
    """Whether the process lives. Asks nothing of the database."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", response_model=Ready)
def readyz(request: Request) -> Response:
    """Whether the ledger can be reached and the read models keep up; else 503."""
    services = services_of(request)
    head, reached = services.ledger.head(), projected(services)
    lag = max(0, head - reached)
    if lag > TOO_FAR_BEHIND:
        raise ProblemError("projection_behind", "the read models are too far behind", head=head, lag=lag)
    return answer(request, Ready(status="ready", head=head, projected=reached, lag=lag))
