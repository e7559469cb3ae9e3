"""Writing: a command with its envelope becomes an order, and the writer's outcome an answer."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.auth import Credential, default_source, own_source, owns, require
from api.cloudevents import Incoming
from api.deadline import answer_by
from api.deps import Services
from api.envelope import By, CommandEnvelope, EventEnvelope, actor_of, enveloped, parsed
from api.headers import etag, expected_version, idempotency_key
from api.nearest import meant, nearest
from api.noting import note_outcome, traced
from api.problems import ProblemError, placed, validation_failed
from api.said import Said
from api.tracing import traceparent
from domain.errors import AmbiguousRecovery, NotPostable, Refused, UnknownRef
from domain.kinds import COMMAND_OF_TYPE, EVENTS, Command
from domain.milestones import Reference
from domain.moves.compensation import GrantCompensation
from domain.relationship import RelationshipCommand
from domain.values import unchanging
from infrastructure.orders import Answer, Order, Outcome, Receipt

Customer = UUID | Reference | None
Warned = Sequence[dict[str, Any]]
"""What is said beside the answer to a write, by api/warning.py."""


_uuid: Final[Callable[[str], UUID]] = TypeAdapter(UUID).validator.validate_python
AWAITED: Final = frozenset(("compensation.requested",))
"""What is recorded where the thing itself needs somebody else's word first: taken, but not done."""
AWAITING: Final = frozenset((GrantCompensation,))
"""The commands by which such a thing is asked for."""


class Key(NamedTuple):
    """What makes it safe to send again, and where it stood: an event's id is no Idempotency-Key."""

    space: Literal["ce", "http"]
    value: str

    @property
    def told(self) -> str:
        """As the ledger keeps it."""
        return f"{self.space}:{self.value}"


@unchanging
class Posting:
    """One command as it came in, ready to become an order."""

    command: Command
    customer: Customer
    """Whom it is about: a customer, or the stream or reference of whatever else it is a command on."""
    source: str
    received: dict[str, Any]
    """What was said, as it was said: the content that an idempotency key stands for."""
    by: By | None = None
    occurred_at: datetime | None = None
    time_known: bool = True
    imported: bool = False
    key: Key | None = None
    if_match: int | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None
    at: tuple[str, ...] = ()
    """The steps that lead to the command in the body."""
    size: int = 0
    """How many bytes its caller sent, where there is no key; with one, the content it stands for is counted."""


def posting_of(
    request: Request,
    content: bytes,
    caller: Credential,
    envelope: CommandEnvelope,
    command: Command,
    customer: Customer,
    received: dict[str, Any],
) -> Posting:
    """The posting of a command that came in as this request, of itself and with its headers."""
    return Posting(
        command=command,
        customer=customer,
        source=default_source(caller),
        received=received,
        by=envelope.by,
        occurred_at=envelope.occurred_at,
        time_known=envelope.time_known,
        imported=envelope.imported,
        key=key_of_header(idempotency_key(request)),
        if_match=expected_version(request),
        size=len(content),
    )


def order_of(services: Services, caller: Credential, posting: Posting) -> Order:
    """The posting as the writer takes it. Raises the refusals that need no look at the ledger."""
    keyring = services.keyring
    on = posting.customer
    customer = on if isinstance(posting.command, RelationshipCommand) and isinstance(on, UUID) else None
    key = posting.key
    content = None if key is None else _content(posting)
    return Order(
        command=posting.command,
        stream=posting.customer,
        actor=actor_of(posting.by, caller, customer, keyring.pseudonym),
        source=posting.source,
        occurred_at=posting.occurred_at,
        key=None if key is None else key.told,
        fingerprint=None if content is None else keyring.fingerprint(content),
        event_id=None if key is None else _as_uuid(key),
        correlation_id=posting.correlation_id,
        causation_id=posting.causation_id,
        # What an event says of itself comes before what the request that carries it says.
        traceparent=posting.traceparent or traced(),
        if_match=posting.if_match,
        importing=_importing(caller, posting),
        time_known=posting.time_known,
        size=posting.size if content is None else len(content),
    )


def _importing(caller: Credential, posting: Posting) -> bool:
    # Said with each posting: a key that may import must not stop the clocks of everything it posts.
    if posting.imported:
        require(caller, "import")
    return posting.imported or posting.command.SCOPE == "import"


def rehearsed(services: Services, order: Order) -> str | Refused:
    """The topic of what would be recorded first, or why the order would be refused.

    Raises what is no refusal, and where nobody can tell what is meant.
    """
    answer = services.rehearsal.answer(order)
    if isinstance(answer, Outcome):
        return answer.receipts[0].topic
    if isinstance(answer, Refused) and not isinstance(answer, UnknownRef | AmbiguousRecovery):
        return answer
    raise answer


async def committed(services: Services, order: Order, at: Sequence[str] = ()) -> Outcome:
    """The outcome of this order, once it is on disk. Raises its refusal, or Unavailable when it takes too long.

    `at` leads to the command in the body.
    """
    [answer] = await answered(services, [order])
    if not isinstance(answer, Outcome):
        raise placed(answer, at)
    return answer


