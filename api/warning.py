"""Warning: what is said beside the answer to a write that was taken all the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal
from uuid import UUID

import structlog
from anyio import move_on_after, to_thread
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.deps import Services
from infrastructure.orders import Answer, Outcome, Receipt
from projections.overload import overloaded

log = structlog.get_logger(__name__)
PROMISE: Final = "commitment.made"
PATIENCE_SECONDS: Final = 2.0
"""How long answers wait for the count of what is promised. What takes longer is answered without a warning."""
_DETAIL: Final = "this team has more to do than it can take on: see /v1/reports/workload"
Warnings = Mapping[int, Sequence[dict[str, Any]]]
"""What to warn of, by the position of the outcome that it stands beside."""


class Warned(BaseModel):
    """Something to think about: nothing was refused for it."""

    code: Literal["overloaded"] = "overloaded"
    team: str
    detail: str = _DETAIL


async def warnings(services: Services, answers: Iterable[Answer]) -> Warnings:
    """What to say beside these answers: of a promise, that its team has more to do than it can take on.

    Counted at the moment of the answer, also for what was recorded before. Whoever promised is answered in any
    case: without a warning where the read models cannot be asked, or not in time.
    """
    promised = [(one, said) for one in answers if isinstance(one, Outcome) and (said := _promise(one))]
    if not promised:
        return {}
    with move_on_after(PATIENCE_SECONDS):
        return await to_thread.run_sync(_counted, services, promised, abandon_on_cancel=True)
    return {}


def _promise(outcome: Outcome) -> Receipt | None:
    return next((one for one in outcome.receipts if one.topic == PROMISE), None)


def _counted(services: Services, promised: Sequence[tuple[Outcome, Receipt]]) -> Warnings:
    found: dict[int, Sequence[dict[str, Any]]] = {}
    try:
        with services.source() as source:
            for outcome, said in promised:
                recovery_id = UUID(outcome.ids["recovery_id"])
                team = overloaded(source, said.stream, recovery_id, said.position, services.clock())
                if team is not None:
                    found[outcome.position] = [Warned(team=team).model_dump()]
    except SQLAlchemyError as fault:
        log.warning("not_warned", fault=type(fault).__name__)
    return found
