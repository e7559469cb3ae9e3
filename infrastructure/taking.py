"""Taking: whether the database takes what is written, as the writer met it last."""

from time import monotonic
from typing import Final

from infrastructure.engine import out_of_reach

TOLD_SECONDS: Final = 60
"""For how long a page that failed is told when nobody tried another: nobody knows how it would go by now."""


class Taking:
    """Whether the newest page that had something to write was put off for the database's sake."""

    def __init__(self) -> None:
        self._failed_at: float | None = None

    def failed(self, fault: BaseException) -> None:
        """A page was not written because of this."""
        if out_of_reach(fault):
            self._failed_at = monotonic()

    def went_well(self) -> None:
        """A page was written."""
        self._failed_at = None

    @property
    def fails(self) -> bool:
        """Whether one failed within the last minute, and none was written since."""
        since = self._failed_at
        return since is not None and monotonic() - since < TOLD_SECONDS
