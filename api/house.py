"""Posting about the house itself, its standards, budgets and colleagues: as to a customer, elsewhere addressed."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from fastapi import Request, Response

from api.aside import aside
from api.auth import Credential, require
from api.deps import services_of
from api.envelope import CommandEnvelope, enveloped, parsed
from api.routers.commands import read_body
from api.strict_json import decode_object
from api.writes import Posting, committed, order_of, posting_of, recorded
from domain.kinds import Command
from domain.milestones import Reference

C = TypeVar("C", bound=Command)
On = UUID | Reference | None
"""A stream, or the reference it is found by; None begins a new one."""
_NOTHING: Final[Mapping[str, Any]] = {}


def reference(kind: str, value: str) -> Reference:
    """A reference of a kind that only the house uses: callers cannot write it, since codes have no slash."""
    return Reference.model_construct(kind=kind, value=value)


async def record(
    request: Request,
    kind: type[C],
    on: Callable[[C], On],
    caller: Credential,
    said: Mapping[str, Any] = _NOTHING,
    stream: str = "customer_id",
    allowed: Callable[[Posting], None] = lambda posting: None,
) -> Response:
    """Records the command in this request's body, on what it is about.

    `said` are the fields that its address says already; `stream` is what the answer calls the id of that.
    `allowed` raises what forbids it to this caller.
    """
    require(caller, kind.SCOPE)
    body = await read_body(request)
    posting = await aside(body, lambda: _read(request, body, kind, on, caller, said))
    allowed(posting)
    services = services_of(request)
    return recorded(await committed(services, order_of(services, caller, posting)), stream=stream)


def _read(
    request: Request,
    content: bytes,
    kind: type[C],
    on: Callable[[C], On],
    caller: Credential,
    said: Mapping[str, Any],
) -> Posting:
    received = decode_object(content, may_be_empty=True)
    envelope, body = enveloped(received, CommandEnvelope)
    command = parsed(kind, {**body, **said})
    whole = {"on": request.url.path, "body": received}
    return posting_of(request, content, caller, envelope, command, on(command), whole)
