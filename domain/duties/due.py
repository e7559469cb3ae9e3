"""One thing that time makes due: when, by which duty, for which recovery, and what is then recorded."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.kinds import Event
from domain.values import unchanging


@unchanging
class Due:
    """Something that falls due."""

    at: datetime
    duty: str
    recovery_id: UUID
    # Made only once its time has come: looking for the next due time runs before every command.
    events: Callable[[], tuple[Event, ...]]
    step: str = ""

    @property
    def order(self) -> tuple[datetime, str, UUID, str]:
        """By due time, duty, recovery and step: the same on every machine and for every size of sweep."""
        return self.at, self.duty, self.recovery_id, self.step
