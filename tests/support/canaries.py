"""Canaries: personal words to be put into every personal field, and looked for everywhere afterwards."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Final, get_args
from urllib.parse import quote

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import Engine, MetaData, select

from domain.milestones import Reference
from domain.values import PersonalMark

NAME: Final = "Μαρία Παπαδοπούλου"
PHONE: Final = "+30 210 555"
TRACES: Final = (
    b"qanary",
    b"210 555",
    b"30210555",
    b"210%20555",
    b"xz-4711",
    "Μαρία".encode(),
    b"\\u039c\\u03b1\\u03c1\\u03af\\u03b1",
    quote("Μαρία").lower().encode(),
    "Μαρία".encode("utf-16-le"),
    "Μαρία".encode("utf-16-be"),
    "ΜΑΡΊΑ".encode(),
    "μαρία".encode(),
)
"""What is left of any canary in whatever spelling: name, mail, phone, number; plain, escaped, quoted.

None that a random id or hash could hold by chance: ids ended in 4711- now and then.
"""


@dataclass
class Canaries:
    """Canaries let out so far, by where they were put."""

    words: dict[str, str] = field(default_factory=dict)
    """Words that must come back to whoever may see them."""
    names: dict[str, str] = field(default_factory=dict)
    """Ids of colleagues, which are kept as pseudonyms and must never come back."""

    def word(self, place: str) -> str:
        """A new canary for a personal field."""
        n = len(self.words) + 1
        self.words[place] = f"{NAME} Qanary{n:04} {PHONE}{n:04} qanary{n:04}@mail.example XZ-4711{n:04}"
        return self.words[place]

    def colleague(self, place: str) -> str:
        """A new canary for a colleague's id."""
        n = len(self.names) + 1
        self.names[place] = f"qanary.colleague{n:04}@shop.example"
        return self.names[place]

    def fill(self, kind: type[BaseModel], fixed: dict[str, Any], place: str) -> dict[str, Any]:
        """The body of a command: what is fixed, and a canary in every personal field besides, nested ones too."""
        body = dict(fixed)
        for name, info in kind.model_fields.items():
            key, where = info.alias or name, f"{place}.{name}"
            inner = _model_of(info)
            if key in body and inner is not None and isinstance(body[key], dict):
                body[key] = self.fill(inner, body[key], where)
            elif key not in body and _is_personal(info):
                body[key] = self._personal(info, where)
            elif key not in body and name in COLLEAGUES:
                body[key] = self.colleague(where)
        return body

    def _personal(self, info: FieldInfo, where: str) -> Any:
        if Reference in _parts(info.annotation):
            return [{"kind": "email", "value": self.word(where)}]
        return self.word(where)


COLLEAGUES: Final = frozenset(("owner", "to", "by_colleague", "colleague_id", "manager"))
"""Fields that take the caller's own id of a colleague."""


def traces(found: bytes) -> list[bytes]:
    """Which canaries' traces are in these bytes."""
    # Lower case only for ASCII letters: that is all bytes know.
    return [trace for trace in TRACES if trace in found or trace in found.lower()]


def kept(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Every value of every column of every table, as bytes, with the name of the column."""
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as conn:
        for table in metadata.sorted_tables:
            for row in conn.execute(select(table)):
                for column, value in zip(table.columns, row, strict=True):
                    yield f"{table.name}.{column.name}", _bytes(value)


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def _is_personal(info: FieldInfo) -> bool:
    marks = [*info.metadata, *(mark for part in get_args(info.annotation) for mark in _marks(part))]
    return PersonalMark("customer") in marks


def _marks(part: Any) -> Iterable[Any]:
    return getattr(part, "__metadata__", ())


def _model_of(info: FieldInfo) -> type[BaseModel] | None:
    models = [one for one in _parts(info.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return models[0] if models else None


def _parts(annotation: Any) -> list[Any]:
    """The annotation and everything inside it."""
    inner = [part for one in get_args(annotation) if one is not NoneType for part in _parts(one)]
    return [annotation, *inner]