async def answered(services: Services, orders: Sequence[Order]) -> list[Answer]:
    """The outcomes of these orders, once they are on disk, or why there is none.

    An order that takes longer than its caller can wait is withdrawn, unless the writer has taken it: then nobody
    knows what became of it. A caller who hangs up withdraws nothing.
    """
    loop, until = asyncio.get_running_loop(), answer_by()
    all_answered: asyncio.Future[None] = loop.create_future()
    together = services.writer.hand_over(orders, partial(_tell, loop, all_answered))
    # A timer that settles it: half of what asyncio.timeout takes, which cancels and catches.
    timer = None if until is None else loop.call_at(until, _settle, all_answered)
    try:
        await all_answered
    finally:
        if timer is not None:
            timer.cancel()
    answers = together.answers()
    for answer in answers:
        if isinstance(answer, Outcome):
            note_outcome(answer)
    return answers


def _tell(loop: asyncio.AbstractEventLoop, all_answered: "asyncio.Future[None]") -> None:
    # A loop that is closed has nobody left to tell.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, all_answered)


def _settle(all_answered: "asyncio.Future[None]") -> None:
    # In time, too late, or never heard because the caller hung up: whatever came first counts.
    if not all_answered.done():
        all_answered.set_result(None)


def _content(posting: Posting) -> bytes:
    return orjson.dumps([posting.command.PATH, posting.received], option=orjson.OPT_SORT_KEYS)


def _as_uuid(key: Key) -> UUID | None:
    if len(key.value) != 36:
        return None
    try:
        # In its usual spelling, which nearly all have, four times as quickly as UUID() reads it.
        return _uuid(key.value)
    except ValidationError:
        pass
    try:
        return UUID(key.value)
    except ValueError:
        return None


def key_of_header(key: str | None) -> Key | None:
    """The key in an Idempotency-Key header."""
    return None if key is None else Key("http", key)


def of_event(incoming: Incoming, caller: Credential, if_match: int | None = None) -> Posting:
    """The posting that a CloudEvent stands for. Raises for a type, a source or data that cannot be taken."""
    event = incoming.event
    if not owns(caller, event.source):
        owned = [own_source(caller), *caller.sources]
        detail = f"this key may not post as {event.source}; it owns {', '.join(owned)}"
        raise ProblemError("source_not_owned", detail, source=event.source, owned=owned)
    kind, said = command_of(event.type), incoming.received
    require(caller, kind.SCOPE)
    envelope, body = enveloped(incoming.data, EventEnvelope, incoming.data_at)
    return Posting(
        command=parsed(kind, body, incoming.data_at),
        customer=_customer_of(incoming, envelope, opens=kind.OPENS),
        source=event.source,
        received={**{name: said[name] for name in _CONTENT & said.keys()}, "data": incoming.data},
        by=envelope.by,
        occurred_at=event.time,
        time_known=envelope.time_known,
        imported=envelope.imported,
        key=Key("ce", event.id),
        if_match=if_match,
        correlation_id=event.correlationid,
        causation_id=event.causationid,
        traceparent=traceparent(event.traceparent),
        at=incoming.data_at,
    )


_CONTENT = frozenset(("type", "subject", "time", "correlationid", "causationid"))


def command_of(event_type: str) -> type[RelationshipCommand]:
    """The command that reports facts of this CloudEvents type."""
    kind: type[Command] | None = COMMAND_OF_TYPE.get(event_type)
    if kind is not None and issubclass(kind, RelationshipCommand):
        return kind
    for topic, event in EVENTS.items():
        if event_type == event.TYPE:
            raise NotPostable(topic, elsewhere=kind is not None)
    # Only those that begin alike: a batch of many wrong types must not cost seconds.
    found = nearest(event_type, (one for one in COMMAND_OF_TYPE if _initial(one) == _initial(event_type)))
    detail = f"no event of this type is known here{meant(found)}"
    raise ProblemError("unknown_type", detail, event_type=event_type, nearest=found)


def _initial(event_type: str) -> str:
    return event_type.removeprefix("amends.")[:1]


def _customer_of(incoming: Incoming, envelope: EventEnvelope, *, opens: bool) -> Customer:
    subject = incoming.event.subject
    if subject is not None and envelope.customer is not None:
        at = "/".join(("", *incoming.data_at, "customer"))
        raise validation_failed(at, "the subject names the customer already", "two_customers")
    if subject is None and envelope.customer is None and not opens:
        detail = "say who: subject is the customer's id, or data.customer your own reference"
        raise validation_failed("/subject", detail, "missing", "body" if incoming.where == "body" else "header")
    return subject or envelope.customer


def outcome_body(outcome: Outcome, stream: str = "customer_id", warned: Warned = ()) -> dict[str, Any]:
    """What a caller is told of a write, for orjson: ids are left to it."""
    body = {
        stream: outcome.customer_id,
        "position": outcome.position,
        "version": outcome.version,
        "ids": outcome.ids,
        "receipts": _receipts(outcome.receipts),
    }
    return {**body, "warnings": warned} if warned else body


def _receipts(receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    return [
        {
            "event_id": one.event_id,
            "topic": one.topic,
            "stream": one.stream,
            "version": one.version,
            "position": one.position,
            "leaf_hash": one.leaf_hash,
        }
        for one in receipts
    ]


def recorded(outcome: Outcome, status: int = 201, stream: str = "customer_id", warned: Warned = ()) -> Response:
    """The answer to a write; `stream` is what it calls the id of what was written about."""
    if outcome.receipts and outcome.receipts[0].topic in AWAITED:
        status = 202
    headers = [
        (b"amends-position", str(outcome.position).encode()),
        (b"etag", etag(outcome.version).encode()),
    ]
    if outcome.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return Said(status, orjson.dumps(outcome_body(outcome, stream, warned)), headers)
