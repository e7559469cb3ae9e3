"""The API's own description: OpenAPI 3.1, made from the routes and from the table of every command."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api.cloudevents import CloudEvent
from api.envelope import By, CommandEnvelope, Envelope
from api.examples import example_of
from api.problems import MEDIA_TYPE, PROBLEMS
from api.problems import document as problem
from api.schemas_by_hand import BATCH_RESULT, PLACE, PROBLEM
from api.warning import Warned
from domain.kinds import COMMANDS, Command
from domain.milestones import Reference
from domain.values import Moment

TAGS: Final = [
    {"name": "events", "description": "What happened, told by other services, and the ledger itself in order."},
    {"name": "customers", "description": "One customer: how he stands with us and why."},
    {"name": "commands", "description": "One route for each thing that can be recorded about a customer."},
    {"name": "advice", "description": "What to do next, what to know before, and which words to avoid."},
    {"name": "authority", "description": "What may be given, asked before it is given."},
    {"name": "standards", "description": "What the house allows, promises and advises, with versions and dates."},
    {"name": "budgets", "description": "What goodwill may cost, what it costs, and what is left."},
    {"name": "colleagues", "description": "Who works here, in which role, with what training and what questions."},
    {"name": "recoveries", "description": "The queue: what is open, the most pressing first."},
    {"name": "feed", "description": "What the team can learn from."},
    {"name": "lessons", "description": "What the house is told: drafted, approved, published, read."},
    {"name": "reports", "description": "What all recoveries together tell the house."},
    {"name": "webhooks", "description": "Which other systems are told, by signed messages, and how that goes."},
    {"name": "service", "description": "Whether the service is well, and its own documents."},
]
ABOUT: Final = """Amends keeps, for every customer, the whole story of what went wrong and how it was put right.

**Keys.** Send `Authorization: Bearer amk_...`. A key belongs to one ledger, has scopes, and owns the `source`s it
may post as.

**Who did it.** Without `by` the posting service itself is recorded as the one who acted; `by.role` and
`by.role_class` alone say which role it had (else `other` and `system`). `by.colleague_id` names a colleague by
your own id and needs the scope `act_for`; only a pseudonym of it is kept. Its `role_class` defaults to `front`;
once that colleague has joined, role and class are those recorded of him.
`by.customer: true` says that the customer acted himself.

**Times** are RFC 3339 with a zone. Without `occurred_at` it happened now.

**Money** is `{"amount": "12.50", "currency": "EUR"}`: both are strings.

**Again, safely.** Send an `Idempotency-Key` (or the id of a CloudEvent): the same request again gets the same
receipts and `Idempotency-Replayed: true`; the key with other content is refused as `key_reused`.

**Versions.** Every answer about a customer has an `ETag` such as `"v8"`. `If-Match: "v8"` refuses with
`stale_version` when somebody was faster. Reads answer 304 to `If-None-Match`.

**Reading your own writes.** A write answers with `Amends-Position`. Send it to a read as `min_position`, with
`Prefer: wait=2` to wait up to two seconds for it.

**Problems** are RFC 9457 documents; each `type` is the address of a page that explains it."""

_CONDITION: Final = "If-None-Match"
_UNCHANGED: Final = {
    "description": "What you hold is the newest.",
    "headers": {"ETag": {"description": "The version you hold.", "schema": {"type": "string"}}},
}
_NEVER_ANSWERED: Final = ("HTTPValidationError", "ValidationError")
_RULE: Final = re.compile(r" \(I-[0-9]+\)")


class RecordedEvent(BaseModel):
    """The receipt of one event: where it stands in the ledger, and the hash that proves it."""

    event_id: str
    topic: str
    stream: str
    version: int
    position: int
    leaf_hash: str


_WARNINGS: Final = "What to think about though nothing was refused. Left out where there is nothing to say."


class Recorded(BaseModel):
    """What a write answers."""

    customer_id: str
    position: int
    version: int
    ids: dict[str, str]
    receipts: list[RecordedEvent]
    warnings: list[Warned] = Field(default=[], description=_WARNINGS)


_ADDRESSED: Final[dict[type[Command], type[BaseModel]]] = {}
"""The commands whose address says a part of them, with what their bodies look like."""


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 300}
    return {"name": name, "in": "header", "description": description, "schema": schema, "example": example}


_KEY: Final = _header("Idempotency-Key", "Makes it safe to send again; quoted or bare.", '"7f3c-1"')
_IF_MATCH: Final = _header("If-Match", "The version you decided on.", '"v8"')
_IF_NONE_MATCH: Final = _header("If-None-Match", "`*`: refuse if anything is recorded already.", "*")
_TRACE: Final = _header(
    "traceparent", "W3C trace context, kept.", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)
WRITE_HEADERS: Final = [_KEY, _IF_MATCH, _IF_NONE_MATCH, _TRACE]
ANSWER_HEADERS: Final = {
    "Amends-Position": {"description": "The position of the last event.", "schema": {"type": "string"}},
    "ETag": {"description": "The customer's version.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {"description": "`true`: recorded before.", "schema": {"type": "string"}},
}
RECORDED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": Recorded, "description": "Recorded.", "headers": ANSWER_HEADERS}
}
ASKED: Final[dict[int | str, dict[str, Any]]] = RECORDED | {
    202: {"model": Recorded, "description": "Asked for: somebody else decides.", "headers": ANSWER_HEADERS}
}
KNOWN: Final[dict[int | str, dict[str, Any]]] = RECORDED | {
    200: {"model": Recorded, "description": "Known already; nothing was recorded.", "headers": ANSWER_HEADERS}
}


def operation_id(route: APIRoute) -> str:
    """The name of the function, or of the command: stable whatever the path becomes."""
    return route.name


def first_line(kind: type[BaseModel]) -> str:
    """What it is for, in one sentence."""
    return first_sentence((kind.__doc__ or kind.__name__).strip())


def first_sentence(text: str) -> str:
    """The first sentence, without its full stop and without the number of the rule behind it."""
    line = " ".join(text.partition("\n\n")[0].split()).partition(". ")[0].rstrip(".")
    return _RULE.sub("", line)


def description(kind: type[Command]) -> str:
    """What a command does and as which CloudEvents types it can be posted."""
    types = ", ".join(f"`{fact.TYPE}`" for fact in kind.FACTS)
    told = "\n".join(line.strip() for line in (kind.__doc__ or "").strip().splitlines())
    return f"{told}\n\nAs a CloudEvent: {types}." if types else told


@cache
def body_of(kind: type[Command]) -> type[BaseModel]:
    """The command with the envelope beside its fields: what a request's body looks like."""
    # A name of its own: a composition's body holds the commands themselves, without an envelope.
    return create_model(
        f"{kind.__name__}Body",
        __base__=kind,
        __doc__=kind.__doc__,
        occurred_at=(Moment | None, CommandEnvelope.model_fields["occurred_at"]),
        time_known=(bool, Envelope.model_fields["time_known"]),
        imported=(bool, Envelope.model_fields["imported"]),
        by=(By | None, Envelope.model_fields["by"]),
    )


