"""A read model whose stored state changes shape must be rebuilt: its version says so."""

from hashlib import sha256

from pydantic import TypeAdapter

from projections import ALL
from projections.base import Folded


def shape(projection: object) -> str:
    """A short name for the columns of a read model's tables and the states folded in them."""
    told = []
    for table in projection.tables:
        for column in table.c:
            told.append(f"{table.name}.{column.name}:{column.type!r}")
            if isinstance(column.type, Folded):
                told.append(repr(TypeAdapter(column.type.state).json_schema()))
    return sha256("\n".join(told).encode()).hexdigest()[:12]


def test_a_changed_shape_raises_the_version() -> None:
    """When this fails: raise `version` of the projection named, and write its new shape here."""
    assert {one.name: (one.version, shape(one)) for one in ALL} == {
        "satisfaction": (2, "cf0281eb290f"),
        "recoveries": (2, "8aa49de6722a"),
        "timeline": (1, "6eb0551a0135"),
        "feed": (2, "54f325bb574b"),
    }
