"""Stories: the events of a page sorted by their streams, and what they do to the rows of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Table

from domain.kinds import Fact

Key = tuple[Any, ...]
Row = Mapping[str, Any]
_position: Final = attrgetter("position")


class ProjectionLike(Protocol):
    """What the runner needs to know of a projection."""

    @property
    def name(self) -> str:
        """Under which name its generations are kept."""
        ...

    @property
    def version(self) -> int:
        """Rises with every change of its rows."""
        ...

    @property
    def topics(self) -> frozenset[str] | None:
        """The kinds of events it says anything about; None: it wants to see all."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """Its tables; ledger, generation and stream_id come first in their primary keys."""
        ...

    @property
    def loaded(self) -> Sequence[Table]:
        """Those whose rows it needs to fold on, but for columns marked as derived; others only get new rows."""
        ...

    @property
    def volatile(self) -> Mapping[str, Sequence[str]]:
        """By loaded table: the columns that often change while all others stay as they are."""
        ...

    def apply(self, rows: Mapping[Key, Row], fact: Fact) -> Mapping[Key, Row | None]:
        """What a fact changes in the rows of its stream; None takes a row away."""
        ...

    def stored(self, key: Key, row: Row) -> Row:
        """The row as it is written."""
        ...

    def only_volatile(self, key: Key, before: Row, row: Row) -> Row | None:
        """The volatile columns as they are written, where nothing else differs from the row before; else None.

        Nothing in them: the row is as it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that could not be decoded."""

    stream_id: UUID
    position: int
    error: str


@dataclass(frozen=True, slots=True)
class Parked:
    """A stream that a projection cannot fold, from which event on, and why."""

    stream_id: UUID
    position: int
    error: str


Told = Fact | Unreadable
Streams = Mapping[UUID, Sequence[Told]]


class Part:
    """Some events of a page, in order. Sorted once for all read models that ask for the same of them."""

    def __init__(self, events: Sequence[Told]) -> None:
        self.events = events
        self._streams: dict[frozenset[str] | None, Streams] = {}
        self._kinds: dict[str | None, list[Told]] | None = None

    def streams(self, topics: frozenset[str] | None, after: int) -> Streams:
        """The events of these kinds (None: of all) after a position, by stream. What cannot be read may be any."""
        found = self._streams.get(topics)
        if found is None:
            found = self._streams[topics] = _by_stream(self._of(topics))
        if not self.events or self.events[0].position > after:
            return found
        later = {stream: [one for one in told if one.position > after] for stream, told in found.items()}
        return {stream: told for stream, told in later.items() if told}

    def _of(self, topics: frozenset[str] | None) -> Sequence[Told]:
        if topics is None:
            return self.events
        if self._kinds is None:
            self._kinds = _by_kind(self.events)
        some = [told for kind, told in self._kinds.items() if kind is None or kind in topics]
        return some[0] if len(some) == 1 else sorted((one for told in some for one in told), key=_position)


def _by_stream(events: Iterable[Told]) -> dict[UUID, list[Told]]:
    found: dict[UUID, list[Told]] = {}
    for one in events:
        stream = one.stream_id
        known = found.get(stream)
        if known is None:
            found[stream] = [one]
        else:
            known.append(one)
    return found


def _by_kind(events: Iterable[Told]) -> dict[str | None, list[Told]]:
    """Under None those that cannot be read."""
    found: dict[str | None, list[Told]] = {}
    for one in events:
        kind = None if isinstance(one, Unreadable) else one.event.TOPIC
        found.setdefault(kind, []).append(one)
    return found


@dataclass(slots=True)
class Story:
    """What a page of events does to the rows of one stream, before it is written."""

    rows: dict[Key, Row]
    """The rows to fold on from."""
    before: Mapping[Key, Row] = field(default_factory=dict)
    """Those that are stored, as they stood before the page."""
    touched: dict[Key, Row | None] = field(default_factory=dict)
    damaged: str | None = None
    """Why its stored rows cannot be read."""
    parked: Parked | None = None
    """Where it got stuck on this page."""

    @classmethod
    def going_on(cls, stored: Mapping[Key, Row]) -> "Story":
        """The story of a stream with these rows, which stay as they are: a page that fails changes nothing."""
        return cls(dict(stored), stored)


@dataclass(slots=True)
class Folded:
    """What a page of events does to one projection, before it is written."""

    streams: dict[UUID, Story] = field(default_factory=dict)

    @property
    def parked(self) -> list[Parked]:
        """Streams that got stuck on this page."""
        return [one.parked for one in self.streams.values() if one.parked is not None]

    def park(self, one: Parked) -> None:
        """This stream got stuck, whatever was made of it."""
        self.streams[one.stream_id] = Story({}, parked=one)
