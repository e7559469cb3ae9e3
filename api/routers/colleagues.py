"""Colleagues: who works here, in which role, with what training, and the help they ask for."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response, Security
from pydantic import BaseModel

import domain.colleagues  # noqa: F401 - every command must be known before its route is made
from api import openapi
from api.auth import Administering, Credential, caller_of, require
from api.deps import Services, services_of
from api.headers import etag
from api.house import record
from api.reads import IF_NONE_MATCH, answer
from api.writes import Posting
from domain.colleagues.asking import HelpAnswered, HelpAsked, HelpEscalated
from domain.colleagues.state import Absence, Colleague, ColleagueCommand
from domain.errors import NotAllowed, UnknownRef
from domain.kinds import COMMANDS, Fact
from domain.values import CallerRef, Money

router = APIRouter(tags=["colleagues"], generate_unique_id_function=openapi.operation_id)


class DayUsed(BaseModel):
    """What he gave out of his own judgement on one day of his."""

    local_day: date
    amounts: list[Money]


class HelpRequest(BaseModel):
    """A request for help and what became of it. Words are shown with the scope `personal` only."""

    help_id: UUID
    kind: str
    topic: str
    asked_at: datetime
    due_at: datetime | None
    status: Literal["open", "planned", "refused"] = "open"
    escalated: bool = False
    """Nobody had answered in time."""
    note: str | None = None
    plan: str | None = None
    reason: str | None = None


class ColleagueState(BaseModel):
    """A colleague as the ledger knows him: his post, what he may draw on, and the help he asked for."""

    colleague_id: UUID
    version: int
    position: int
    here: bool
    role: str | None
    role_class: str | None
    team: str | None
    manager: UUID | None
    capacity: int | None
    absence: Absence | None
    training: list[str]
    authority_used: list[DayUsed]
    """Of the last days on which he gave anything."""
    help: list[HelpRequest]
    may_be_named: bool


class ColleagueRecorded(BaseModel):
    """What a write about a colleague answers."""

    colleague_id: str
    position: int
    version: int
    ids: dict[str, str]
    receipts: list[openapi.RecordedEvent]


_RECORDED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": ColleagueRecorded, "description": "Recorded.", "headers": openapi.ANSWER_HEADERS}
}


@router.get(
    "/v1/colleagues/{colleague_id}",
    response_model=ColleagueState,
    openapi_extra={"parameters": [IF_NONE_MATCH]},
    name="colleague",
)
def colleague(request: Request, colleague_id: CallerRef, caller: Administering) -> Response:
    """One colleague: his role, team and training, what he gave these days, and the help he asked for.

    `colleague_id` is your own id of him, as in `by.colleague_id`, or the UUID under which the ledger knows him.
    """
    services = services_of(request)
    facts = services.ledger.stream(_known_as(services, colleague_id), personal="personal" in caller.scopes)
    state = Colleague.begun(_known_as(services, colleague_id))
    for fact in facts:
        state = state.after(fact)
    if not state.version or state.strange:
        raise UnknownRef("colleague", state.colleague_id)
    shown = _shown(state, facts).model_dump(mode="json", context=Money.OUTSIDE)
    return answer(request, shown, position=state.position, tag=etag(state.version))


def _mount(path: str, kind: type[ColleagueCommand]) -> None:
    router.add_api_route(
        f"/v1/colleagues/{{colleague_id}}/{path}",
        _endpoint(kind),
        methods=["POST"],
        name=path.replace("-", "_"),
        summary=openapi.first_line(kind),
        description="\n".join(line.strip() for line in (kind.__doc__ or "").strip().splitlines()),
        status_code=201,
        responses=_RECORDED,
        openapi_extra=openapi.command_body(kind),
    )


def _endpoint(kind: type[ColleagueCommand]) -> Callable[..., Awaitable[Response]]:
    async def post_command(
        request: Request,
        colleague_id: CallerRef,
        caller: Annotated[Credential, Security(caller_of, scopes=[kind.SCOPE])],
    ) -> Response:
        known_as = _known_as(services_of(request), colleague_id)
        return await record(
            request,
            kind,
            lambda _: known_as,
            caller,
            stream="colleague_id",
            allowed=lambda posting: _refuse_for_others(request, posting, known_as, caller),
        )

    return post_command


def _refuse_for_others(request: Request, posting: Posting, about: UUID, caller: Credential) -> None:
    """Raises NotAllowed where a key without the scope admin does not speak for the colleague himself."""
    if "admin" in caller.scopes:
        return
    by = posting.by.colleague_id if posting.by else None
    if by is None or _known_as(services_of(request), by) != about:
        raise NotAllowed("admin")
    require(caller, "act_for")


def _known_as(services: Services, colleague_id: str) -> UUID:
    return services.keyring.pseudonym("colleague", colleague_id)


def _shown(state: Colleague, facts: Sequence[Fact]) -> ColleagueState:
    copied = ("colleague_id", "version", "position", "here", "role", "role_class", "team", "manager", "capacity")
    used = [
        DayUsed(local_day=day, amounts=[Money(minor=minor, currency=one) for one, minor in sorted(of_day.items())])
        for day, of_day in sorted(state.used.items())
    ]
    return ColleagueState(
        **{name: getattr(state, name) for name in copied},
        absence=state.absence,
        training=sorted(state.training),
        authority_used=used,
        help=_help(facts),
        may_be_named=state.may_be_named,
    )


def _help(facts: Sequence[Fact]) -> list[HelpRequest]:
    """Every request, in the order in which they were made."""
    found: dict[UUID, HelpRequest] = {}
    for fact in facts:
        match fact.event:
            case HelpAsked() as asked:
                found[asked.help_id] = _asked(asked, fact)
            case HelpEscalated(help_id=help_id):
                found[help_id] = found[help_id].model_copy(update={"escalated": True})
            case HelpAnswered() as said:
                answered = {"status": "refused" if said.refused else "planned"}
                words = {"plan": _words(said.plan), "reason": _words(said.reason)}
                found[said.help_id] = found[said.help_id].model_copy(update={**answered, **words})
    return list(found.values())


def _asked(asked: HelpAsked, fact: Fact) -> HelpRequest:
    return HelpRequest(
        help_id=asked.help_id,
        kind=asked.kind,
        topic=asked.topic,
        asked_at=fact.occurred_at,
        due_at=asked.due_at,
        note=_words(asked.note),
    )


def _words(said: Any) -> str | None:
    """What may be shown of it: nothing where it is withheld or erased."""
    return said if isinstance(said, str) else None


for _path, _kind in sorted(COMMANDS.items()):
    if issubclass(_kind, ColleagueCommand):
        _mount(_path, _kind)
