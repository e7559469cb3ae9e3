"""Reports asked of a ledger in which several customers' stories were told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain.kinds import Fact
from projections import ALL
from projections.base import Projection, Source
from projections.period import Period
from tests.support.careers import Career
from tests.support.given import START, Story, named_id
from tests.support.ledgers import Book, in_order


def minute(at: float) -> datetime:
    """So many minutes after the stories begin."""
    return START + timedelta(minutes=at)


def period(since: float | None = None, until: float | None = None, as_of: float = 60 * 24 * 365) -> Period:
    """A period in minutes after the stories begin; without bounds, everything as it stands a year later."""
    return Period(
        since=None if since is None else minute(since),
        until=None if until is None else minute(until),
        as_of=minute(as_of),
    )


def told(shelf: Book, *tales: Story | Career, only: Sequence[Projection] = ALL) -> Book:
    """The shelf with each of these stories told, of customers each of its own, these read models caught up."""
    facts = [fact for nth, tale in enumerate(tales) for fact in _told_of(tale, nth)]
    shelf.record(in_order(sorted(facts, key=lambda fact: fact.recorded_at)))
    shelf.projector(only).catch_up()
    return shelf


def _told_of(tale: Story | Career, nth: int) -> list[Fact]:
    if isinstance(tale, Career):
        return tale.facts
    return [
        replace(fact, stream_id=named_id(f"customer {nth}"), event_id=named_id(f"event {nth} {fact.version}"))
        for fact in tale.facts
    ]


def asked(shelf: Book, report: Callable[..., Any], within: Period | None = None, *more: Any) -> Any:
    """What this report answers of everything, or of this period."""
    source: Source
    with shelf.source() as source:
        return report(source, within or period(), *more)
