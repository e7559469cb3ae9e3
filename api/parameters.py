"""Parameters: an unknown name in the query is refused, for a filter misspelt would quietly show everything."""

from collections.abc import Iterator
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.problems import MOST_ERRORS, pointer, refused

_KNOWN: Final[dict[tuple[str, frozenset[str]], frozenset[str]]] = {}
"""The names each route (path and methods) knows, found out once."""


async def known_parameters(request: Request) -> None:
    """Raises `validation_failed` for parameters that this route does not describe."""
    if request.scope["query_string"]:
        _refuse_but(request, _names(request.scope["route"]))


def no_parameters(request: Request) -> None:
    """Raises `validation_failed` for any parameter at all."""
    if request.scope["query_string"]:
        _refuse_but(request, frozenset())


def _refuse_but(request: Request, known: frozenset[str]) -> None:
    unknown = [name for name in request.query_params if name not in known]
    places = [
        {
            "pointer": pointer([name]),
            "in": "query",
            "detail": "this parameter is unknown here",
            "code": "unknown_parameter",
        }
        for name in unknown[:MOST_ERRORS]
    ]
    if places:
        raise refused(places, len(unknown) - len(places))


def _names(route: APIRoute) -> frozenset[str]:
    key = route.path, frozenset(route.methods or ())
    if key not in _KNOWN:
        extra = (route.openapi_extra or {}).get("parameters", ())
        described = {one["name"] for one in extra if one["in"] == "query"}
        _KNOWN[key] = frozenset(described.union(_taken(route.dependant)))
    return _KNOWN[key]


def _taken(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from model.model_fields
        else:
            yield field.alias
    for one in dependant.dependencies:
        yield from _taken(one)
