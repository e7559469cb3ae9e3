"""CloudEvents 1.0: how other services say what happened, in three modes told apart by the Content-Type alone."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote_to_bytes
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from api.problems import MOST_ERRORS, ProblemError, refused, validation_errors, validation_failed
from api.strict_json import decode
from domain.values import Moment, unchanging

Mode = Literal["structured", "batch", "binary"]
Headers = Iterable[tuple[bytes, bytes]]
ACCEPT_POST: Final = "application/cloudevents+json, application/cloudevents-batch+json, application/json"
_JSON_TYPE: Final = re.compile(r"application/(?:[a-z0-9!#$&^_.-]+\+)?json", re.IGNORECASE)
_TRIPLET: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_REQUIRED: Final = ("specversion", "id", "source", "type")

# The specification forbids control characters in every attribute.
_Attribute = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


class CloudEvent(BaseModel):
    """One CloudEvent as it came in; attributes that mean nothing to us are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: _Attribute
    source: _Attribute
    type: _Attribute
    subject: UUID | None = None
    time: Moment | None = None
    datacontenttype: str | None = None
    correlationid: UUID | None = None
    causationid: UUID | None = None
    traceparent: str | None = None


_OURS: Final = frozenset(CloudEvent.model_fields)
_NAME: Final = re.compile("[a-z0-9]+")
_validate: Final = CloudEvent.__pydantic_validator__.validate_json


@unchanging
class Incoming:
    """A CloudEvent with its data and the attributes exactly as they were received."""

    event: CloudEvent
    data: dict[str, Any]
    received: dict[str, Any]
    where: str = "body"

    @property
    def data_at(self) -> tuple[str, ...]:
        """The steps of a JSON pointer to the data: in binary mode the body is the data."""
        return ("data",) if self.where == "body" else ()


def mode_of(content_type: str | None, headers: Headers) -> Mode:
    """Which of the three modes this request is in. Raises the 415 problem for none of them."""
    media = media_type(content_type)
    if media.startswith("application/cloudevents-batch"):
        return _only_json(media, "batch")
    if media.startswith("application/cloudevents"):
        return _only_json(media, "structured")
    if not any(name.lower().startswith(b"ce-") for name, _ in headers):
        raise unsupported(content_type, whole_event=is_json(media))
    return "binary"


def media_type(content_type: str | None) -> str:
    """The media type without its parameters. Raises the 415 problem for a character set other than UTF-8."""
    media, *parameters = [part.strip().lower() for part in (content_type or "").split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise unsupported(content_type)
    return media


def is_json(media: str) -> bool:
    """Whether a body of this media type is JSON."""
    return _JSON_TYPE.fullmatch(media) is not None


def unsupported(content_type: str | None, taken: str = ACCEPT_POST, *, whole_event: bool = False) -> ProblemError:
    """The 415 problem that says what is taken instead."""
    detail = f"{'this' if content_type else 'no'} Content-Type; send {taken}"
    if whole_event:
        detail = "a whole event needs Content-Type application/cloudevents+json; its data alone needs ce- headers"
    return ProblemError("media_type_unsupported", detail, headers={"Accept-Post": taken})


def _only_json(media: str, mode: Mode) -> Mode:
    if not media.endswith("+json"):
        raise unsupported(media)
    return mode


def structured(body: bytes) -> Incoming:
    """The event of a structured-mode body."""
    return incoming(decode(body))


def batch(body: bytes) -> list[Any]:
    """The items of a batch-mode body, not yet looked at."""
    items = decode(body)
    if not isinstance(items, list):
        raise validation_failed("", "a batch is a JSON array of CloudEvents", "list_type")
    return items


def incoming(value: Any) -> Incoming:
    """The event in one decoded JSON object."""
    if not isinstance(value, dict):
        raise validation_failed("", "a CloudEvent is a JSON object", "object_type")
    if "data_base64" in value:
        raise validation_failed("/data_base64", "the data must be JSON, under `data`", "data_base64")
    attributes = dict(value)
    data = attributes.pop("data", {})
    if not isinstance(data, dict):
        raise validation_failed("/data", "the data must be a JSON object", "object_type")
    return Incoming(_event(attributes, "body"), data, attributes)


def binary(headers: Headers, content_type: str | None, body: bytes) -> Incoming:
    """The event of a binary-mode request: attributes in `ce-` headers, data in the body."""
    attributes = _attributes(headers)
    missing = [f"ce-{name}" for name in _REQUIRED if name not in attributes]
    if missing:
        raise ProblemError("event_invalid", f"missing headers: {', '.join(missing)}", missing=missing)
    if body and not is_json(media_type(content_type)):
        raise unsupported(content_type)
    data = decode(body) if body else {}
    if not isinstance(data, dict):
        raise validation_failed("", "the data must be a JSON object", "object_type")
    return Incoming(_event(attributes, "header"), data, dict(attributes), where="header")


def _attributes(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.lower()
        if not name.startswith(b"ce-"):
            continue
        attribute = name[3:].decode("ascii", "replace")
        if attribute in found:
            raise ProblemError("header_invalid", f"the header ce-{attribute} came twice", header=f"ce-{attribute}")
        found[attribute] = header_value(raw_value, f"ce-{attribute}")
    return found


def header_value(raw: bytes, name: str) -> str:
    """The text in a `ce-` header: quotes unescaped first, then ONE round of percent-decoding.

    Source: CloudEvents 1.0.2, http-protocol-binding.md section 3.1.3.2. Raises `header_invalid` for what is no
    UTF-8 afterwards, for raw bytes outside ASCII, and for a percent sign that starts no triplet.
    """
    value = raw.strip()
    if len(value) >= 2 and value.startswith(b'"') and value.endswith(b'"'):
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    if not value.isascii() or _TRIPLET.search(value):
        raise ProblemError("header_invalid", f"{name} must be percent-encoded UTF-8", header=name)
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise ProblemError("header_invalid", f"{name} is not UTF-8 after percent-decoding", header=name) from None


def _event(attributes: dict[str, Any], where: str) -> CloudEvent:
    others = [(name, value) for name, value in attributes.items() if name not in _OURS]
    strange = [fault for name, value in others for fault in _extension_faults(name, value)]
    if strange:
        places = validation_errors(strange[:MOST_ERRORS], where=where)
        raise refused(_in_headers(places) if where == "header" else places, len(strange) - MOST_ERRORS)
    try:
        event: CloudEvent = _validate(orjson.dumps(attributes), strict=True)
    except ValidationError as error:
        found = validation_errors(error.errors(include_url=False, include_input=False), where=where)
        raise refused(_in_headers(found) if where == "header" else found) from None
    if event.datacontenttype is not None and not is_json(media_type(event.datacontenttype)):
        raise validation_failed("/datacontenttype", "the data must be JSON", "datacontenttype", where)
    return event


def _extension_faults(name: str, value: Any) -> Iterator[dict[str, Any]]:
    """What is wrong with an attribute that means nothing to us. Source: CloudEvents 1.0.2, section 3."""
    if _NAME.fullmatch(name) is None:
        yield {"loc": (name,), "type": "attribute_name", "msg": "the name of an attribute is of a-z and 0-9"}
    elif not isinstance(value, str | int | None):
        yield {"loc": (name,), "type": "attribute_value", "msg": "an attribute is a text, whole number or boolean"}


def _in_headers(errors: list[dict[str, str]]) -> list[dict[str, str]]:
    return [error | {"pointer": "ce-" + error["pointer"].lstrip("/")} for error in errors]
