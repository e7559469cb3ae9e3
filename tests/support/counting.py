"""A read model for tests of the runner: it counts events, so that nothing is folded twice unseen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Column, Engine, Integer, MetaData, Table, Text, Uuid

from domain.kinds import Fact

Key = tuple[str, ...]
Row = Mapping[str, Any]
metadata = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    place = (Column("ledger", Text), Column("generation", Integer), Column("stream_id", Uuid))
    for column in place:
        column.primary_key = True
    return Table(name, metadata, *place, *columns)


counts = _table("test_counts", Column("n", Integer, nullable=False), Column("last", BigInteger, nullable=False))
seen = _table(
    "test_seen",
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", Text, nullable=False),
)


def nothing(fact: Fact) -> None:
    """Does nothing with a fact."""


@dataclass
class Counting:
    """Counts. `on_apply` sees each fact first and may raise; `spoil` may change a row before it is written."""

    name: str = "counting"
    version: int = 1
    on_apply: Callable[[Fact], None] = nothing
    spoil: Callable[[Row], Row] = dict
    forget: frozenset[str] = frozenset()
    """Kinds that take the stream's count away."""
    tables: tuple[Table, ...] = field(default=(counts, seen))
    loaded: tuple[Table, ...] = field(default=(counts,))
    topics: frozenset[str] | None = None
    volatile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """One more."""
        self.on_apply(fact)
        if fact.event.TOPIC in self.forget:
            return {("test_counts",): None}
        before = rows.get(("test_counts",), {"n": 0})
        return {
            ("test_counts",): {"n": before["n"] + self.version, "last": fact.position},
            ("test_seen", str(fact.position)): {"position": fact.position, "topic": fact.event.TOPIC},
        }

    def stored(self, key: Key, row: Row) -> Row:
        """The row, spoilt if the test wants it so."""
        return self.spoil(row)

    def only_volatile(self, key: Key, before: Row, row: Row) -> Row | None:
        """Every row is written whole."""
        return None


def create_tables(engine: Engine) -> None:
    """Makes the tables of the read model."""
    metadata.create_all(engine)
