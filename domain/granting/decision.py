"""Decision: whether this goodwill may be given now, by the rules in force and what was given before.

Pure: the command decides by it under the ledger's lock, and whoever asks beforehand gets the same answer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.amounts import Fx, in_currency
from domain.budgets.budget import Budget
from domain.budgets.drawing import budget_for
from domain.colleagues.authority import left_today
from domain.colleagues.state import Colleague
from domain.errors import BudgetExhausted, CurrencyMismatch, CustomerLimit, InvalidValue, OverLimit
from domain.kinds import Context
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.standards.authority import Asked, Asker, Rule, Ruling
from domain.values import Code, Count, Money

MAIN: Final = "main"
"""The cost centre of what no team's own budget pays."""
IN_KIND: Final = frozenset(("free_item", "upgrade", "points", "service_extension"))
"""Kinds of which perhaps nobody knows the amount. Of all others somebody does, whatever they are called."""


class DecidedBy(BaseModel):
    """The rule that decided, and the day it counts against where the colleague works."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    standard: Code
    version: Count
    rule_id: Code
    local_day: date | None = None
    """None where it counts against nobody's day, since somebody else said yes."""


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to give: its kind, and what it costs, or is worth where nobody knows the cost."""

    kind: str
    amount: Money | None = None
    drawn: Money | None = None
    """The same in the currency of the budget."""
    cost_centre: str | None = None
    fx: Fx | None = None
    """The rate that leads to that currency, where it is another."""

    def in_budget(self, part: Money | None) -> Money | None:
        """This part of it in the currency of the budget."""
        return in_currency(part, self.fx, None if self.drawn is None else self.drawn.currency)

    @property
    def asked(self) -> Asked:
        """What the rules are asked."""
        return Asked(kind=self.kind, currency=None if self.amount is None else self.amount.currency)


@dataclass(frozen=True)
class Allowed:
    """He may give it alone."""

    by: DecidedBy
    budget: Budget | None


@dataclass(frozen=True)
class NeedsApproval:
    """He may give it once somebody says yes; who, by when, and what happens if nobody does."""

    by: DecidedBy
    budget: Budget | None
    approver: str
    decide_by: datetime
    fallback: Money | None
    """What the customer gets if nobody decides in time; None: the request goes further up."""
    alone: Money | None = None
    """What he may still give without asking; None where no rule lets him."""


class Till:
    """One grant in the making: who gives, to whom, by which rules, out of which budget."""

    def __init__(self, state: Relationship, recovery: Recovery | None, at: Context) -> None:
        self._state, self._recovery, self._at = state, recovery, at
        self.colleague = colleague_of(at)
        self.team = (recovery.team if recovery else None) or (self.colleague.team if self.colleague else None)
        calendar = at.house.calendar(self.team) or at.house.calendar(at.house.targets().body.calendar)
        zone = ZoneInfo(calendar.body.zone if calendar else "UTC")
        # By the time it is recorded: what is told as of another day would else have that day's limits for itself.
        self.local_day = at.recorded_at.astimezone(zone).date()

    def decide(self, wanted: Wanted) -> Allowed | NeedsApproval:
        """Whether he may give it alone, or must ask.

        Raises OverLimit, CustomerLimit or BudgetExhausted; CurrencyMismatch and InvalidValue for what no budget
        could be drawn on for although there is one.
        """
        self._refuse_unpriced(wanted)
        house, asker, asked = self._at.house, self._asker(), wanted.asked
        alone = house.may_give(asker, asked)
        beyond = self._beyond(alone, wanted)
        if alone is not None and beyond is None:
            return Allowed(self._decided(alone, self.local_day), self._paying(wanted, wanted.drawn))
        approved = house.may_ask_for(asker, asked)
        if approved is None:
            raise beyond or self._over_limit(alone, wanted)
        further = self._beyond(approved, wanted)
        if further is None:
            return self._asking(approved, wanted, self._up_to(alone))
        # Nobody's word helps where the customer has had his share.
        raise further if isinstance(further, CustomerLimit) or beyond is None else beyond

    def budget(self, wanted: Wanted) -> Budget | None:
        """The budget that pays; None where the house has opened none for it.

        Raises CurrencyMismatch where it has one in another currency only: what is given past it would be counted
        nowhere (I-10).
        """
        if wanted.drawn is None:
            return None
        currency = wanted.drawn.currency
        found = self._open(wanted, lambda cost_centre: [currency])
        other = self._open(wanted, self._kept_in) if found is None else None
        if other is not None:
            raise CurrencyMismatch(expected=other.currency, given=currency)
        return found

    def _open(self, wanted: Wanted, currencies: Callable[[str], Iterable[str]]) -> Budget | None:
        """The first budget that would pay for this in one of these currencies of its cost centre."""
        centres = [one for one in dict.fromkeys((wanted.cost_centre, self.team, MAIN)) if one]
        budgets = (budget_for(one, currency, self._at) for one in centres for currency in currencies(one))
        return next((one for one in budgets if one is not None), None)

    def _kept_in(self, cost_centre: str) -> list[str]:
        return sorted(self._at.currencies(cost_centre))

    def _refuse_unpriced(self, wanted: Wanted) -> None:
        """Raises InvalidValue for what is not in kind and nobody says how much, where a budget would pay it."""
        unknown = wanted.amount is None and wanted.kind not in IN_KIND
        if unknown and self._open(wanted, self._kept_in) is not None:
            raise InvalidValue("cost", "a budget pays for it: say what it costs, or in `value` what it is worth")

    def _asking(self, ruling: Ruling, wanted: Wanted, alone: Money | None) -> NeedsApproval:
        rule = ruling.rule
        fallback = self._fallback(rule, wanted)
        return NeedsApproval(
            self._decided(ruling),
            self._paying(wanted, wanted.in_budget(fallback)),
            approver=rule.approval,
            decide_by=max(self._at.occurred_at, self._at.recorded_at) + (rule.max_wait or timedelta()),
            fallback=fallback,
            alone=alone,
        )

    def _fallback(self, rule: Rule, wanted: Wanted) -> Money | None:
        """What he gets if nobody decides: never more than the colleague could have given him alone."""
        fallback = _least(rule.on_timeout.grant_up_to if rule.on_timeout else None, wanted.amount)
        alone = self._at.house.may_give(self._asker(), wanted.asked)
        if fallback is None or alone is None:
            return fallback
        for left in (self._left_for_customer(alone.rule), self._left_of_day(alone.rule)):
            fallback = fallback if left is None else _least(fallback, left)
        return fallback if fallback is not None and fallback.minor else None

    def _left_of_day(self, rule: Rule) -> Money | None:
        if rule.per_colleague_day is None or self.colleague is None:
            return None
        return left_today(self.colleague, rule.per_colleague_day, self.local_day)

    def _asker(self) -> Asker:
        actor = self._at.actor
        if self.colleague is None:
            # A service that names no colleague is nobody's hand but its own, whatever role it says it has.
            return Asker(role="other", role_class="system")
        return Asker(role=actor.role, role_class=actor.role_class, training=self.colleague.training)

    def _beyond(self, ruling: Ruling | None, wanted: Wanted) -> OverLimit | CustomerLimit | None:
        """Which limit of the rule it would break."""
        if ruling is None:
            return self._over_limit(ruling, wanted)
        amount, rule = wanted.amount, ruling.rule
        if amount is None:
            return None
        if amount.minor > rule.per_grant.minor or amount.minor > self._left_today(rule, amount):
            return self._over_limit(ruling, wanted)
        left = self._left_for_customer(rule)
        if rule.per_customer is not None and left is not None and amount.minor > left.minor:
            return CustomerLimit(rule.per_customer.limit, left, rule.rule_id)
        return None

    def _left_for_customer(self, rule: Rule) -> Money | None:
        """What this customer may still get by the rule, what was asked for counted in; None without a limit."""
        if rule.per_customer is None:
            return None
        limit, state = rule.per_customer.limit, self._state
        given = state.goodwill_since(rule.counts_from(self._at.recorded_at), limit.currency)
        asked = state.goodwill_asked(limit.currency, fallback=rule.alone)
        return Money(minor=max(limit.minor - given - asked, 0), currency=limit.currency)

    def _left_today(self, rule: Rule, amount: Money) -> int:
        left = self._left_of_day(rule)
        return amount.minor if left is None else left.minor

    def _over_limit(self, ruling: Ruling | None, wanted: Wanted) -> OverLimit:
        amount = wanted.amount
        limit = None if amount is None else self._up_to(ruling)
        who = self._at.house.who_can(amount, wanted.asked) if amount is not None else []
        return OverLimit(amount, limit, who)

    def _up_to(self, ruling: Ruling | None) -> Money | None:
        """What may still be given by this rule: in one grant, on this day, and to this customer."""
        if ruling is None:
            return None
        rule = ruling.rule
        lefts = (self._left_of_day(rule), self._left_for_customer(rule))
        return min((rule.per_grant, *(one for one in lefts if one is not None)), key=lambda money: money.minor)

    def _paying(self, wanted: Wanted, amount: Money | None) -> Budget | None:
        """The budget that pays this much. Raises BudgetExhausted where it has less left."""
        budget = self.budget(wanted)
        if budget is not None and amount is not None and amount.minor > budget.left:
            left = budget.money(max(budget.left, 0))
            raise BudgetExhausted(budget.stream_id, amount.amount, left.amount, amount.currency)
        return budget

    def _decided(self, ruling: Ruling, local_day: date | None = None) -> DecidedBy:
        return DecidedBy(
            standard=ruling.standard,
            version=ruling.version,
            rule_id=ruling.rule.rule_id,
            local_day=local_day,
        )


def colleague_of(at: Context) -> Colleague | None:
    """The colleague who acts, with all that is recorded of him; None where a service acts by itself."""
    colleague: UUID | None = at.actor.colleague_id
    return None if colleague is None else at.other(Colleague, colleague)


def _least(one: Money | None, other: Money | None) -> Money | None:
    """The smaller of both; nothing of an amount that nobody knows."""
    if one is None or other is None:
        return None
    return min(one, other, key=lambda money: money.minor)
