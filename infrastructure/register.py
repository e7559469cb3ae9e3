"""The register: the house's own references, and the streams they lead to, as the writer of a ledger knows them."""

from collections.abc import Callable, Collection, Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from domain.budgets.budget import REFERENCE as BUDGET
from domain.budgets.budget import Budget
from domain.budgets.events import BudgetOpened
from domain.colleagues.post import ColleagueJoined
from domain.milestones import Reference
from infrastructure import lookup
from infrastructure.keys import Keyring
from infrastructure.record import Told

_OPENING: Final = frozenset((BudgetOpened.TOPIC, ColleagueJoined.TOPIC))
"""What brings a new reference of the house, as others are heard to append it."""


class Register:
    """Read once for each kind of reference, then heard of. Where the house has none, nothing more is ever asked.

    A grant may be paid out of any of a dozen budgets: to ask for each would take a question each, under the lock.
    """

    def __init__(self, ledger: str, keyring: Keyring) -> None:
        self._ledger, self._keyring = ledger, keyring
        self._known: dict[str, dict[bytes, UUID]] = {}
        self._budgeted: set[tuple[str, str]] | None = None
        """Every cost centre with a currency in which it ever had a budget; None: not asked for yet."""

    def stream_of(self, conn: Connection, kind: str, value: str) -> UUID | None:
        """The stream that this reference of the house leads to, if any."""
        known = self._of(conn, kind)
        return known.get(self._keyring.blind_index(kind, value)) if known else None

    def currencies(
        self, conn: Connection, cost_centre: str, read: Callable[[Collection[UUID]], Iterable[Budget]]
    ) -> frozenset[str]:
        """Those in which this cost centre ever had a budget; `read` is asked once what all budgets are."""
        if self._budgeted is None:
            known = self._of(conn, BUDGET).values()
            self._budgeted = {(one.cost_centre, one.currency) for one in read(known)}
        return frozenset(currency for centre, currency in self._budgeted if centre == cost_centre)

    def take(self, links: Iterable[tuple[Reference, UUID]]) -> None:
        """Counts these in; they may still be forgotten again."""
        for reference, stream in links:
            if reference.kind == BUDGET:
                self._budgeted = None
            if reference.kind in self._known:
                self._known[reference.kind][self._keyring.blind_index(reference.kind, reference.value)] = stream

    def hear(self, told: Iterable[Told]) -> None:
        """Forgets everything when others have brought a reference of the house."""
        if any(one.topic in _OPENING for one in told):
            self.forget()

    def forget(self) -> None:
        """Reads everything anew when it is next asked for."""
        self._known.clear()
        self._budgeted = None

    def _of(self, conn: Connection, kind: str) -> dict[bytes, UUID]:
        if kind not in self._known:
            self._known[kind] = lookup.all_of(conn, self._ledger, kind)
        return self._known[kind]
