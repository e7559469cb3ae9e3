"""Codecs: how the events of each kind are read and written, and which of their fields are sealed."""

import re
from functools import lru_cache
from typing import Any, Final

import orjson

from domain.errors import Broken
from domain.kinds import Event
from domain.values import ERASED, WITHHELD, Absent
from infrastructure.facts import META

# Inside a string every quotation mark is escaped, so that this can only be the end of "sec".
_AFTER_SECTIONS: Final = b'],"stream":'
_NO_SECTION: Final = ord("[")


class Unmappable(Broken):
    """An event cannot be stored as it is: a key is missing, or a part of it is not here."""

    code = "unmappable"


class Codec:
    """What is known once for all events of a class, so that none of it is asked again for each event."""

    __slots__ = (
        "colleague",
        "dump",
        "empty",
        "hidden",
        "kind",
        "load",
        "needed",
        "personal",
        "read",
        "said",
        "topic",
    )

    def __init__(self, cls: type[Event]) -> None:
        if META in cls.model_fields:
            raise TypeError(f"{cls.__name__}: a field called {META} would hide where the event came from")
        if re.fullmatch(r"[a-z0-9._-]{1,128}", cls.TYPE) is None:
            raise TypeError(f"{cls.TYPE} cannot be the type of an event")
        if any(cls.model_fields[name].alias for name in cls.PERSONAL | cls.COLLEAGUE):
            raise TypeError(f"{cls.__name__}: a personal field with an alias would be stored in the clear")
        self.topic, self.kind = cls.TOPIC, cls.TYPE
        # How a header says it. Inside a string every quotation mark is escaped: this can only be the member.
        self.said = b'"type":"%b"' % cls.TYPE.encode()
        self.load = cls.__pydantic_validator__.validate_python
        self.read = cls.__pydantic_validator__.validate_json
        self.dump = cls.__pydantic_serializer__.to_python
        # In the order of the fields, so that the same event always gives the same sections.
        self.personal = tuple(name for name in cls.model_fields if name in cls.PERSONAL)
        self.colleague = tuple(name for name in cls.model_fields if name in cls.COLLEAGUE)
        self.needed = any(cls.model_fields[name].is_required() for name in self.personal + self.colleague)
        # An empty list says nothing of anybody: no section, and no key, for its sake.
        self.empty = frozenset(
            name for name in self.personal + self.colleague if cls.model_fields[name].default in ((), "")
        )
        self.hidden = {
            (names, absent): dict.fromkeys(names, absent)
            for names in (self.personal, self.colleague)
            for absent in (WITHHELD, ERASED)
        }


@lru_cache(maxsize=1024)
def codec_of(cls: type[Event]) -> Codec:
    """The codec of this kind of event."""
    return Codec(cls)


def payload_of(codec: Codec, event: Event) -> dict[str, Any]:
    """What the event says, as JSON takes it. Raises Unmappable when it was read without its personal part."""
    for name in codec.personal + codec.colleague:
        if isinstance(getattr(event, name), Absent):
            raise Unmappable(f"{codec.topic} was read without its {name}; it cannot be written again")
    payload: dict[str, Any] = codec.dump(event, mode="json", exclude_none=True)
    return payload


def taken(codec: Codec, names: tuple[str, ...], payload: dict[str, Any]) -> dict[str, Any]:
    """The fields of one section, taken out of the payload."""
    if not names:
        return {}
    found = {}
    for name in names:
        value = payload.pop(name, None)  # what is None was left out already
        if value is not None and (value or name not in codec.empty):
            found[name] = value
    return found


def says(codec: Codec, names: tuple[str, ...], event: Event) -> bool:
    """Whether the event says anything in one of these fields."""
    for name in names:
        value = getattr(event, name)
        if value is not None and (value or name not in codec.empty):
            return True
    return False


def withheld(codec: Codec, header: bytes) -> dict[str, Absent]:
    """What stands for each section: the header has [], [first], [first,second] or [null,second]."""
    if not (codec.personal or codec.colleague) or header[header.rindex(_AFTER_SECTIONS) - 1] == _NO_SECTION:
        return {}
    if not codec.colleague:
        return codec.hidden[codec.personal, WITHHELD]
    found: dict[str, Absent] = {}
    for names, said in zip((codec.personal, codec.colleague), orjson.loads(header)["sec"], strict=False):
        if said is not None:
            found |= codec.hidden[names, WITHHELD]
    return found
