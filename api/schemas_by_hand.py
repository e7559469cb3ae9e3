"""Schemas by hand: of what is answered and has no model, as the API's description shows it."""

from typing import Final

PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "description": "An RFC 9457 problem. Further members hold the facts of the case.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemPlace"}},
    },
    "required": ["type", "title", "status"],
}
PLACE: Final = {
    "type": "object",
    "title": "ProblemPlace",
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer (RFC 6901), or the name of a header"},
        "in": {"type": "string", "enum": ["body", "query", "path", "header"]},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
    "required": ["pointer", "in", "detail", "code"],
}
BATCH_RESULT: Final = {
    "type": "object",
    "title": "BatchResult",
    "description": "What became of one item: the members of Recorded, or a problem.",
    "properties": {
        "status": {"type": "integer"},
        "replayed": {"type": "boolean"},
        "problem": {"$ref": "#/components/schemas/Problem"},
        "customer_id": {"type": "string"},
        "position": {"type": "integer"},
        "version": {"type": "integer"},
        "ids": {"type": "object", "additionalProperties": {"type": "string"}},
        "receipts": {"type": "array", "items": {"$ref": "#/components/schemas/RecordedEvent"}},
        "warnings": {"type": "array", "items": {"$ref": "#/components/schemas/Warned"}},
    },
    "required": ["status"],
}
