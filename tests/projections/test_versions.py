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
        "recoveries": (6, "06c037ade7ca"),
        "timeline": (1, "6eb0551a0135"),
        "feed": (2, "54f325bb574b"),
        "root_causes": (1, "08415f149bb7"),
        "obstacles": (1, "4982299c6c37"),
        "process_load": (2, "780b83a3080b"),
        "clocks": (1, "365439305a02"),
        "worth": (1, "b63bc2723e57"),
        "loyalty": (1, "77e219ee2fd1"),
        "statements": (1, "3020bbcf1275"),
        "training": (1, "b9c6a6ad0f51"),
        "budgets": (1, "88d9c672b2d4"),
        "grants": (2, "fa585fabbe51"),
        "lessons": (1, "688673146c19"),
        "receipts": (1, "d590daee7478"),
        "signs": (1, "c581884d0701"),
        "arrivals": (1, "ccf5e4dbb0de"),
        "voices": (1, "bda8f85af6bb"),
        "promises": (1, "c0d0f20bf6f3"),
        "aftermath": (1, "5be42605a154"),
    }
