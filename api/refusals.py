"""Refusals: how every exception becomes a problem document, and who is woken by it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.logs import of_fault
from api.noting import note_problem
from api.problems import PROBLEMS, ProblemError, blank, document, pointer, refused, response, shortened
from domain.errors import AmendsError, Broken
from infrastructure.engine import out_of_reach

log = structlog.get_logger("amends.problems")
METHOD_NOT_ALLOWED: Final = 405
REFUSALS: Final = (ProblemError, AmendsError, SQLAlchemyError)
"""What is told as a problem wherever it is raised; anything else is a fault."""


def problem_of(error: BaseException, base_url: str) -> dict[str, Any]:
    """The problem document of any exception, which the caller is told. A fault of ours is logged."""
    problem = _problem_of(error, base_url)
    note_problem(problem["type"].rpartition("/")[2])
    return problem


def _problem_of(error: BaseException, base_url: str) -> dict[str, Any]:
    if isinstance(error, ProblemError):
        return document(error.slug, error.detail, error.facts, base_url)
    if isinstance(error, AmendsError) and error.code in PROBLEMS:
        if isinstance(error, Broken):
            log.error("broken", **of_fault(error))
        return document(error.code, str(error), error.facts(), base_url)
    if out_of_reach(error):
        log.error("unavailable", **of_fault(error))
        return document("unavailable", "the ledger cannot be reached; try again", {}, base_url)
    log.error("fault", **of_fault(error))
    return document("fault", "we have a fault; it was logged", {}, base_url)


def refusal(error: BaseException, base_url: str, *, of_write: bool) -> Response:
    """The problem of any exception as a response."""
    headers = error.headers if isinstance(error, ProblemError) else None
    problem = problem_of(error, base_url)
    if of_write and problem["type"].endswith("/unavailable"):
        # The writer says what became of an order. Where nothing is said, nothing had been handed over to it.
        problem.setdefault("recorded", "no")
    return response(problem, headers)


def add_handlers(app: FastAPI, base_url: str, allowed: Callable[[Request], Sequence[str]]) -> None:
    """Makes the application answer every exception with a problem. `allowed`: which methods an address takes."""

    async def refuse(request: Request, error: Exception) -> Response:
        return refusal(error, base_url, of_write=request.method == "POST")

    async def of_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if error.status_code != METHOD_NOT_ALLOWED:
            return response(blank(error.status_code, str(error.detail)), error.headers)
        methods = allowed(request)
        if not methods:
            return response(blank(404, "Not Found"))
        return response(blank(METHOD_NOT_ALLOWED, "Method Not Allowed"), {"Allow": ", ".join(methods)})

    async def of_validation(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        problem = refused([_told(one) for one in error.errors()])
        return response(problem_of(problem, base_url))

    for kind in REFUSALS:
        app.add_exception_handler(kind, refuse)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)


def _told(error: Mapping[str, Any]) -> dict[str, str]:
    """One complaint about a parameter, without the value it came with."""
    where, *steps = error["loc"]
    return {
        "pointer": pointer(steps),
        "in": str(where),
        "detail": shortened(str(error["msg"])),
        "code": str(error["type"]),
    }
