"""Stakes: what of a year's revenue may be lost with the customers who met something. An estimate.

The same sum as in the report of revenue: a year of each, times the chance that one as content as he leaves.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from domain.revenue import at_risk, p_leave
from domain.satisfaction import Band
from projections.amounts import Amount, amount
from projections.base import Source
from projections.everybody import Everybody, rows_of, some_at_a_time
from projections.period import Period
from projections.revenue_rows import left
from projections.satisfaction import SatisfactionState, satisfaction_state

Seen = Mapping[Band, tuple[int, int]]
"""How many stood in each band half a year ago, and how many of them left since."""


@dataclass(frozen=True)
class Stakes:
    """Where customers stand whose worth is known and who have not left: currency, band and a year's revenue."""

    standing: Mapping[UUID, tuple[str, Band, int]] = field(default_factory=dict)
    seen: Seen = field(default_factory=dict)

    def of(self, customers: Collection[UUID]) -> list[Amount]:
        """What may be lost of these customers' year, in each currency by itself."""
        years: Counter[tuple[str, Band]] = Counter()
        for one in set(customers) & self.standing.keys():
            currency, band, annual = self.standing[one]
            years[currency, band] += annual
        sums: Counter[str] = Counter()
        for (currency, band), annual in years.items():
            sums[currency] += at_risk(annual, p_leave(band, *self.seen.get(band, (0, 0))))
        return [amount(sums[currency], currency) for currency in sorted(sums)]


NOTHING: Final = Stakes()


def stakes(source: Source, period: Period, then: int, customers: Collection[UUID]) -> Stakes:
    """What is at stake with these customers; `then` is the position the ledger had half a year before `as_of`."""
    everybody = Everybody(source, period.as_of)
    known = sorted(one for one in customers if one in everybody.worth and not everybody.gone(one))
    if not known:
        return NOTHING
    of = satisfaction_state.c
    standing = {}
    for some in some_at_a_time(iter(known)):
        for stream_id, band in rows_of(source, SatisfactionState, (of.stream_id, of.band), some):
            worth = everybody.worth[stream_id]
            standing[stream_id] = worth.currency, band, worth.annual
    return Stakes(standing, left(everybody, then))
