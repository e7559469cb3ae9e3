"""Rates: what a share of few cases can tell, the middle and the tail of many numbers, and when to say nothing."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import ceil, sqrt
from typing import Final

from pydantic import BaseModel, ConfigDict

FEWEST_COLLEAGUES: Final = 5
"""A figure about fewer colleagues than these could point at one of them, so it is hidden. Source: domain.md 7."""
FEWEST_COMPARED: Final = 20
"""Two groups are compared only when each has so many cases. Source: domain.md section 7."""
Z_95: Final = 1.959963984540054
"""The two-sided 95 % point of the normal distribution."""
DECIMALS: Final = 4
Counts = Mapping[int, int] | Mapping[float, int]
"""Values, and how often each came."""


class Rate(BaseModel):
    """A share with the 95 % interval in which it lies (Wilson); None of nothing."""

    model_config = ConfigDict(frozen=True)

    hits: int
    n: int
    share: float | None
    low: float | None
    high: float | None


class Spread(BaseModel):
    """The middle and the tail of so many numbers; None of nothing."""

    model_config = ConfigDict(frozen=True)

    n: int
    median: float | None
    p90: float | None


def rate(hits: int, n: int) -> Rate:
    """So many hits of n cases as a share with its 95 % interval, to four decimals."""
    if n == 0:
        return Rate(hits=0, n=0, share=None, low=None, high=None)
    low, high = wilson(hits, n)
    return Rate(
        hits=hits, n=n, share=round(hits / n, DECIMALS), low=round(low, DECIMALS), high=round(high, DECIMALS)
    )


def wilson(hits: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """The interval in which the true share lies, also for few cases and shares near 0 or 1.

    Source: Wilson 1927; recommended by Newcombe 1998 (method 3, without continuity correction).

    Raises ValueError when n is 0 or there are more hits than cases.
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n} is no share")
    share, doubt = hits / n, z * z / n
    centre = (share + doubt / 2) / (1 + doubt)
    half = z * sqrt(share * (1 - share) / n + doubt / (4 * n)) / (1 + doubt)
    # At the ends the bound is exact; rounding must not leave a trace of it.
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)


def quantile(values: Sequence[float], q: float) -> float | None:
    """The value below which the share q of all lies, between two values in proportion; None of nothing."""
    return quantile_of_counts(counted(values), q)


def quantile_of_counts(counts: Counts, q: float) -> float | None:
    """The same of values that are given as value -> how often it came.

    Source: Hyndman & Fan 1996, type 7, the default of R, NumPy and spreadsheets.

    Raises ValueError when q is no share.
    """
    if not 0 <= q <= 1:
        raise ValueError("a quantile lies between 0 and 1")
    ordered = sorted(counts)
    reached = list(accumulate(n for _, n in sorted(counts.items())))
    if not reached or reached[-1] == 0:
        return None
    place = (reached[-1] - 1) * q
    below, above = (ordered[bisect_right(reached, nth)] for nth in (int(place), ceil(place)))
    return below + (above - below) * (place - int(place))


def spread(values: Sequence[float]) -> Spread:
    """How many there are, their median and their 90th percentile, to four decimals."""
    return spread_of_counts(counted(values))


def spread_of_counts(counts: Counts) -> Spread:
    """The same of values that are given as value -> how often it came."""
    middle, tail = (quantile_of_counts(counts, q) for q in (0.5, 0.9))
    return Spread(n=sum(counts.values()), median=_rounded(middle), p90=_rounded(tail))


def counted(values: Iterable[float]) -> dict[float, int]:
    """How often each value comes."""
    return dict(Counter(values))


def hidden(colleagues: int) -> bool:
    """Whether a figure about so many colleagues must not be shown."""
    return colleagues < FEWEST_COLLEAGUES


def comparable(n_before: int, n_after: int) -> bool:
    """Whether both groups have enough cases to be compared."""
    return min(n_before, n_after) >= FEWEST_COMPARED


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
