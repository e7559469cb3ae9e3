"""Examples: a body for every kind of command, made from its fields, so that a new kind has one by itself."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from domain.publishing import PublishStandard

_ID: Final = "0192e4a0-7c3a-7b21-9f10-2f6f3c1d0a42"
SPOKEN: Final[Mapping[str, Any]] = {
    "description": "Three of the six plums were rotten.",
    "customer_words": "I paid for six plums and can eat three.",
    "desired_outcome": "Three good plums.",
    "summary": "He bakes for his daughter's birthday tonight.",
    "reason": "The receipt shows it.",
    "note": "I had misheard the order.",
    "what": "wrong_or_broken",
    "wish": "A table by the window.",
    "how": "A new box was sent by courier.",
    "value": "C-1042",
    "kind": "crm",
    "channel": "in_person",
    "remedy_kind": "replacement",
    "touchpoint": "counter",
    "severity": 2,
    "said": "admits_and_commits",
    "instrument": "CSAT",
    "amount": {"amount": "12.50", "currency": "EUR"},
    "due_at": "2026-03-02T17:00:00Z",
    "cost_centre": "care",
    "period": "2026-q4",
    "limit": {"amount": "2500.00", "currency": "EUR"},
}
"""Words for the fields that examples should not invent."""

STANDARD: Final[Mapping[str, Any]] = {
    "kind": "rule",
    "name": "courier.reschedule-before-first-attempt",
    "body": {
        "title": "No new date before the first attempt to deliver",
        "owner": "logistics",
        "hardness": "system",
        "system": "dispatch",
        "forces_failure_first": True,
    },
}
"""A standard: its kinds are too many for one to follow from the fields."""


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """A body with the required fields only, and the words that make it worth reading."""
    if issubclass(model, PublishStandard):
        return dict(STANDARD)
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    named = schema.get("properties", {})
    wanted = [*schema.get("required", []), *(name for name in ("severity", "channel") if name in named)]
    return {name: _value(name, named[name], definitions) for name in dict.fromkeys(wanted)}


def _value(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    schema = _resolved(schema, definitions)
    spoken = SPOKEN.get(name)
    if spoken is not None and _allows(schema, spoken):
        return spoken
    if schema.get("enum"):
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    return _by_type(schema, definitions)


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    while True:
        if "$ref" in schema:
            schema = definitions[str(schema["$ref"]).rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = schema["anyOf"][0]
        else:
            return schema


def _allows(schema: Mapping[str, Any], value: Any) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    kinds = {"string": str, "integer": int, "object": dict}
    return isinstance(value, kinds.get(str(schema.get("type")), ()))


def _by_type(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "object":
        inner = schema.get("properties", {})
        return {name: _value(name, inner[name], definitions) for name in schema.get("required", [])}
    if kind == "array":
        return [_value("", schema["items"], definitions)] if schema.get("minItems") else []
    if kind == "boolean":
        return True
    if kind == "integer":
        return schema.get("minimum", 1)
    return _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    formats = {"uuid": _ID, "date-time": "2026-03-02T17:00:00Z", "date": "2026-03-02"}
    return formats.get(str(schema.get("format")), "example")
