"""The envelope of a command: when it happened, who did it, and which customer it is about."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.auth import Credential, require
from api.problems import invalid
from domain.kinds import Actor
from domain.milestones import Reference
from domain.values import CallerRef, Code, Moment, Money
from domain.vocabulary import RoleClass

M = TypeVar("M", bound=BaseModel)
Pseudonym = Callable[[str, str], UUID]
"""(kind, the caller's own id) -> the UUID under which the ledger knows it."""


class By(BaseModel):
    """Who did it. Without it the posting service itself acts.

    A colleague is named by the caller's own id (a login, a staff number), which only keys with the scope
    `act_for` may do; the ledger keeps a pseudonym of it. `customer` says that the customer acted himself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    colleague_id: CallerRef | None = None
    role: Code | None = Field(default=None, examples=["barista"])
    role_class: RoleClass | None = Field(
        default=None, description="`front` for a colleague, `system` for a service"
    )
    customer: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> "By":
        if self.customer and (
            self.colleague_id is not None or self.role is not None or self.role_class is not None
        ):
            raise ValueError("either a colleague or the customer acted, and the customer has no role")
        return self


class Envelope(BaseModel):
    """What may stand beside a command's own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_known: bool = Field(default=True, description="false where the source knows only the day")
    imported: bool = Field(
        default=False,
        description="from another system, told long after: no clock runs, any age is taken (scope import)",
    )
    by: By | None = None


class CommandEnvelope(Envelope):
    """Beside a command posted to a customer: when it happened, too."""

    occurred_at: Moment | None = Field(default=None, description="when it happened or was told; now, if absent")


class OpeningEnvelope(CommandEnvelope):
    """Beside the fields that open a customer: the reference under which the caller knows him."""

    customer: Reference | None = None


class EventEnvelope(Envelope):
    """Beside a command in a CloudEvent: the customer by the caller's own reference, where `subject` is absent."""

    customer: Reference | None = None


RESERVED: Final = frozenset(OpeningEnvelope.model_fields)
"""Names that no command may use for a field of its own."""


def enveloped(body: dict[str, Any], envelope: type[M], at: Sequence[str | int] = ()) -> tuple[M, dict[str, Any]]:
    """The envelope, and the rest, which is the command. Raises `validation_failed`, see `parsed`."""
    names = body.keys() & _names(envelope)
    if not names:
        return cast(M, _empty(envelope)), body
    said = {name: body[name] for name in names}
    return parsed(envelope, said, at), {name: one for name, one in body.items() if name not in names}


@cache
def _names(envelope: type[BaseModel]) -> frozenset[str]:
    return frozenset(envelope.model_fields)


@cache
def _empty(envelope: type[BaseModel]) -> BaseModel:
    # What most send: nothing beside the command. It is frozen, so one does for all.
    return envelope()


def parsed(model: type[M], body: dict[str, Any], at: Sequence[str | int] = ()) -> M:
    """The model from a decoded JSON object. Raises `validation_failed` with pointers that start with `at`.

    Read as JSON once more because only JSON is strict the way callers expect: a text becomes a date or a UUID,
    but "yes" never becomes true, nor "3" a number.
    """
    try:
        # Its validator itself: to go by way of the model takes a third as long again.
        return cast(
            M, model.__pydantic_validator__.validate_json(orjson.dumps(body), strict=True, context=Money.OUTSIDE)
        )
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False), at, said=body) from None


def actor_of(by: By | None, caller: Credential, customer: UUID | None, pseudonym: Pseudonym) -> Actor:
    """Who acted, as the header will name him."""
    if by is None:
        return _service(caller.key_id)
    key = f"k:{caller.key_id}"
    if by.customer:
        # A customer known by reference only has no id yet: the key through which he spoke stands for him.
        return Actor(kind="customer", ref=key if customer is None else f"u:{customer}")
    if by.colleague_id is None:
        return Actor(kind="service", ref=key, role=by.role or "other", role_class=by.role_class or "system")
    require(caller, "act_for")
    return Actor(
        kind="colleague",
        ref=f"u:{pseudonym('colleague', by.colleague_id)}",
        role=by.role or "other",
        role_class=by.role_class or "front",
    )


@lru_cache(maxsize=1024)
def _service(key_id: str) -> Actor:
    return Actor(kind="service", ref=f"k:{key_id}")
