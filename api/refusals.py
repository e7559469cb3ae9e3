"""Refusals: how every exception becomes a problem document, and who is woken by it."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.edge import of_fault
from api.problems import PROBLEMS, ProblemError, blank, document, pointer, refused, response
from domain.errors import AmendsError, Broken

log = structlog.get_logger("amends.problems")


def problem_of(error: BaseException, base_url: str) -> dict[str, Any]:
    """The problem document of any exception. A fault of ours is logged and says nothing more."""
    if isinstance(error, ProblemError):
        return document(error.slug, error.detail, error.facts, base_url)
    if isinstance(error, AmendsError) and error.code in PROBLEMS:
        if isinstance(error, Broken):
            log.error("broken", **of_fault(error))
        return document(error.code, str(error), error.facts(), base_url)
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        log.error("unavailable", **of_fault(error))
        return document("unavailable", "the ledger cannot be reached; try again", {}, base_url)
    log.error("fault", **of_fault(error))
    return document("fault", "we have a fault; it was logged", {}, base_url)


def add_handlers(app: FastAPI, base_url: str) -> None:
    """Makes the application answer every exception with a problem."""

    async def refuse(request: Request, error: Exception) -> Response:
        headers = error.headers if isinstance(error, ProblemError) else None
        return response(problem_of(error, base_url), headers)

    async def of_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return response(blank(error.status_code, str(error.detail)), error.headers)

    async def of_validation(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        problem = refused([_told(one) for one in error.errors()])
        return response(problem_of(problem, base_url))

    for kind in (ProblemError, AmendsError, SQLAlchemyError):
        app.add_exception_handler(kind, refuse)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)


def _told(error: Mapping[str, Any]) -> dict[str, str]:
    """One complaint about a parameter, without the value it came with."""
    where, *steps = error["loc"]
    return {"pointer": pointer(steps), "in": str(where), "detail": str(error["msg"]), "code": str(error["type"])}
