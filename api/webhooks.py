"""Webhooks as callers see them: what they send, and what they are shown. A secret is shown when it is made."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.outgoing import about_colleagues
from domain.kinds import EVENTS
from domain.values import MAX_INT
from infrastructure.webhooks.addresses import LONGEST
from infrastructure.webhooks.endpoints import DeadLetter, Standing

MOST_TYPES: Final = 200


def _known(named: str) -> str:
    kinds = [event for event in EVENTS.values() if named == event.TYPE]
    if not kinds:
        raise ValueError("no event is of this type")
    if all(map(about_colleagues, kinds)):
        raise ValueError("it is about a colleague, and no webhook is told of that")
    return named


Url = Annotated[str, Field(min_length=1, max_length=LONGEST, examples=["https://crm.example.com/amends"])]
Types = Annotated[
    tuple[Annotated[str, AfterValidator(_known)], ...],
    Field(
        max_length=MOST_TYPES,
        description="only events of these types; every type, when it is empty or absent",
        examples=[["amends.recovery.resolved.v1"]],
    ),
]
Position = Annotated[int, Field(ge=0, le=MAX_INT)]


class NewWebhook(BaseModel):
    """A webhook to make."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url
    types: Types = ()
    after: Position | None = Field(
        default=None, description="tell what was recorded after this position, too; absent: only what is new"
    )


class WebhookChange(BaseModel):
    """What is to be different about a webhook: at least one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url | None = None
    types: Types | None = None
    state: Literal["active", "paused"] | None = Field(
        default=None, description="`paused` tells nothing for now; `active` goes on where it stopped"
    )

    @model_validator(mode="after")
    def _something(self) -> "WebhookChange":
        if not self.said():
            raise ValueError("say what is to be different: url, types or state")
        return self

    def said(self) -> dict[str, Any]:
        """The fields that were given."""
        return self.model_dump(exclude_none=True)


class Resend(BaseModel):
    """What is to be told again: one event, or everything after one. Exactly one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    position: Annotated[int, Field(ge=1, le=MAX_INT)] | None = Field(
        default=None, description="the event that stands there, once more, besides what is told in order"
    )
    after: Position | None = Field(default=None, description="everything recorded after this position, in order")

    @model_validator(mode="after")
    def _one_of_them(self) -> "Resend":
        if (self.position is None) == (self.after is None):
            raise ValueError("say either position or after")
        return self


class Failure(BaseModel):
    """Why the last delivery was not taken: `status` and the reason's name. The receiver's words are not kept."""

    reason: str
    status: int | None = None


class WebhookView(BaseModel):
    """A webhook: where it goes, how far it has come, and how it is doing."""

    webhook_id: str
    url: str
    types: tuple[str, ...]
    state: Literal["active", "paused", "gone"] = Field(description="`gone`: its receiver answered 410")
    position: int = Field(description="Everything up to here is done: taken, given up, or not for it.")
    behind: int = Field(description="Events after that, of whatever type.")
    failures: int = Field(description="How often what comes next was tried in vain.")
    failing_since: datetime | None = None
    last_failure: Failure | None = None
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    dead_letters: int = Field(description="Deliveries that were given up.")
    secret_rotating_until: datetime | None = Field(
        default=None, description="Until then messages carry a signature of the secret before, too."
    )
    created_at: datetime


class MadeWebhook(WebhookView):
    """A new webhook with its secret, which is never shown again."""

    secret: str = Field(examples=["whsec_..."])


class RotatedSecret(BaseModel):
    """The new secret, which is never shown again, and until when messages are signed with the old one, too."""

    secret: str = Field(examples=["whsec_..."])
    former_until: datetime


class WebhookList(BaseModel):
    """All webhooks of the ledger, the oldest first."""

    data: list[WebhookView]


class DeadLetterView(BaseModel):
    """A delivery that was given up."""

    position: int
    reason: str
    status: int | None = None
    attempts: int
    failed_at: datetime | None = None
    waiting: bool = Field(description="It is about to be sent again.")


class DeadLetterPage(BaseModel):
    """Deliveries that were given up, by position; `next` is absent on the last page."""

    data: list[DeadLetterView]
    next: int | None = None


class Tried(BaseModel):
    """What became of a test message."""

    delivered: bool
    status: int | None = None
    reason: str | None = None


def view_of(standing: Standing, now: datetime, **more: Any) -> dict[str, Any]:
    """The fields of a WebhookView."""
    one = standing.webhook
    rotating = one.former_until if one.former_until is not None and now < one.former_until else None
    return {
        "webhook_id": str(one.webhook_id),
        "url": one.url,
        "types": one.types,
        "state": one.state,
        "position": one.position,
        "behind": standing.behind,
        "failures": one.failures,
        "failing_since": one.failing_since,
        "last_failure": None if one.reason is None else {"reason": one.reason, "status": one.status},
        "next_attempt_at": one.next_at,
        "delivered_at": one.delivered_at,
        "dead_letters": standing.dead,
        "secret_rotating_until": rotating,
        "created_at": one.created_at,
        **more,
    }


def shown(standing: Standing, now: datetime) -> WebhookView:
    """The webhook as callers see it."""
    return WebhookView(**view_of(standing, now))


def letters_of(found: list[DeadLetter], limit: int) -> DeadLetterPage:
    """A page of dead letters."""
    data = [
        DeadLetterView(
            position=one.position,
            reason=one.reason,
            status=one.status,
            attempts=one.attempts,
            failed_at=one.failed_at,
            waiting=one.again,
        )
        for one in found
    ]
    return DeadLetterPage(data=data, next=data[-1].position if len(data) == limit else None)
