"""Learning: what the duties that look at everybody must know, read from the read models of one ledger."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.duties.learning import Tallies, learn
from domain.duties.signs import Sign
from domain.kinds import EVENTS
from domain.relationship import RelationshipEvent
from domain.standards.house import House
from infrastructure.checkpoints import folded
from infrastructure.learning import Seen
from infrastructure.passing import Part
from projections import askers, signs
from projections.base import Source
from projections.satisfaction import SatisfactionState
from projections.signs import Signs
from projections.training_rows import Training

READ: Final = (Signs.name, Training.name, SatisfactionState.name)
"""The read models that are asked: nothing is looked at before all of them have seen it."""
MOST_APART: Final = 1_000
"""Where more customers than that are stuck it is no single story that is broken, and everybody waits for a fix."""


class Known:
    """What the ledger held of others when a sign was recorded."""

    def __init__(self, source: Source, house: Callable[[datetime], House], looked_at: Sequence[Sign]) -> None:
        self._source, self._house, self._looked_at = source, house, looked_at
        self._recoveries: dict[UUID, list[Sign]] | None = None

    def team(self, sign: Sign) -> str | None:
        """The team of whoever met the obstacle, else the one that had the case."""
        return askers.team_of(self._source, sign)

    def asker(self, sign: Sign, team: str) -> UUID | None:
        """Who asks for the team."""
        return askers.asker_of(self._source, sign, team)

    def owner(self, sign: Sign) -> UUID | None:
        """Who is asked to look at the rule that blocked."""
        rule = self._house(sign.occurred_at).rule(sign.about).body
        return askers.owner_of(self._source, rule.owner, sign.position)

    def of_recovery(self, sign: Sign) -> list[Sign]:
        """All signs of its recovery up to this one."""
        if self._recoveries is None:
            # Of everybody who is looked at now, by one question.
            streams = {one.stream_id for one in self._looked_at if one.kind in ("closed", "stated")}
            self._recoveries = signs.by_recovery(self._source, streams)
        found = self._recoveries.get(sign.recovery_id, []) if sign.recovery_id else []
        return [one for one in found if one.position <= sign.position]

    def shown_before(self, sign: Sign) -> int:
        """The score of its customer before this sign."""
        return signs.shown_before(self._source, sign.stream_id, sign.position)


def look(source: Source, house: Callable[[datetime], House], part: Part, tallies: Tallies) -> Seen:
    """What follows from this part of the signs, as far as the read models have come."""
    upto, stuck = _readable(source)
    if part.of is not None:
        if part.of in stuck or upto < (part.upto or 0):
            # A rebuild came between. What cannot be read as far as everybody else's were counted waits again.
            return Seen(part.after, 0, (), part.of in stuck, stuck={part.of: part.after})
        return _counted(source, house, part, part.upto or 0, tallies)
    # Who is free waits on where what was counted of everybody cannot be read: it is his part that is counted next.
    free = part.apart.keys() - stuck.keys() if upto >= part.after else ()
    new = {one: max(at - 1, part.after) for one, at in stuck.items() if one not in part.apart and at <= upto}
    if len(part.apart) + len(new) > MOST_APART:
        upto, new = min(upto, *(at - 1 for at in stuck.values())), {}
    found = _counted(source, house, replace(part, apart={**new, **part.apart}), upto, tallies)
    return found._replace(stuck=new, free=free)


def _counted(source: Source, house: Callable[[datetime], House], part: Part, upto: int, tallies: Tallies) -> Seen:
    page = signs.page(source, part.after, upto, part.limit, part.of)
    more = len(page) == part.limit
    if more:
        # The rest of what stands at the last position may lie beyond the limit.
        upto = page[-1].position - 1
        page = [one for one in page if one.position <= upto]
    found = [one for one in page if one.position <= part.apart.get(one.stream_id, one.position)]
    asks = list(learn(found, tallies, Known(source, house, found)))
    return Seen(upto if more or not page else page[-1].position, len(page), asks, more)


def _readable(source: Source) -> tuple[int, dict[UUID, int]]:
    """How far everybody's signs can be read, and from where on they cannot of single customers.

    What is stuck of anybody else ends it for all: of whom nobody knows where he works, nobody knows who is to be
    asked in his stead.
    """
    upto, stuck = folded(source.conn, source.ledger, READ)
    upto = min([upto, *(one.position - 1 for one in stuck if not _of_customer(one.topic))])
    found: dict[UUID, int] = {}
    for one in stuck:
        found.setdefault(one.stream_id, one.position)
    return upto, found


def _of_customer(topic: str) -> bool:
    kind = EVENTS.get(topic)
    return kind is not None and issubclass(kind, RelationshipEvent)
