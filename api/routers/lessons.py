"""Lessons: what the house is to know: drafted by anybody, approved by another, published, looked at again."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api import openapi
from api.auth import Administering, Appending
from api.deps import reading, services_of
from api.house import record
from api.reads import AFTER, FRESH, LIMIT, Asked, CaughtUp, answer, next_link
from domain.errors import UnknownRef
from domain.lessons.commands import (
    ApproveLesson,
    DraftLesson,
    PublishLesson,
    ReconfirmLesson,
    RetireLesson,
    ReviseLesson,
)
from domain.lessons.lesson import LessonKind
from projections import lessons

router = APIRouter(tags=["lessons"], generate_unique_id_function=openapi.operation_id)
LESSON_ID: Final = "lesson_id"


class LessonRecorded(BaseModel):
    """What a write about a lesson answers."""

    lesson_id: str
    position: int
    version: int
    ids: dict[str, str]
    receipts: list[openapi.RecordedEvent]


_RECORDED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": LessonRecorded, "description": "Recorded.", "headers": openapi.ANSWER_HEADERS}
}
_DRAFT: Final = {
    "kind": "notice",
    "title": "Refunds up to 50.00 need no receipt",
    "text": "From Monday on nobody is asked for a receipt below 50.00. Say sorry, pay it back, write it down.",
}
_SOMEBODY: Final = {"by": {"colleague_id": "lead-1"}}


@router.get(
    "/v1/lessons",
    response_model=lessons.LessonPage,
    openapi_extra={"parameters": [AFTER, LIMIT, *FRESH]},
    dependencies=[CaughtUp],
    name="lessons",
)
def all_lessons(
    request: Request,
    caller: Administering,
    page: Asked,
    state: Annotated[lessons.State | None, Query(description="only those that have come so far")] = None,
    kind: Annotated[LessonKind | None, Query(description="only of this kind")] = None,
) -> Response:
    """Drafts and lessons in the order in which they were drafted; with `state=to_reconfirm`, those that expired.

    What is for one colleague alone is shown with the scope `personnel`.
    """
    services = services_of(request)
    with reading(services) as view:
        found = lessons.listed(
            view.source,
            services.clock(),
            state=state,
            kind=kind,
            private="personnel" in caller.scopes,
            after=page.position,
            limit=page.limit,
        )
    address = services.settings.address
    link = None if found.next is None else next_link(request, address, found.next, "state", "kind")
    return answer(request, found, position=view.position, link=link)


@router.get(
    "/v1/lessons/{lesson_id}",
    response_model=lessons.LessonDetail,
    openapi_extra={"parameters": FRESH},
    dependencies=[CaughtUp],
    name="lesson",
)
def one_lesson(request: Request, lesson_id: UUID, caller: Administering) -> Response:
    """One lesson: its wording, whom it is for, and how many of those read and acknowledged it, front and back."""
    services = services_of(request)
    with reading(services) as view:
        found = lessons.found(view.source, lesson_id, services.clock(), private="personnel" in caller.scopes)
    if found is None:
        raise UnknownRef("lesson", lesson_id)
    return answer(request, found, position=view.position)


@router.post(
    "/v1/lessons",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(DraftLesson), _DRAFT),
    name="draft_lesson",
)
async def draft(request: Request, caller: Appending) -> Response:
    """Write down what the house should know. Nobody is told before another has approved it and it is published.

    `from_recovery` draws a case study up from what was recorded of a recovery: codes and offsets only. Where
    `{name}` stands in a recognition, readers find the name of that colleague while he agrees to be named. Words
    stand in the open for ever: name nobody.
    """
    return await record(request, DraftLesson, lambda _: None, caller, stream=LESSON_ID)


@router.post(
    "/v1/lessons/{lesson_id}/approve",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(ApproveLesson), _SOMEBODY),
    name="approve_lesson",
)
async def approve(request: Request, lesson_id: UUID, caller: Administering) -> Response:
    """Say that the house may be told this wording, and that nobody is named in it.

    `by.colleague_id` says who approves: nobody whom it is about.
    """
    return await record(request, ApproveLesson, lambda _: lesson_id, caller, stream=LESSON_ID)


@router.post(
    "/v1/lessons/{lesson_id}/publish",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(PublishLesson), {}, required=False),
    name="publish_lesson",
)
async def publish(request: Request, lesson_id: UUID, caller: Administering) -> Response:
    """Tell everyone, or the `audience`: role classes, teams, roles. It holds for a year, or until `expires_at`.

    A notice must be acknowledged, unless `must_ack` says otherwise. Each new version must be read anew.
    """
    return await record(request, PublishLesson, lambda _: lesson_id, caller, stream=LESSON_ID)


@router.post(
    "/v1/lessons/{lesson_id}/revise",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(
        openapi.body_of(ReviseLesson), {"text": "From Monday on nobody is asked for a receipt at all."}
    ),
    name="revise_lesson",
)
async def revise(request: Request, lesson_id: UUID, caller: Administering) -> Response:
    """Word it anew. The version before is told until the new wording is approved and published."""
    return await record(request, ReviseLesson, lambda _: lesson_id, caller, stream=LESSON_ID)


@router.post(
    "/v1/lessons/{lesson_id}/reconfirm",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(ReconfirmLesson), {}, required=False),
    name="reconfirm_lesson",
)
async def reconfirm(request: Request, lesson_id: UUID, caller: Administering) -> Response:
    """Say that it holds still: for a year from now, or until `expires_at`. What had expired is told again."""
    return await record(request, ReconfirmLesson, lambda _: lesson_id, caller, stream=LESSON_ID)


@router.post(
    "/v1/lessons/{lesson_id}/retire",
    status_code=201,
    responses=_RECORDED,
    openapi_extra=openapi.request_body(openapi.body_of(RetireLesson), {}, required=False),
    name="retire_lesson",
)
async def retire(request: Request, lesson_id: UUID, caller: Administering) -> Response:
    """Tell it no longer. A draft that nobody wants is retired, too."""
    return await record(request, RetireLesson, lambda _: lesson_id, caller, stream=LESSON_ID)
