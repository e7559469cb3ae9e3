"""Wording: whether a message to a customer undoes the good it reports, before it is sent."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import Reading
from api.envelope import parsed
from api.reads import answer
from api.routers.commands import read_body
from api.strict_json import decode_object
from domain.phrases import Language
from domain.values import Words
from domain.wording import Found, check_wording

router = APIRouter(tags=["advice"])


class Message(BaseModel):
    """What is to be said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Words
    language: Annotated[Language | None, Field(description="look in this language only")] = None


class Wording(BaseModel):
    """What was found in it, in the order of the text; nothing found is no proof that it is kind."""

    findings: list[Found]


_EXAMPLE: Final = {"text": "Normally we charge the difference, so you are lucky today."}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Message.model_json_schema(), "example": _EXAMPLE}},
    }
}


@router.post("/v1/wording/check", response_model=Wording, openapi_extra=_BODY, name="check_wording")
async def check(request: Request, caller: Reading) -> Response:
    """What in a message should be said in another way, and how: favours, effort, blame, labels.

    It looks for English, Greek and Polish words, refuses nothing, and keeps nothing of the text.
    """
    body = await read_body(request)
    # However short the text, it is read once for every phrase we know.
    return answer(request, await run_in_threadpool(_checked, body))


def _checked(content: bytes) -> Wording:
    message = parsed(Message, decode_object(content))
    return Wording(findings=check_wording(message.text, message.language))