@cache
def addressed_body_of(kind: type[Command], *said: str) -> type[BaseModel]:
    """The same without the fields that the address says already."""
    whole = body_of(kind)
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in whole.model_fields.items() if name not in said
    }
    made = create_model(whole.__name__, __config__=whole.model_config, __doc__=kind.__doc__, **fields)
    _ADDRESSED[kind] = made
    return made


@cache
def opening_body() -> type[BaseModel]:
    """The body of POST /v1/customers."""
    kind = COMMANDS["open"]
    return create_model(
        "Customer",
        __base__=body_of(kind),
        __doc__="A customer to find, or to open when nobody has heard of him.",
        customer=(Reference | None, None),
    )


def request_body(model: type[BaseModel], example: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """The part of an operation that describes its body and the headers of every write."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {"application/json": {"schema": schema, "example": dict(example)}}
    return {"requestBody": {"required": required, "content": content}, "parameters": WRITE_HEADERS}


def command_body(kind: type[Command]) -> dict[str, Any]:
    """The body and headers of one command's route."""
    example = example_of(kind)
    return request_body(body_of(kind), example, required=bool(example))


def _components() -> dict[str, Any]:
    models: list[type[BaseModel]] = [opening_body(), CloudEvent, Recorded]
    models += [_ADDRESSED.get(kind) or body_of(kind) for path, kind in COMMANDS.items() if path != "open"]
    _, made = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = made.get("$defs", {})
    data = {"type": "object", "description": "The body of the command: see /v1/schemas/{type}?as=command."}
    schemas["CloudEvent"]["properties"]["data"] = data
    return schemas | {"Problem": PROBLEM, "ProblemPlace": PLACE, "BatchResult": BATCH_RESULT}


def _problem_responses(base_url: str) -> dict[str, Any]:
    def answer(family: str, first: int) -> dict[str, Any]:
        slugs = [slug for slug, kind in PROBLEMS.items() if kind.status // 100 == first]
        examples = {slug: {"$ref": f"#/components/examples/{slug}"} for slug in slugs}
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}}
        return {"description": family, "content": content}

    return {
        "Refused": answer("Refused; the caller can act.", 4),
        "Unavailable": answer("Our fault, or too much at once; try again.", 5),
    }


def document_of(
    version: str, routes: Sequence[BaseRoute], base_url: str, max_batch: int, sent: Sequence[BaseRoute] = ()
) -> dict[str, Any]:
    """The whole document of these routes, and of what webhooks send."""
    made = get_openapi(
        title="Amends", version=version, description=ABOUT, routes=routes, webhooks=sent, tags=TAGS,
        servers=[{"url": base_url}], license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )  # fmt: skip
    components = made.setdefault("components", {})
    # FastAPI's own way to say no is never taken here.
    found = {name: one for name, one in components.get("schemas", {}).items() if name not in _NEVER_ANSWERED}
    components["schemas"] = _components() | found
    components["responses"] = _problem_responses(base_url)
    components["examples"] = {
        slug: {"summary": kind.title, "value": problem(slug, "", {}, base_url)} for slug, kind in PROBLEMS.items()
    }
    for operations in made["paths"].values():
        for verb, operation in operations.items():
            _complete(operation)
            if verb == "get" and _is_conditional(operation):
                operation["responses"]["304"] = _UNCHANGED
    for operations in made.get("webhooks", {}).values():
        for operation in operations.values():
            _complete_sent(operation)
    batch = made["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/cloudevents-batch+json"]
    batch["schema"]["maxItems"] = max_batch
    return made


def _complete(operation: dict[str, Any]) -> None:
    operation["summary"] = first_sentence(operation["description"])
    # Said where no key is needed, too: generated clients would else send one everywhere or ask for it.
    operation.setdefault("security", [])
    answers = operation["responses"]
    answers.pop("422", None)
    answers |= {"4XX": {"$ref": "#/components/responses/Refused"}}
    answers |= {"5XX": {"$ref": "#/components/responses/Unavailable"}}


def _is_conditional(operation: Mapping[str, Any]) -> bool:
    return any(one["name"] == _CONDITION for one in operation.get("parameters", ()))


def _complete_sent(operation: dict[str, Any]) -> None:
    # What the receiver's answers look like is his affair, and he needs no key of ours.
    operation["summary"] = first_sentence(operation["description"])
    operation["security"] = []
    operation["responses"].pop("422", None)
