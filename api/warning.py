"""Warning: what is said beside the answer to a write that was taken all the same."""

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import structlog
from anyio import move_on_after, to_thread
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.auth import Credential
from api.deps import Services
from infrastructure.orders import Answer, Order, Outcome
from projections.base import Source
from projections.overload import overloaded, team_of

log = structlog.get_logger(__name__)
PROMISE: Final = "commitment.made"
PATIENCE_SECONDS: Final = 2.0
"""How long answers wait for the count of what is promised. What takes longer is answered without a warning."""
_DETAIL: Final = "this team has more to do than it can take on: see /v1/reports/workload"
Warnings = Mapping[int, Sequence[dict[str, Any]]]
"""What to warn of, by the place of the answer that it stands beside."""


class Warned(BaseModel):
    """Something to think about: nothing was refused for it."""

    code: Literal["overloaded"] = "overloaded"
    team: str
    detail: str = _DETAIL


class _Promise(NamedTuple):
    at: int
    """The place of its answer."""
    customer_id: UUID
    recovery_id: UUID
    position: int


async def warnings(services: Services, caller: Credential, told: Iterable[tuple[Order, Answer]]) -> Warnings:
    """What to say beside these answers: of a promise, that its team has more to do than it can take on.

    Counted at the moment of the answer, also for what was recorded before, and said to whoever may read the report
    of it: not to the customer, nor of what another system did. Whoever promised is answered in any case: without a
    warning where the read models cannot be asked, or not in time.
    """
    promised = list(_promises(told)) if "read" in caller.scopes else []
    if not promised:
        return {}
    found: dict[int, Sequence[dict[str, Any]]] = {}
    until = monotonic() + PATIENCE_SECONDS
    with move_on_after(PATIENCE_SECONDS):
        await to_thread.run_sync(_count, services, promised, until, found, abandon_on_cancel=True)
    # A copy: whoever counts too long may still be at it.
    return dict(found)


def _promises(told: Iterable[tuple[Order, Answer]]) -> Iterable[_Promise]:
    for at, (order, answer) in enumerate(told):
        if order.importing or order.actor.kind == "customer" or not isinstance(answer, Outcome):
            continue
        said = next((one for one in answer.receipts if one.topic == PROMISE), None)
        if said is not None:
            yield _Promise(at, said.stream, UUID(answer.ids["recovery_id"]), said.position)


def _count(
    services: Services, promised: Sequence[_Promise], until: float, found: dict[int, Sequence[dict[str, Any]]]
) -> None:
    """Adds to what is found, until the time is over."""
    try:
        with services.source() as source:
            counts = _Counts(source, services)
            for one in promised:
                if monotonic() >= until:
                    return
                team = counts.overloaded(one) if len(promised) == 1 else counts.of_team(one)
                if team is not None:
                    found[one.at] = [Warned(team=team).model_dump()]
    except SQLAlchemyError as fault:
        log.warning("not_warned", fault=type(fault).__name__)


class _Counts:
    """What many promises make of each team, counted once."""

    def __init__(self, source: Source, services: Services) -> None:
        self._source, self._now = source, services.clock()
        self._known: dict[str | None, str | None] = {None: None}

    def overloaded(self, one: _Promise) -> str | None:
        """The team of this promise, where it is more than that can take on."""
        return overloaded(self._source, one.customer_id, one.recovery_id, one.position, self._now)

    def of_team(self, one: _Promise) -> str | None:
        """The same, as it was counted for the first promise of its team."""
        team = team_of(self._source, one.customer_id, one.recovery_id)
        if team not in self._known:
            self._known[team] = self.overloaded(one)
        return self._known[team]
