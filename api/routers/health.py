"""Health: whether the process lives, and whether it can do its work."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.deps import services_of
from api.looking import looks_of
from api.readiness import Ready, readiness
from api.reads import answer

router = APIRouter(tags=["service"])


class Alive(BaseModel):
    """The process answers."""

    status: str


@router.get("/healthz", response_model=Alive)
async def healthz() -> Response:
    """Whether the process lives. Asks nothing of the database."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", response_model=Ready)
async def readyz(request: Request) -> Response:
    """Whether the ledger can be reached and the read models keep up; else 503.

    A parked stream, an old snapshot or writes that fail are told, and do not take reads out of rotation.
    """
    services = services_of(request)
    found = await looks_of(request).take(services.vitals)
    return answer(request, readiness(found, services.writer.fails))
