"""Described events: what may be posted as CloudEvents, and what is answered, for the API's description."""

from typing import Any, Final

from api.openapi import ASKED

_ONE_EVENT: Final = {"$ref": "#/components/schemas/CloudEvent"}
_EVENT_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "5f0c1e9a-8a57-4a2b-9e3c-0f6d1f0f7a11",
    "source": "urn:shop:till-4",
    "type": "amends.failure.reported.v1",
    "time": "2026-03-02T09:00:00Z",
    "data": {
        "customer": {"kind": "crm", "value": "C-1042"},
        "what": "wrong_or_broken",
        "description": "Three of the six plums were rotten.",
    },
}
EVENTS_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": _ONE_EVENT, "example": _EVENT_EXAMPLE},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": _ONE_EVENT},
                "example": [_EVENT_EXAMPLE],
            },
            "application/json": {
                "schema": {"type": "object", "description": "Binary mode: the data; attributes in ce- headers."},
                "example": _EVENT_EXAMPLE["data"],
            },
        },
    }
}
EVENTS_ANSWERS: Final[dict[int | str, dict[str, Any]]] = ASKED | {
    200: {
        "description": "A batch: one result for each item, in order.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "results": {"type": "array", "items": {"$ref": "#/components/schemas/BatchResult"}}
                    },
                    "required": ["results"],
                }
            }
        },
    }
}
EVENTS_TAKEN: Final[dict[int | str, dict[str, Any]]] = {
    204: {
        "description": "What is taken, in headers.",
        "headers": {
            "Accept-Post": {"description": "The content types.", "schema": {"type": "string"}},
            "Amends-Max-Batch": {
                "description": "How many events one batch may hold.",
                "schema": {"type": "integer"},
            },
        },
    }
}
