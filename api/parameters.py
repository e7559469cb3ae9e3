"""Parameters: an unknown name in the query is refused, for a filter misspelt would quietly show everything."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.problems import MOST_ERRORS, pointer, refused, validation_failed
from api.times import is_time, not_a_time
from domain.written import is_written


class Known(NamedTuple):
    """The names that a route knows, and those of them that are times."""

    names: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()


_KNOWN: Final[dict[tuple[str, frozenset[str]], Known]] = {}
"""What each route (path and methods) knows, found out once."""


async def known_parameters(request: Request) -> None:
    """Raises `validation_failed` for parameters that this route does not describe."""
    if request.scope["query_string"]:
        _refuse_but(request, _known(request.scope["route"]))


def no_parameters(request: Request) -> None:
    """Raises `validation_failed` for any parameter at all."""
    if request.scope["query_string"]:
        _refuse_but(request, Known())


def _refuse_but(request: Request, known: Known) -> None:
    _refuse_no_text(request.scope["query_string"])
    unknown = [name for name in request.query_params if name not in known.names]
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
    for name, value in request.query_params.multi_items():
        if name in known.times and not is_written(value):
            raise not_a_time(name)


def _refuse_no_text(query: bytes) -> None:
    """Raises `validation_failed` where the bytes of the query are no UTF-8: read as well as can be, they would be
    another text than the one that was meant."""
    if b"%" not in query and query.isascii():
        return
    for part in query.split(b"&"):
        if not _is_text(part):
            name = unquote_to_bytes(part.partition(b"=")[0]).decode("utf-8", "replace")
            detail = "the query must be percent-encoded UTF-8"
            raise validation_failed(pointer([name]), detail, "not_utf8", "query")


def _is_text(part: bytes) -> bool:
    try:
        unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return part.isascii()


def _known(route: APIRoute) -> Known:
    key = route.path, frozenset(route.methods or ())
    if key not in _KNOWN:
        extra = (route.openapi_extra or {}).get("parameters", ())
        described = {one["name"] for one in extra if one["in"] == "query"}
        taken = dict(_taken(route.dependant))
        times = frozenset(name for name, annotation in taken.items() if is_time(annotation))
        _KNOWN[key] = Known(frozenset(described.union(taken)), times)
    return _KNOWN[key]


def _taken(dependant: Dependant) -> Iterator[tuple[str, Any]]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from ((name, inner.annotation) for name, inner in model.model_fields.items())
        else:
            yield field.alias, model
    for one in dependant.dependencies:
        yield from _taken(one)
