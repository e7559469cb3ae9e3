"""What tests of the projector compare: the rows it made, and those that a plain fold gives."""

from sqlalchemy import select

from domain.kinds import Fact
from infrastructure.tables import generations
from projections import ALL
from projections.base import Projection, fold
from tests.support.counting import counts
from tests.support.ledgers import Book, Rows, mixed

FACTS = mixed(streams=5, tellings=60)[:300]
"""Five customers' stories, mixed: 300 facts, enough for several pages of 40."""
assert len(FACTS) == 300
POISON = next(fact for fact in FACTS[30:] if fact.event.TOPIC == "apology.made")
"""The event that a faulty read model of these tests cannot fold."""


class Misunderstood(Exception):
    """What a faulty read model raises."""


def poisoned(fact: Fact) -> None:
    """A read model that fails on one event, and says what the customer said."""
    if fact.event_id == POISON.event_id:
        raise Misunderstood("canary-words")


def expected(facts: list[Fact], *projections: Projection) -> Rows:
    """The rows that a plain fold of each stream gives, as they come back from a database."""
    streams: dict[object, list[Fact]] = {}
    for fact in facts:
        streams.setdefault(fact.stream_id, []).append(fact)
    rows: Rows = {table.name: [] for one in projections or ALL for table in one.tables}
    for one in projections or ALL:
        for stream, told in streams.items():
            for key, row in fold(one, told).items():
                rows[key[0]].append({"stream_id": stream, **row})
    return rows


def same(found: Rows, wanted: Rows) -> bool:
    """Whether both hold the same rows; structures of codes are compared as they are written."""
    return _plain(found) == _plain(wanted)


def _plain(rows: Rows) -> dict[str, list[str]]:
    tables = {table.name: table for one in ALL for table in one.tables}
    return {
        name: sorted(
            repr({c.name: _bound(c, row[c.name]) for c in tables[name].c if c.name in row}) for row in these
        )
        for name, these in rows.items()
    }


def _bound(column: object, value: object) -> object:
    kind = column.type  # type: ignore[attr-defined]
    if type(kind).__name__ in ("Codes", "Folded"):
        return kind.process_bind_param(value, None)
    return value.isoformat() if hasattr(value, "isoformat") else value


def counted(shelf: Book) -> dict[str, int]:
    """How many events of each stream the counting read model has counted."""
    live = select(generations.c.live).where(generations.c.name == "counting").scalar_subquery()
    with shelf.engine.connect() as conn:
        rows = conn.execute(select(counts.c.stream_id, counts.c.n).where(counts.c.generation == live))
        return {str(stream): n for stream, n in rows}


def truly(facts: list[Fact]) -> dict[str, int]:
    """How many events each stream has."""
    streams = [str(fact.stream_id) for fact in facts]
    return {stream: streams.count(stream) for stream in streams}
