"""Rehearsal: what would become of an order, decided as the writer would, and never recorded."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from infrastructure.clock import times
from infrastructure.keys import Keyring
from infrastructure.mapper import Mapper
from infrastructure.orders import Answer, Order
from infrastructure.page import Page
from infrastructure.recorder import read_head
from infrastructure.register import Register
from infrastructure.standards import Standards
from infrastructure.states import States
from infrastructure.tools import Tools


class Rehearsal:
    """Decides orders on what is committed by now. It takes no lock, so the real order may find it otherwise."""

    def __init__(
        self,
        engine: Engine,
        mapper: Mapper,
        keyring: Keyring,
        *,
        ledger: str,
        clock: Callable[[], datetime],
        max_backdate_days: int,
    ) -> None:
        self._engine, self._clock = engine, clock
        entropy = keyring.entropy
        backdate = timedelta(days=max_backdate_days)
        self._tools = Tools(ledger, mapper, keyring, entropy.new_id, entropy.random_id, backdate, repair=False)

    def answer(self, order: Order) -> Answer:
        """The outcome it would have, or why it would be refused."""
        tools = self._tools
        with self._engine.connect() as conn:
            head = read_head(conn, tools.ledger)
            at = times(self._clock(), head.recorded_at, self._clock())
            standards = Standards(tools.mapper, tools.ledger, repair=tools.repair)
            page = Page(conn, tools, head, at, States(0), standards, Register(tools.ledger, tools.keyring))
            return page.rehearse(order)
