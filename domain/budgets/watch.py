"""Watching a budget: what share is gone, how fast it goes, and whether somebody should look at it now (D5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from domain.budgets.budget import Budget
from domain.budgets.periods import period

Alarm = Literal["share", "burn_rate"]
BURN_RATE: Final = 1.2
"""Spending faster than this is worth a warning; at 1 the money lasts as long as the period. Source: D5."""
BURN_FROM: Final = 0.1
"""The part of a period after which its speed says anything: on the first morning one grant is a hundredfold."""
DECIMALS: Final = 4


@dataclass(frozen=True, slots=True)
class Watch:
    """How a budget stands at a moment."""

    share: float
    """Which part of the limit is set aside or spent."""
    elapsed: float
    """Which part of the period is over."""
    burn_rate: float | None
    """Share over elapsed; None while too little of the period is over to tell."""
    warnings: tuple[Alarm, ...]


def watch(budget: Budget, as_of: datetime) -> Watch:
    """How it stands at this moment, to four decimals. What is closed warns of nothing."""
    used = budget.reserved + budget.committed
    elapsed = period(budget.period).elapsed(as_of, budget.timezone)
    speed = used / budget.limit / elapsed if elapsed >= BURN_FROM else None
    warnings: list[Alarm] = []
    if used * 100 >= budget.warn_at_pct * budget.limit:
        warnings.append("share")
    if speed is not None and speed > BURN_RATE:
        warnings.append("burn_rate")
    return Watch(
        share=round(used / budget.limit, DECIMALS),
        elapsed=round(elapsed, DECIMALS),
        burn_rate=None if speed is None else round(speed, DECIMALS),
        warnings=() if budget.closed else tuple(warnings),
    )
