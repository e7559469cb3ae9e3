"""Webhooks: which other systems are told that something was recorded, and how that goes."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from starlette.concurrency import run_in_threadpool

from api import openapi
from api.auth import Administering
from api.deps import Services, services_of
from api.envelope import parsed
from api.notices import ping
from api.reads import AFTER, LIMIT, Asked, answer, next_link
from api.routers.commands import read_body
from api.strict_json import decode_object
from api.webhooks import (
    DeadLetterPage,
    MadeWebhook,
    NewWebhook,
    Resend,
    RotatedSecret,
    Tried,
    WebhookChange,
    WebhookList,
    WebhookView,
    letters_of,
    shown,
    view_of,
)

router = APIRouter(tags=["webhooks"], generate_unique_id_function=openapi.operation_id)
sent = APIRouter(tags=["webhooks"], generate_unique_id_function=openapi.operation_id)
"""What receivers are sent; here to be described."""
M = TypeVar("M", bound=BaseModel)
_PATH: Final = "/v1/webhooks/{webhook_id}"
_EXAMPLE: Final = {"url": "https://crm.example.com/amends", "types": ["amends.recovery.resolved.v1"]}
_TOLD: Final[JsonDict] = {
    "type": "amends.recovery.resolved.v1",
    "timestamp": "2026-03-02T17:00:00Z",
    "data": {
        "id": "0192e4a0-7c3a-7b21-9f10-2f6f3c1d0a42",
        "ledger": "main",
        "position": 42,
        "subject": "5f0c1e9a-8a57-4a2b-9e3c-0f6d1f0f7a11",
        "version": 7,
        "recorded_at": "2026-03-02T17:00:01.5Z",
        "read": "https://amends.example.com/v1/events?after=41&limit=1",
    },
}


def _body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


async def _said(request: Request, model: type[M]) -> M:
    return parsed(model, decode_object(await read_body(request)))


@router.get("/v1/webhooks", response_model=WebhookList, name="webhooks")
def all_webhooks(request: Request, caller: Administering) -> Response:
    """The webhooks of the ledger, the oldest first, how far each has come and what is wrong with it."""
    services = services_of(request)
    now = services.clock()
    return answer(request, WebhookList(data=[shown(one, now) for one in services.webhooks.listed()]))


@router.get(_PATH, response_model=WebhookView, name="webhook")
def one_webhook(request: Request, webhook_id: UUID, caller: Administering) -> Response:
    """One webhook: where it goes, how far it has come, when it is tried next and why it failed."""
    return _shown(request, services_of(request), webhook_id)


@router.post(
    "/v1/webhooks",
    status_code=201,
    responses={201: {"model": MadeWebhook, "description": "Made. The secret is shown here and never again."}},
    openapi_extra=_body(NewWebhook, _EXAMPLE),
    name="make_webhook",
)
async def make(request: Request, caller: Administering) -> Response:
    """Let another system be told of what is recorded, by signed messages in the order of the ledger.

    Messages follow Standard Webhooks 1.0.0 (see `webhooks` in this document). They say that something happened and
    where to read it, never what happened to whom; what is about a colleague is not told. `secret` in the answer is
    what the receiver checks signatures with.
    """
    services, said = services_of(request), await _said(request, NewWebhook)
    now = services.clock()

    def made() -> MadeWebhook:
        webhook_id, secret = services.webhooks.make(said.url, said.types, said.after, now)
        return MadeWebhook(**view_of(services.webhooks.found(webhook_id), now, secret=secret))

    return _answer(await run_in_threadpool(made), 201)


@router.patch(
    _PATH,
    response_model=WebhookView,
    openapi_extra=_body(WebhookChange, {"state": "paused"}),
    name="change_webhook",
)
async def change(request: Request, webhook_id: UUID, caller: Administering) -> Response:
    """Give a webhook another address or other types, let it rest, or let it go on; it is tried at once."""
    services, said = services_of(request), await _said(request, WebhookChange)
    await run_in_threadpool(services.webhooks.change, webhook_id, said.said())
    return await run_in_threadpool(_shown, request, services, webhook_id)


@router.delete(_PATH, status_code=204, responses={204: {"description": "It is gone."}}, name="delete_webhook")
def remove(request: Request, webhook_id: UUID, caller: Administering) -> Response:
    """Tell this receiver nothing any more, and forget what was given up."""
    services_of(request).webhooks.remove(webhook_id)
    return Response(status_code=204)


@router.post(
    f"{_PATH}/rotate-secret",
    responses={200: {"model": RotatedSecret, "description": "The new secret; it is never shown again."}},
    name="rotate_webhook_secret",
)
def rotate(request: Request, webhook_id: UUID, caller: Administering) -> Response:
    """Sign with a new secret from now on, and for 24 hours with the old one, too."""
    services = services_of(request)
    now = services.clock()
    secret = services.webhooks.rotate(webhook_id, now)
    until = services.webhooks.found(webhook_id).webhook.former_until
    return _answer(RotatedSecret.model_validate({"secret": secret, "former_until": until}), 200)


@router.get(
    f"{_PATH}/dead-letters",
    response_model=DeadLetterPage,
    openapi_extra={"parameters": [AFTER, LIMIT]},
    name="dead_letters",
)
def dead_letters(request: Request, webhook_id: UUID, caller: Administering, page: Asked) -> Response:
    """What this receiver did not take for three days and was given up, with the reason."""
    services = services_of(request)
    found = letters_of(services.webhooks.dead(webhook_id, page.position, page.limit), page.limit)
    link = None if found.next is None else next_link(request, services.settings.address, found.next)
    return answer(request, found, link=link)


@router.post(
    f"{_PATH}/resend",
    status_code=202,
    responses={202: {"model": WebhookView, "description": "It will be told again."}},
    openapi_extra=_body(Resend, {"position": 42}),
    name="resend",
)
async def resend(request: Request, webhook_id: UUID, caller: Administering) -> Response:
    """Tell one event again, once, or everything after a position; receivers know it by its `webhook-id`."""
    services, said = services_of(request), await _said(request, Resend)
    now = services.clock()
    if said.after is not None:
        await run_in_threadpool(services.webhooks.tell_from, webhook_id, said.after)
    if said.position is not None:
        await run_in_threadpool(services.webhooks.tell_again, webhook_id, said.position, now)
    return _answer(await run_in_threadpool(_found, services, webhook_id), 202)


@router.post(
    f"{_PATH}/test",
    responses={200: {"model": Tried, "description": "What the receiver answered."}},
    name="test_webhook",
)
def try_out(request: Request, webhook_id: UUID, caller: Administering) -> Response:
    """Send a signed message that tells of nothing, of the type `amends.webhook.test`, and say what came of it."""
    services = services_of(request)
    tried = services.courier.ping(webhook_id, ping(services.settings.ledger, services.clock()))
    return _answer(Tried(delivered=tried.fault is None, status=tried.status, reason=tried.fault), 200)


class EventTold(BaseModel):
    """Which event it is and where it stands. `read` needs a key with the scope `read`."""

    id: UUID
    ledger: str
    position: int
    subject: UUID
    version: int
    recorded_at: datetime
    read: str


class Told(BaseModel):
    """That something was recorded."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TOLD]})

    type: str
    timestamp: datetime
    data: EventTold


@sent.post(
    "event",
    status_code=204,
    responses={204: {"description": "Taken. Any status from 200 to 299 will do; 410 ends the webhook."}},
    name="event_recorded",
)
def event_recorded(
    message: Told,
    webhook_id: Annotated[str, Header(description="The event's id: the same in every try and every resend.")],
    webhook_timestamp: Annotated[str, Header(description="When it was sent, in seconds since 1970.")],
    webhook_signature: Annotated[
        str, Header(description="`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; two while rotating.")
    ],
) -> None:
    """Something was recorded: read it, and be told of the next when you have answered.

    Check the signature over the bytes as they came, and take an id that you have seen for told already.
    """


def _found(services: Services, webhook_id: UUID) -> WebhookView:
    return shown(services.webhooks.found(webhook_id), services.clock())


def _shown(request: Request, services: Services, webhook_id: UUID) -> Response:
    return answer(request, _found(services, webhook_id))


def _answer(body: BaseModel, status: int) -> Response:
    return Response(body.model_dump_json(), status, media_type="application/json")
