"""Reviews: by when the owner of a rule that stands in the way should look at it (D10)."""

from collections.abc import Iterable
from datetime import datetime

from domain.counting import BEGUN, Met, counted
from domain.duties.learning import BLOCKS, REVIEW_WITHIN


def review_due(blocks: Iterable[Met], reviewed: Iterable[datetime]) -> datetime | None:
    """When a review of the rule is due, or was; None while none is.

    `blocks` are all blocks of one rule; a review settles every count that was complete by then.
    """
    tally, last = BEGUN, max(reviewed, default=None)
    for met in sorted(blocks, key=lambda one: one.position):
        tally, complete = counted(BLOCKS, tally, met)
        if complete and (last is None or last < met.at):
            return met.at + REVIEW_WITHIN
    return None
