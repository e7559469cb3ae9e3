"""Revenue: what customers are worth, what may be lost, what was, and what putting things right may have saved.

Everything that is worked out from an assumption is called an estimate. Currencies are never added up.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, TypeVar

from pydantic import BaseModel

from domain.revenue import (
    ENOUGH_SEEN,
    FROM_SEVERITY,
    LEAVES_WITHIN,
    STILL_THERE_AFTER,
    TIMES_A_YEAR,
    WON_THEN_LOST_WITHIN,
    at_risk,
    margin_of,
    p_leave,
    saved,
)
from domain.satisfaction import Band
from projections.amounts import Amount, amount
from projections.base import Source
from projections.everybody import Everybody
from projections.period import Period, Report
from projections.revenue_rows import Loss, Spent, Standing, Stayed, left, losses, spent, standings, stayed

BANDS: Final[tuple[Band, ...]] = ("critical", "dissatisfied", "at_risk", "satisfied", "delighted")
ASSUMPTIONS: Final = (
    f"a year has {TIMES_A_YEAR['day']} days, {TIMES_A_YEAR['week']} weeks, {TIMES_A_YEAR['month']} months; "
    "visits are counted as declared",
    f"p_leave is assumed until {ENOUGH_SEEN} customers of a band were seen; then it is (lost + 1) / (n + 2) of "
    f"those who stood in it {LEAVES_WITHIN.days} days ago, by what was recorded then",
    "at risk = annual x p_leave of the band a customer stands in now; since and until do not touch it",
    "lost = annual of customers who left in the period and have not come back; site and cause are those of the "
    "recovery that was named as the reason",
    "resolved but lost = those of them with a case resolved or closed in the "
    f"{WON_THEN_LOST_WITHIN.days} days before",
    "saved = annual x (p_leave at the worst moment of the recovery - p_leave now), for severity >= "
    f"{FROM_SEVERITY}, resolved in the period, of customers who came back or were served "
    f"{STILL_THERE_AFTER.days} days later; each customer once, by his worst recovery",
    "a customer more content than before his failure counts as he stood before it: no money is made of a paradox",
    "return = saved x margin where a margin was declared - cost of what was given beyond what was owed and taken "
    "up in the period; where only its value to the customer is known, that stands for the cost",
)
"""What the figures rest on, in words, as every report prints them."""
Row = TypeVar("Row", Loss, Stayed)


class LeaveChance(BaseModel):
    """How many percent of the customers of a band leave: `assumed`, or `observed` in `n` of whom `lost` did."""

    band: Band
    percent: float
    basis: Literal["assumed", "observed"]
    n: int
    lost: int


class Worthy(BaseModel):
    """So many customers, and what they spend in a year."""

    n: int
    annual: Amount


class Part(BaseModel):
    """The part of a sum that belongs to one site, cause or basis; `unknown` where nobody said."""

    key: str
    n: int
    amount: Amount


class BandRisk(BaseModel):
    """The customers of one band, what they spend in a year, and what of it may be lost."""

    band: Band
    n: int
    annual: Amount
    estimate: Amount


class AtRisk(BaseModel):
    """What may be lost of a year's revenue, by how content customers are. An estimate."""

    n: int
    annual: Amount
    estimate: Amount
    by_band: list[BandRisk]


class Lost(BaseModel):
    """What those spend in a year who left and have not come back."""

    n: int
    annual: Amount
    by_site: list[Part]
    by_cause: list[Part]
    by_basis: list[Part]


class Saved(BaseModel):
    """What putting things right may have saved of a year's revenue. An estimate.

    `capped`: how many are more content than before the failure, which counts nothing.
    """

    n: int
    estimate: Amount
    by_site: list[Part]
    by_cause: list[Part]
    capped: int


class Return(BaseModel):
    """What recoveries may have earned: margin of what was saved, minus what compensation cost. An estimate.

    `no_margin`: so many customers stayed whose margin nobody declared; they add nothing. `acquisition_cost`: what
    it had cost to win those who stayed, as far as that is known.
    """

    margin_of_saved: Amount
    compensation_cost: Amount
    compensations: int
    cost_by_value: int
    estimate: Amount
    no_margin: int
    acquisition_cost: Amount


class InCurrency(BaseModel):
    """All sums of one currency."""

    currency: str
    at_risk_estimate: AtRisk
    lost: Lost
    resolved_but_lost: Worthy
    saved_estimate: Saved
    return_on_recovery_estimate: Return


class RevenueReport(Report):
    """Revenue at risk, lost and saved. `n` counts customers whose worth is known and who have not left.

    `lost_of_unknown_worth` customers left whose worth nobody declared; `compensations_of_unknown_cost` were handed
    over of which nobody said what they cost. Both are missing from the sums.
    """

    p_leave: list[LeaveChance]
    currencies: list[InCurrency]
    lost_of_unknown_worth: int
    compensations_of_unknown_cost: int
    assumptions: list[str]


def looked_back(as_of: datetime) -> datetime:
    """The moment at which `report` wants to know how the ledger stood."""
    return as_of - LEAVES_WITHIN


