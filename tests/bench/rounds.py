"""Rounds: contenders take turns, so that what else the machine does hits them alike; ratios are compared."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, Final

ROUNDS: Final = 5
Contender = Callable[[int], Callable[[], int]]
"""Round number -> prepared work, which gives how many things it did; only the work is timed."""


@dataclass(frozen=True, slots=True)
class Result:
    """One ratio: ours to somebody else's, round by round; `value` is the median, `bar` what it must reach."""

    what: str
    rounds: tuple[float, ...]
    rates: Mapping[str, tuple[float, ...]]
    bar: float | None = None

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def holds(self) -> bool | None:
        """Whether it reaches its bar; None where none is set."""
        return None if self.bar is None else self.value >= self.bar

    def document(self) -> dict[str, Any]:
        """For build/bench.json. Rates are things a second, and mean nothing on another machine."""
        return {
            "what": self.what,
            "value": round(self.value, 3),
            "bar": self.bar,
            "holds": self.holds,
            "rounds": [round(one, 3) for one in self.rounds],
            "rates": {name: [round(one) for one in rates] for name, rates in self.rates.items()},
        }


def interleaved(contenders: Mapping[str, Contender], rounds: int) -> dict[str, tuple[float, ...]]:
    """Things a second of each contender in each round, A B A B."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, prepare in contenders.items():
            rates[name].append(_rate(prepare(number)))
    return {name: tuple(found) for name, found in rates.items()}


def compared(
    what: str, rates: Mapping[str, tuple[float, ...]], ours: str, other: str, bar: float | None = None
) -> Result:
    """Ours as a share of the other's, round by round."""
    ratios = tuple(mine / theirs for mine, theirs in zip(rates[ours], rates[other], strict=True))
    return Result(what, ratios, {name: rates[name] for name in (ours, other)}, bar)


def table(results: Mapping[str, Iterable[Result]]) -> str:
    """What is printed."""
    lines = [f"{'':4} {'what':58} {'value':>7} {'bar':>6}"]
    for part, found in results.items():
        for one in found:
            bar = "" if one.bar is None else f"{one.bar:.2f}"
            verdict = {True: "holds", False: "MISSED", None: ""}[one.holds]
            lines.append(f"{part:4} {one.what:58} {one.value:7.2f} {bar:>6} {verdict}".rstrip())
    return "\n".join(lines)


def _rate(work: Callable[[], int]) -> float:
    begun = perf_counter()
    done = work()
    return done / (perf_counter() - begun)
