"""Schemas: what the data of every kind of event looks like, as JSON Schema 2020-12."""

from typing import Any, Final

from api.openapi import body_of
from domain.kinds import COMMAND_OF_TYPE, EVENTS, Event
from domain.relationship import RelationshipCommand

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def types() -> list[str]:
    """Every CloudEvents type we know, in alphabetical order."""
    return sorted(event.TYPE for event in EVENTS.values())


def postable() -> list[str]:
    """Those that can be posted; the others only follow, or are about the house and have addresses of their own."""
    return sorted(one for one, kind in COMMAND_OF_TYPE.items() if issubclass(kind, RelationshipCommand))


def schema_of(event_type: str, *, as_command: bool = False, base_url: str = "") -> dict[str, Any] | None:
    """The schema of the event's data, or of the body by which it is posted; None for what is unknown."""
    made = _command_schema(event_type) if as_command else _event_schema(event_type)
    if made is None:
        return None
    suffix = "?as=command" if as_command else ""
    return {"$schema": DIALECT, "$id": f"{base_url}/v1/schemas/{event_type}{suffix}", **made}


def _command_schema(event_type: str) -> dict[str, Any] | None:
    kind = COMMAND_OF_TYPE.get(event_type)
    return None if kind is None else body_of(kind).model_json_schema(by_alias=True)


def _event_schema(event_type: str) -> dict[str, Any] | None:
    found: type[Event] | None = next((one for one in EVENTS.values() if event_type == one.TYPE), None)
    return None if found is None else found.model_json_schema(by_alias=True)
