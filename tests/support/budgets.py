"""Given, when, then for the rules of one budget, and money in few words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain.budgets.budget import Budget, GrantId, grant_of
from domain.budgets.commands import BudgetCommand, OpenBudget
from domain.kinds import Context, Elsewhere, Event, Fact
from domain.values import Money
from tests.support.given import CUSTOMER, colleague, named_id, next_fact

AUTUMN = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def eur(amount: str) -> Money:
    """So many euros: `eur("12.50")`."""
    return Money.model_validate({"amount": amount, "currency": "EUR"})


def grant(name: str) -> GrantId:
    """What one customer was given, by a name of the test's own."""
    return grant_of(CUSTOMER, named_id(name))


def opening(**fields: Any) -> OpenBudget:
    """The order to open a budget of 100.00 EUR for care in the fourth quarter."""
    usual = {"cost_centre": "care", "period": "2026-q4", "limit": eur("100.00")}
    return OpenBudget.model_validate(usual | fields)


@dataclass
class Purse:
    """A budget in the making."""

    state: Budget = field(default_factory=lambda: Budget.begun(named_id("budget")))
    facts: list[Fact] = field(default_factory=list)
    last: list[Event] = field(default_factory=list)

    def when(self, command: BudgetCommand, at: datetime = AUTUMN) -> "Purse":
        """The command is decided and its events recorded."""
        return self.then(command.decide(self.state, _context(at)), at)

    def then(self, decided: Sequence[Event | Elsewhere], at: datetime = AUTUMN) -> "Purse":
        """What was decided is recorded; `last` holds it."""
        self.last = [one.event if isinstance(one, Elsewhere) else one for one in decided]
        for event in self.last:
            self._record(event, at)
        return self

    def topics(self) -> list[str]:
        """What was recorded last."""
        return [event.TOPIC for event in self.last]

    def folded(self) -> Budget:
        """The budget folded anew from what was recorded."""
        state = Budget.begun(self.state.stream_id)
        for fact in self.facts:
            state = state.after(fact)
        return state

    def _record(self, event: Event, at: datetime) -> None:
        fact = next_fact(
            self.state, event, at, colleague("finance", role="accountant", role_class="back"), "budget"
        )
        self.facts.append(fact)
        self.state = self.state.after(fact)


def opened(**fields: Any) -> Purse:
    """A budget that was opened: of 100.00 EUR, unless said otherwise."""
    return Purse().when(opening(**fields))


def _context(at: datetime) -> Context:
    return Context(
        occurred_at=at,
        recorded_at=at,
        actor=colleague("finance"),
        new_id=lambda: named_id("new"),
        pseudonym=lambda kind, value: named_id(f"{kind}:{value}"),
    )
