"""Times: how far ahead of the ledger's clock what has happened may be."""

from datetime import datetime, timedelta
from typing import Final

from domain.errors import FutureEvent
from domain.kinds import Context

AHEAD: Final = timedelta(minutes=5)
"""How far a caller's clock may run before ours. Source: domain.md section 0."""


def refuse_future(field: str, moment: datetime | None, at: Context) -> None:
    """Raises FutureEvent for what lies later than any clock may say it is."""
    if moment is not None and moment > at.recorded_at + AHEAD:
        raise FutureEvent(moment.isoformat(), at.recorded_at.isoformat(), field)
