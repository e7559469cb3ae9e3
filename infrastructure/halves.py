"""Halves: a page that cannot be folded as it is, and how the next one is made smaller."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from infrastructure.engine import out_of_reach
from infrastructure.folding import described
from infrastructure.pace import Pace

log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """Another projector was faster: what we folded is out of date."""


class TooCoarse(Exception):
    """Something in a page of so many events cannot be written: find out what, in smaller pages."""

    def __init__(self, events: int) -> None:
        super().__init__(f"one of {events} events")
        self.events = events


@contextmanager
def in_halves(pace: Pace, ledger: str) -> Iterator[None]:
    """Where a page fails in the block, the next is half of it: no turn does more than one page.

    Raises what a database out of reach said of a single event.
    """
    try:
        yield
    except TooCoarse as coarse:
        pace.failed(coarse.events)
    except SQLAlchemyError as fault:
        # It may have taken longer than a statement may, or more than there is room for.
        if not (out_of_reach(fault) and pace.failed()):
            raise
        log.warning("page_halved", ledger=ledger, events=pace.page, fault=described(fault))
