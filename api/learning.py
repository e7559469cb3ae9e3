"""Learning: what the duties that look at everybody must know, read from the read models of one ledger."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.duties.learning import Tallies, learn
from domain.duties.signs import Sign
from domain.standards.house import House
from infrastructure.generations import settled
from infrastructure.learning import Seen
from projections import askers, signs
from projections.base import Source
from projections.satisfaction import SatisfactionState
from projections.signs import Signs
from projections.training_rows import Training

READ: Final = (Signs.name, Training.name, SatisfactionState.name)
"""The read models that are asked: nothing is looked at before all of them have seen it."""


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


def look(source: Source, house: Callable[[datetime], House], after: int, limit: int, tallies: Tallies) -> Seen:
    """What follows from the next signs after a position, as far as the read models have come."""
    upto = settled(source.conn, source.ledger, READ)
    found = signs.page(source, after, upto, limit)
    more = len(found) == limit
    if more:
        # The rest of what stands at the last position may lie beyond the limit.
        upto = found[-1].position - 1
        found = [one for one in found if one.position <= upto]
    asks = list(learn(found, tallies, Known(source, house, found)))
    return Seen(upto if more or not found else found[-1].position, len(found), asks, more)
