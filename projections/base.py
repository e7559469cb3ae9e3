"""What every read model is made of: tables whose rows belong to one stream, and a fold that fills them.

A projection folds ONE stream into rows. It reads no clock and no other stream, so a rebuild gives the same rows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain, compress, repeat
from operator import ne
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from domain.kinds import Event, Fact

K = TypeVar("K")
V = TypeVar("V")
Key = tuple[Any, ...]
"""The table's name, then the rest of the primary key after ledger, generation and stream_id."""
Row = Mapping[str, Any]
"""The columns of a row but ledger, generation and stream_id."""

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PLAIN: Final = frozenset((str, int, bool, datetime, UUID, tuple, dict, frozenset))
"""What has no fields of its own: looked for first, since nearly all values are of these."""
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


class Projection:
    """One read model. `version` rises with every change of its rows or of the state folded in them."""

    name: ClassVar[str]
    version: ClassVar[int]
    topics: ClassVar[frozenset[str] | None] = None
    """The kinds of events it says anything about; None: it wants to see all. The others cost it nothing."""
    tables: ClassVar[tuple[Table, ...]]
    loaded: ClassVar[tuple[Table, ...]]
    """The tables whose rows are needed to fold on, but for their derived columns; the others only get new rows."""
    volatile: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """By loaded table: the columns that often change while all others stay as they are."""

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> dict[Key, Row | None]:
        """What this fact changes in the rows of its stream; None takes a row away.

        Rows may hold more than is stored, and need not hold what `stored` derives.
        """
        raise NotImplementedError

    def stored(self, key: Key, row: Row) -> Row:
        """The row as it is written. Called once for a row that a page of events touched, however often."""
        return row

    def only_volatile(self, key: Key, before: Row, row: Row) -> Row | None:
        """The volatile columns as they are written, where nothing else differs from the row stored before.

        Nothing in them where the row is as it was; None where all of it must be written. What is not sure of
        being the same differs: the row before may have been read, and then says nothing but what `loaded` tables
        keep.
        """
        return None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a query reads: one ledger's rows, of the live generation of each projection.

    `generation` tells the generation of a projection by name; a plain number stands for all of them.
    """

    conn: Connection
    ledger: str
    generation: "Numbered"

    def of(self, projection: type[Projection], table: FromClause) -> "tuple[ColumnElement[bool], ...]":
        """The conditions that keep a query inside this ledger and the generation to be read."""
        return within(self.ledger, self.generation, projection, table)


Numbered = Callable[[str], ColumnElement[int]] | ColumnElement[int] | int


def within(
    ledger: str, generation: Numbered, projection: type[Projection], table: FromClause
) -> tuple[ColumnElement[bool], ...]:
    """The same for a query that is made once for all connections."""
    number = generation(projection.name) if callable(generation) else generation
    return table.c.ledger == ledger, table.c.generation == number


def projection_table(name: str, *parts: SchemaItem, key: tuple[str, ...] = ()) -> Table:
    """A table whose primary key is ledger, generation, stream_id and the columns named by `key`."""
    for part in parts:
        if isinstance(part, Column):
            part.primary_key = part.name in key
            part.nullable = part.nullable and not part.primary_key
    return Table(
        name,
        metadata,
        Column("ledger", Text, primary_key=True),
        Column("generation", Integer, primary_key=True, autoincrement=False),
        Column("stream_id", Uuid, primary_key=True),
        *parts,
    )


def derived(*columns: Column[Any]) -> tuple[Column[Any], ...]:
    """The same columns, marked as worked out by `stored` from the others: nobody who folds on reads them back."""
    for column in columns:
        column.info["derived"] = True
    return columns


def index(name: str, *columns: str, of: str) -> Index:
    """An index over one generation's rows, of those only that meet the condition which every query by it states.

    Never of all rows: while PostgreSQL knows nothing of a table yet, it takes such an index for as good as the
    primary key to find a stream's rows by, and then reads the whole generation for every stream.
    """
    # SQLite takes an index only where the query says the same word for word, and its queries say 1 for true.
    on_sqlite = text(of if " " in of else f"{of} = 1")
    return Index(name, "ledger", "generation", *columns, postgresql_where=text(of), sqlite_where=on_sqlite)


def position_column() -> Column[int]:
    """The position of the event a row comes from."""
    return Column("position", BigInteger, nullable=False, autoincrement=False)


def fold(projection: Projection, facts: Iterable[Fact]) -> dict[Key, Row]:
    """The rows of one stream as they would be stored, folded from all its facts in order."""
    rows: dict[Key, Row] = {}
    for fact in facts:
        for key, row in projection.apply(rows, fact).items():
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
    return {key: projection.stored(key, row) for key, row in rows.items()}


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """An integer where the database has no moments of its own."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """What is stored. Raises OverflowError for a moment before the year 1 or after 9999 in UTC.

        Stored, it could never be read again.
        """
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return (moment - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The moment in UTC, whatever zone the session has."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        moment: datetime = value
        return moment.astimezone(UTC)


class Folded(TypeDecorator[Any]):
    """A frozen state as canonical JSON bytes in the database, as the live object in Python.

    What the state does not say is left out: a changed default needs a new version of the projection.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, state: type) -> None:
        super().__init__()
        self.state = state
        self._adapter: TypeAdapter[Any] = TypeAdapter(state)

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """The bytes that are stored."""
        return None if value is None else written(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """The state."""
        return None if value is None else self._adapter.validate_json(value)


class Codes(TypeDecorator[Any]):
    """A small structure of codes, numbers and times, kept as canonical JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The text that is stored."""
        return None if value is None else written(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Plain dicts and lists; times stay text."""
        return None if value is None else orjson.loads(value)


def written(value: Any) -> bytes:
    """The one way to write this value as JSON: keys and sets sorted, times in UTC.

    A state and the states it holds leave their defaults out; the small values in their lists and maps, which have
    few, are written as they are: orjson does that ten times as quickly.
    """
    return orjson.dumps(_sparse(value), default=_plain, option=_OPTIONS)


def _sparse(value: Any) -> Any:
    usual = _defaults(value.__class__)
    if usual is None:
        return value
    names, defaults = usual
    given = tuple(map(vars(value).__getitem__, names))
    said = compress(zip(names, given, strict=True), map(ne, given, defaults))
    return {name: one if one.__class__ in _PLAIN else _sparse(one) for name, one in said}


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, BaseModel):
        return value.model_dump()
    raise TypeError(f"cannot write {type(value).__name__}")


@cache
def _defaults(kind: type) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
    """The fields of a dataclass, and what each holds when nothing was said; None for other classes."""
    if not is_dataclass(kind):
        return None
    return tuple(one.name for one in fields(kind)), tuple(_default(one) for one in fields(kind))


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def said(event: Event, name: str) -> Any:
    """A field of the event by name; None where its kind has none, which pydantic itself is slow to say."""
    return vars(event).get(name)


def replaced(then: Mapping[K, V], now: Mapping[K, V]) -> list[tuple[K, V]]:
    """The entries of `now` that are other objects than in `then`, or new."""
    if now is then:
        return []
    # Side by side: looking every one up by its key would cost ten times as much.
    if list(then) == list(now)[: len(then)]:
        pairs = zip(now.items(), chain(then.values(), repeat(None)), strict=False)
        return [pair for pair, known in pairs if pair[1] is not known]
    return [pair for pair in now.items() if then.get(pair[0]) is not pair[1]]


def text_list(values: Iterable[str]) -> str:
    """Codes as text that SQL can search for `,code,`; empty when there are none."""
    joined = ",".join(values)
    return f",{joined}," if joined else ""
