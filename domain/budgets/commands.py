"""What the house decides about a budget: to open one, to raise it, to close it."""

from domain.budgets.budget import WARN_AT_PCT, Budget, reference
from domain.budgets.events import BudgetClosed, BudgetOpened, BudgetRaised, Percent
from domain.budgets.periods import PeriodName
from domain.errors import AlreadyEnded, AlreadyExists, CurrencyMismatch, InvalidValue
from domain.kinds import Command, Context, Event
from domain.values import Code, Money
from domain.zones import Zone


class BudgetCommand(Command):
    """A command on one budget."""

    ON = Budget


class OpenBudget(BudgetCommand, path="open-budget", facts=(BudgetOpened,), opens=True, scope="admin"):
    """Let a cost centre spend so much on goodwill in a year (2026), quarter (2026-q4), month (2026-11) or week.

    Of several that fit a moment the shortest counts.
    """

    cost_centre: Code
    period: PeriodName
    limit: Money
    timezone: Zone = "UTC"
    """Where the days of the period are counted."""
    warn_at_pct: Percent = WARN_AT_PCT

    @property
    def reference(self) -> tuple[str, str]:
        """Under which the budget will be found."""
        return reference(self.cost_centre, self.limit.currency, self.period)

    def decide(self, state: Budget, at: Context) -> list[Event]:
        if state.version:
            raise AlreadyExists("budget", state.stream_id)
        if not self.limit.minor:
            raise InvalidValue("limit", "a budget of nothing is none")
        return [
            BudgetOpened(
                cost_centre=self.cost_centre,
                currency=self.limit.currency,
                period=self.period,
                timezone=self.timezone,
                limit=self.limit,
                warn_at_pct=self.warn_at_pct,
            )
        ]


class RaiseBudget(BudgetCommand, path="raise-budget", facts=(BudgetRaised,), scope="admin"):
    """Let more be spent: `limit` is the new limit in all. What was promised stays promised, so none is lowered."""

    limit: Money

    def decide(self, state: Budget, at: Context) -> list[Event]:
        if state.closed:
            raise AlreadyEnded("budget", "closed")
        if self.limit.currency != state.currency:
            raise CurrencyMismatch(state.currency, self.limit.currency)
        if self.limit.minor <= state.limit:
            raise InvalidValue("limit", f"the limit is {state.money(state.limit)} already")
        return [BudgetRaised(limit=self.limit)]


class CloseBudget(BudgetCommand, path="close-budget", facts=(BudgetClosed,), scope="admin"):
    """Promise nothing more from this budget. What was promised before is still paid."""

    def decide(self, state: Budget, at: Context) -> list[Event]:
        if state.closed:
            raise AlreadyEnded("budget", "closed")
        return [BudgetClosed()]
