"""The pace of who catches up: how many events to fold at once, more while that goes quickly, and when to rest."""

from typing import Final

FEWEST: Final = 500
MOST: Final = 10_000
"""A touched row is written once a page, so that large pages write fewer. What waits to be written takes 50 MB."""
QUICK_SECONDS: Final = 2.0
"""What was folded in less may be followed by twice as much; what took twice as long, by half as much."""

LEAST_REST_SECONDS: Final = 0.01
MOST_REST_SECONDS: Final = 0.25


def rest_after(worked_seconds: float) -> float:
    """How long to let events gather after a page that was not full, and took so many seconds of the processor.

    As long as it worked, so that it never takes more than half of one. While few events come, a page takes
    milliseconds, and so does the rest. The more come, the longer it works and rests, up to the most: pages grow,
    and what a page costs besides its events falls on many of them. Waiting for the database does not count as
    work: after a page that was held up nobody should wait twice.
    """
    return min(max(worked_seconds, LEAST_REST_SECONDS), MOST_REST_SECONDS)


class Pace:
    """How many events the next page may hold, at most `most`. What is folded does not depend on it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.page = min(FEWEST, most)
        self.halved = False
        """Whether the last page failed, and a smaller one is to be tried at once."""

    def took(self, folded: int, seconds: float) -> None:
        """A page of so many events took so long."""
        self.halved = False
        if folded >= self.page and seconds < QUICK_SECONDS:
            self.page = min(self.page * 2, self._most)
        elif seconds > 2 * QUICK_SECONDS:
            # What failed may have left it below the fewest: being slow is no reason to take more.
            self.page = min(self.page, max(self.page // 2, FEWEST))

    def failed(self, events: int | None = None) -> bool:
        """A page (of so many events, where that is known) failed: the next is half of it, down to a single event.

        False when there is nothing smaller to try.
        """
        tried = self.page if events is None else min(events, self.page)
        self.halved = tried > 1
        self.page = max(tried // 2, 1)
        return self.halved