def report(source: Source, period: Period, then: int) -> RevenueReport:
    """Revenue as of a moment; `then` is the position the ledger had come to at `looked_back` of it."""
    everybody = Everybody(source, period.as_of)
    chances = _chances(everybody, then)
    here, gone = list(standings(everybody)), list(losses(everybody, period))
    back, costs = list(stayed(everybody, period)), spent(source, period)
    named = {one.currency for some in (here, gone, back, costs) for one in some if one.currency is not None}
    return RevenueReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=len(here),
        p_leave=chances,
        currencies=[_InOne(currency, chances).told(here, gone, back, costs) for currency in sorted(named)],
        lost_of_unknown_worth=sum(one.currency is None for one in gone),
        compensations_of_unknown_cost=sum(one.currency is None for one in costs),
        assumptions=list(ASSUMPTIONS),
    )


def _chances(everybody: Everybody, then: int) -> list[LeaveChance]:
    seen = left(everybody, then)
    return [_chance(band, *seen.get(band, (0, 0))) for band in BANDS]


def _chance(band: Band, n: int, lost: int) -> LeaveChance:
    percent = round(float(100 * p_leave(band, n, lost)), 2)
    return LeaveChance(
        band=band, percent=percent, basis="observed" if n >= ENOUGH_SEEN else "assumed", n=n, lost=lost
    )


class _InOne:
    """Adds up what is in one currency."""

    def __init__(self, currency: str, chances: Sequence[LeaveChance]) -> None:
        self.currency = currency
        self.p_leave = {one.band: p_leave(one.band, one.n, one.lost) for one in chances}

    def told(
        self, here: Iterable[Standing], gone: Iterable[Loss], back: Iterable[Stayed], costs: Iterable[Spent]
    ) -> InCurrency:
        lost = [one for one in gone if one.currency == self.currency]
        kept = [one for one in back if one.currency == self.currency]
        return InCurrency(
            currency=self.currency,
            at_risk_estimate=self._at_risk([one for one in here if one.currency == self.currency]),
            lost=self._lost(lost),
            resolved_but_lost=self._worthy([one for one in lost if one.resolved_before]),
            saved_estimate=self._saved(kept),
            return_on_recovery_estimate=self._return(
                kept, [one for one in costs if one.currency == self.currency]
            ),
        )

    def _amount(self, minor: int) -> Amount:
        return amount(minor, self.currency)

    def _worthy(self, some: Sequence[Loss]) -> Worthy:
        return Worthy(n=len(some), annual=self._amount(sum(one.annual for one in some)))

    def _at_risk(self, here: Sequence[Standing]) -> AtRisk:
        bands = [self._band(band, [one.annual for one in here if one.band == band]) for band in BANDS]
        return AtRisk(
            n=len(here),
            annual=self._amount(sum(one.annual for one in here)),
            estimate=self._amount(sum(risk for _, risk in bands)),
            by_band=[one for one, _ in bands if one.n],
        )

    def _band(self, band: Band, annual: Sequence[int]) -> tuple[BandRisk, int]:
        total = sum(annual)
        risk = at_risk(total, self.p_leave[band])
        told = BandRisk(band=band, n=len(annual), annual=self._amount(total), estimate=self._amount(risk))
        return told, risk

    def _lost(self, gone: Sequence[Loss]) -> Lost:
        return Lost(
            **dict(self._worthy(gone)),
            by_site=self._parts(gone, lambda one: one.site, lambda one: one.annual),
            by_cause=self._parts(gone, lambda one: one.cause, lambda one: one.annual),
            by_basis=self._parts(gone, lambda one: one.basis, lambda one: one.annual),
        )

    def _saved(self, kept: Sequence[Stayed]) -> Saved:
        return Saved(
            n=len(kept),
            estimate=self._amount(sum(map(self._saved_of, kept))),
            by_site=self._parts(kept, lambda one: one.site, self._saved_of),
            by_cause=self._parts(kept, lambda one: one.cause, self._saved_of),
            capped=sum(one.capped for one in kept),
        )

    def _saved_of(self, one: Stayed) -> int:
        return saved(one.annual, self.p_leave[one.then], self.p_leave[one.now])

    def _return(self, kept: Sequence[Stayed], costs: Sequence[Spent]) -> Return:
        earned = sum(margin_of(self._saved_of(one), one.margin_pct) for one in kept if one.margin_pct is not None)
        cost = sum(one.cost for one in costs)
        return Return(
            margin_of_saved=self._amount(earned),
            compensation_cost=self._amount(cost),
            compensations=len(costs),
            cost_by_value=sum(one.by_value for one in costs),
            estimate=self._amount(earned - cost),
            no_margin=sum(one.margin_pct is None for one in kept),
            acquisition_cost=self._amount(sum(one.acquisition_cost or 0 for one in kept)),
        )

    def _parts(self, rows: Sequence[Row], key: Callable[[Row], str], minor: Callable[[Row], int]) -> list[Part]:
        """The rows by key, the largest sum first."""
        grouped: dict[str, list[int]] = {}
        for row in rows:
            grouped.setdefault(key(row), []).append(minor(row))
        in_order = sorted(grouped.items(), key=lambda one: (-sum(one[1]), one[0]))
        return [Part(key=name, n=len(some), amount=self._amount(sum(some))) for name, some in in_order]
