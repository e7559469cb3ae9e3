"""The pace of who catches up: how many events to fold at once, more while that goes quickly."""

from typing import Final

FEWEST: Final = 500
MOST: Final = 5_000
"""A touched row is written once a page, so that large pages write fewer. About 40 MB of events and rows."""
QUICK_SECONDS: Final = 2.0
"""What was folded in less may be followed by twice as much; what took twice as long, by half as much."""


class Pace:
    """How many events the next page may hold, at most `most`. What is folded does not depend on it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.page = min(FEWEST, most)

    def took(self, folded: int, seconds: float) -> None:
        """A page of so many events took so long."""
        if folded >= self.page and seconds < QUICK_SECONDS:
            self.page = min(self.page * 2, self._most)
        elif seconds > 2 * QUICK_SECONDS:
            self.page = max(self.page // 2, min(FEWEST, self._most))
