"""A read model writes a few columns alone only where all others of the row would be stored as they were."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from domain.kinds import Fact
from projections import ALL
from projections.base import Folded, Key, Projection, Row
from tests.support.histories import GAPS, told
from tests.support.teller import TELLINGS

NAMING = [(one, table) for one in ALL for table in one.volatile]
CHANCE = random.Random(7)
HISTORIES = [
    told([(CHANCE.choice(GAPS), CHANCE.choice(sorted(TELLINGS)), CHANCE.randrange(2**24)) for _ in range(40)])
    for _ in range(40)
]
Change = tuple[Key, Row, Row, Row]


def _changes(projection: Projection, facts: Sequence[Fact], *, read: bool) -> Iterator[Change]:
    """Each row that takes the place of another after three facts: (key, row before, as it was stored, row now).

    With `read` they always begin with the rows as they are read, not as they were folded.
    """
    rows: dict[Key, Row] = {}
    stored: dict[Key, Row] = {}
    for start in range(0, len(facts), 3):
        before = {key: _read(projection, key, row) for key, row in stored.items()} if read else rows
        rows, touched = dict(before), set()
        for fact in facts[start : start + 3]:
            changes = projection.apply(rows, fact)
            touched |= changes.keys()
            rows = {key: row for key, row in (rows | changes).items() if row is not None}
        yield from ((key, before[key], stored[key], rows[key]) for key in touched if key in before and key in rows)
        stored |= {key: projection.stored(key, rows[key]) for key in touched if key in rows}
        stored = {key: row for key, row in stored.items() if key in rows}


def _read(projection: Projection, key: Key, stored: Row) -> Row:
    """What is read of a row to fold on from it."""
    [table] = [one for one in projection.tables if one.name == key[0]]
    needed = [one for one in table.c if one.name in stored and not one.info.get("derived")]
    return {one.name: _as_read(one.type, stored[one.name]) for one in needed}


def _as_read(kind: Any, value: Any) -> Any:
    if not isinstance(kind, Folded):
        return value
    return kind.process_result_value(kind.process_bind_param(value, None), None)


@pytest.mark.parametrize("read", [False, True], ids=["remembered", "read"])
@pytest.mark.parametrize(("projection", "table"), NAMING, ids=lambda one: getattr(one, "name", one))
def test_what_is_not_written_would_be_as_it_was(projection: Projection, table: str, read: bool):
    alone = whole = 0
    for facts in HISTORIES:
        for key, before, stored, row in _changes(projection, facts, read=read):
            if key[0] != table:
                continue
            slight = projection.only_volatile(key, before, row)
            if slight is None:
                whole += 1
                continue
            alone += 1
            assert not slight or tuple(slight) == projection.volatile[table]
            now = projection.stored(key, row)
            assert _told(projection, table, {**stored, **slight}) == _told(projection, table, now)
    assert whole
    # How often he was failed again is not read, so that this may always have changed.
    assert alone or (read and table == "satisfaction_state")


def _told(projection: Projection, table: str, row: Row) -> dict[str, Any]:
    """The row as it is written."""
    [columns] = [one.c for one in projection.tables if one.name == table]
    return {one.name: _written(one.type, row[one.name]) for one in columns if one.name in row}


def _written(kind: Any, value: Any) -> Any:
    return kind.process_bind_param(value, None) if type(kind).__name__ in ("Codes", "Folded") else value
