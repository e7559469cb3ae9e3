"""Authority used: what a colleague gave in a day out of his own judgement. It follows from grants alone."""

from collections.abc import Mapping
from datetime import date

from domain.colleagues.state import KEPT_DAYS, Colleague, ColleagueEvent
from domain.kinds import Elsewhere, Fact
from domain.values import CompensationId, Money


class AuthorityUsed(ColleagueEvent, topic="authority.used"):
    """He gave this much on this day of his. A colleague who never joined is counted all the same."""

    grant_id: CompensationId
    amount: Money
    local_day: date

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        return state.but(used=_counted(state.used, self.local_day, self.amount.currency, self.amount.minor))


class AuthorityReturned(ColleagueEvent, topic="authority.returned"):
    """What he gave on this day came back, or was never given."""

    grant_id: CompensationId
    amount: Money
    local_day: date

    def evolve(self, state: Colleague, fact: Fact) -> Colleague:
        if self.local_day not in state.used:
            return state
        return state.but(used=_counted(state.used, self.local_day, self.amount.currency, -self.amount.minor))


def use(colleague: Colleague, grant_id: CompensationId, amount: Money, local_day: date) -> Elsewhere:
    """The event that counts a grant against his day; `local_day` is the day where he works."""
    return Elsewhere(colleague, AuthorityUsed(grant_id=grant_id, amount=amount, local_day=local_day))


def give_back(colleague: Colleague, grant_id: CompensationId, amount: Money, local_day: date) -> Elsewhere:
    """The event that takes a grant off the day it was counted against."""
    return Elsewhere(colleague, AuthorityReturned(grant_id=grant_id, amount=amount, local_day=local_day))


def left_today(colleague: Colleague, limit: Money, local_day: date) -> Money:
    """How much of a day's limit he has not used yet on this day, never below nothing.

    What he gave in other currencies is not counted: sums are never made across them.
    """
    used = colleague.used.get(local_day, {}).get(limit.currency, 0)
    return Money(minor=max(limit.minor - used, 0), currency=limit.currency)


def _counted(
    used: Mapping[date, Mapping[str, int]], day: date, currency: str, minor: int
) -> dict[date, Mapping[str, int]]:
    """The same with so much more on this day, and of days long gone nothing."""
    of_day = used.get(day, {})
    total = max(of_day.get(currency, 0) + minor, 0)
    counted = {**used, day: {**of_day, currency: total}}
    return {one: counted[one] for one in sorted(counted)[-KEPT_DAYS:]}
