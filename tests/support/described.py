"""Whether an answer is what the API's description promises: its status, its media type, headers and body."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from itertools import islice
from typing import Any, Final
from uuid import UUID

from httpx2 import Response

from api.app import document

Schema = Mapping[str, Any]
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_FORMATS: Final[Mapping[str, Callable[[str], Any]]] = {
    "date-time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "uuid": UUID,
    "uri-reference": str,
    "duration": lambda told: re.fullmatch(r"-?P(?=.)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?", told)[0],  # type: ignore[index]
}
_SAID: Final = frozenset(("title", "description", "default", "examples", "example", "additionalProperties"))
_ABOUT_OBJECTS: Final = frozenset(("properties", "required", "propertyNames"))
_ABOUT_LISTS: Final = frozenset(("items", "prefixItems", "minItems", "maxItems", "uniqueItems"))
_ABOUT_ONE: Final = frozenset(
    ("$ref", "type", "enum", "const", "anyOf", "pattern", "format")
    + ("minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum")
)
KNOWN: Final = _SAID | _ABOUT_OBJECTS | _ABOUT_LISTS | _ABOUT_ONE


@cache
def described() -> Mapping[str, Any]:
    """The API's description, made once for all who look into it."""
    return document()


class Described:
    """The API's description, asked whether answers keep to it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._paths = [
            (re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))), path) for path in document["paths"]
        ]

    def operation(self, answer: Response) -> tuple[str, Mapping[str, Any]] | None:
        """The operation that was asked, with its name; None for what is not described, like a page for people."""
        asked = answer.request
        # The address without a placeholder first, as the routes stand.
        found = sorted((path for shape, path in self._paths if shape.fullmatch(asked.url.path)), key=_placeholders)
        described = self._document["paths"][found[0]].get(asked.method.lower()) if found else None
        return None if described is None else (f"{asked.method} {found[0]}", described)

    def faults(self, answer: Response) -> list[str]:
        """What the answer is or holds that the description does not have, the first ten."""
        asked = self.operation(answer)
        return (
            [] if asked is None else [f"{asked[0]}: {fault}" for fault in islice(self._of(answer, asked[1]), 10)]
        )

    def _of(self, answer: Response, operation: Mapping[str, Any]) -> Iterator[str]:
        family = f"{answer.status_code // 100}XX"
        promised = operation["responses"].get(str(answer.status_code)) or operation["responses"].get(family)
        if promised is None:
            yield f"{answer.status_code} is not described"
            return
        promised = self._at(promised)
        yield from (f"no header {name}" for name in promised.get("headers", ()) if self._lacks(answer, name))
        content = promised.get("content", {})
        media = answer.headers.get("content-type", "").partition(";")[0]
        if not content:
            yield from ([f"{answer.status_code} has a body"] if answer.content else [])
        elif media not in content:
            yield f"{answer.status_code} {media} is not described"
        elif media.endswith("json"):
            yield from self.against(answer.json(), content[media].get("schema", {}), "")

    def _lacks(self, answer: Response, name: str) -> bool:
        # Said only of what is recorded again.
        return name not in answer.headers and name != "Idempotency-Replayed"

    def _at(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self._document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema

    def against(self, value: Any, schema: Schema, at: str) -> Iterator[str]:
        """What of the value is not as the schema says (JSON Schema 2020-12, as far as our own schemas go)."""
        schema = self._at(schema)
        assert schema.keys() <= KNOWN, f"a keyword that nobody looks at here: {schema.keys() - KNOWN}"
        if "anyOf" in schema and all(any(self.against(value, one, at)) for one in schema["anyOf"]):
            yield f"{at} fits none of {len(schema['anyOf'])}"
        if "type" in schema and not _is_a(value, schema["type"]):
            yield f"{at} is no {schema['type']}"
            return
        yield from _faults_of_one(value, schema, at)
        if isinstance(value, dict):
            yield from self._of_object(value, schema, at)
        if isinstance(value, list):
            yield from self._of_list(value, schema, at)

    def _of_object(self, value: dict[str, Any], schema: Schema, at: str) -> Iterator[str]:
        yield from (f"{at}/{name} is missing" for name in schema.get("required", ()) if name not in value)
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, inner in value.items():
            yield from self.against(name, schema.get("propertyNames", {}), at)
            if name in known:
                yield from self.against(inner, known[name], f"{at}/{name}")
            elif others is False:
                yield f"{at}/{name} is not described"
            elif isinstance(others, dict):
                yield from self.against(inner, others, f"{at}/{name}")

    def _of_list(self, value: list[Any], schema: Schema, at: str) -> Iterator[str]:
        first = schema.get("prefixItems", ())
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at} holds {len(value)}"
        if schema.get("uniqueItems") and any(one in value[:nth] for nth, one in enumerate(value)):
            yield f"{at} names one twice"
        for nth, inner in enumerate(value):
            yield from self.against(
                inner, first[nth] if nth < len(first) else schema.get("items", {}), f"{at}/{nth}"
            )


def _placeholders(path: str) -> int:
    return path.count("{")


def _is_a(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _faults_of_one(value: Any, schema: Schema, at: str) -> Iterator[str]:
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{at} is another value than those described"
    if isinstance(value, str):
        yield from _faults_of_text(value, schema, at)
    if isinstance(value, int | float):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{at} is out of its range"
        if value <= schema.get("exclusiveMinimum", value - 1):
            yield f"{at} is out of its range"


def _faults_of_text(value: str, schema: Schema, at: str) -> Iterator[str]:
    if not re.search(schema.get("pattern", ""), value):
        yield f"{at} does not match {schema['pattern']}"
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{at} has {len(value)} characters"
    if "format" in schema:
        try:
            _FORMATS[schema["format"]](value)
        except (ValueError, TypeError):
            yield f"{at} is no {schema['format']}"
