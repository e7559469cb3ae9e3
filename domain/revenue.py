"""Revenue: what a customer is worth in a year, what may be lost of it, and what putting things right may save.

Whole minor units of one currency throughout. Whether somebody will leave is an estimate, and is called one.
"""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Final

from domain.satisfaction import Band
from domain.values import MAX_INT

TIMES_A_YEAR: Final[Mapping[str, int]] = {"day": 365, "week": 52, "month": 12, "year": 1}
"""How often in a year; the visits of a year are the customer's own. Source: domain.md section 8."""
ASSUMED: Final[Mapping[Band, Fraction]] = {
    "critical": Fraction(70, 100),
    "dissatisfied": Fraction(45, 100),
    "at_risk": Fraction(20, 100),
    "satisfied": Fraction(5, 100),
    "delighted": Fraction(2, 100),
}
"""How many leave, by how content they are. An assumption of ours, until the ledger itself can tell."""
ENOUGH_SEEN: Final = 50
"""From so many customers of a band on, what they did replaces what we assumed. Source: domain.md section 8."""
LEAVES_WITHIN: Final = timedelta(days=180)
"""So long after he stood in a band, leaving counts as leaving from it."""
STILL_THERE_AFTER: Final = timedelta(days=90)
"""Who is active so long after a recovery, or came back, has stayed."""
WON_THEN_LOST_WITHIN: Final = timedelta(days=90)
"""Who leaves so soon after his case was ended was not won by it."""
FROM_SEVERITY: Final = 3
"""Only a failure as severe as this could have cost us the customer, so only then is anything saved."""


def annual(minor: int, per: str, visits_per_year: int | None = None) -> int | None:
    """What a customer who spends so much so often spends in a year; None where nobody can say.

    `minor` is the average per day (week, ...), those without a visit included. No more than 2**53 - 1.

    Source: practices S2.21, 15 to 20 dollars a day: 5,475.00 to 7,300.00 a year.
    """
    times = visits_per_year if per == "visit" else TIMES_A_YEAR.get(per)
    return None if times is None else min(minor * times, MAX_INT)


def p_leave(band: Band, seen: int = 0, lost: int = 0) -> Fraction:
    """How likely a customer of this band leaves, given that `lost` of `seen` did.

    Few cases say nothing: until 50 were seen, what we assumed stands. Source: Laplace's rule of succession.
    """
    return Fraction(lost + 1, seen + 2) if seen >= ENOUGH_SEEN else ASSUMED[band]


def at_risk(annual_minor: int, leaving: Fraction) -> int:
    """How much of a year's revenue may be lost. An estimate."""
    return round(annual_minor * leaving)


def saved(annual_minor: int, leaving_then: Fraction, leaving_now: Fraction) -> int:
    """How much of a year's revenue is safer than at the worst moment. An estimate.

    Below zero where it is less safe: what went wrong later counts too.
    """
    return round(annual_minor * (leaving_then - leaving_now))


def margin_of(minor: int, percent: int) -> int:
    """What is earned of this much revenue."""
    return round(Fraction(minor * percent, 100))


def counted_score(now: int, before_failure: int) -> int:
    """The score that may be turned into money: never better than before the failure.

    More content than before is a paradox, and no money is made of one. Source: de Matos, Henrique & Rossi 2007.
    """
    return min(now, before_failure)
