"""Rounds: contenders take turns, so that what else the machine does hits them alike; ratios are compared."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any, Final

ROUNDS: Final = 5
Contender = Callable[[int], Callable[[], int]]
"""Round number -> prepared work, which gives how many things it did; only the work is timed."""


class NotHere(Exception):
    """This contender cannot run on this machine; the message says why."""


class Rates(dict[str, tuple[float, ...]]):
    """Things a second of each contender, round by round; `absent` says why some have none."""

    def __init__(self, rates: Mapping[str, tuple[float, ...]], absent: Mapping[str, str] | None = None) -> None:
        super().__init__(rates)
        self.absent = dict(absent or {})


@dataclass(frozen=True, slots=True)
class Result:
    """One figure, round by round; `value` is the median, `bar` what it must reach, or with `at_most` not pass.

    A ratio has no unit.
    """

    what: str
    rounds: tuple[float, ...]
    rates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    bar: float | None = None
    unit: str = ""
    at_most: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def holds(self) -> bool | None:
        """Whether it keeps to its bar; None where none is set."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    def document(self) -> dict[str, Any]:
        """For build/bench.json. Rates are things a second, and mean nothing on another machine."""
        shown: dict[str, Any] = {
            "what": self.what,
            "value": round(self.value, 3),
            "bar": self.bar,
            "holds": self.holds,
            "rounds": [round(one, 3) for one in self.rounds],
        }
        if self.rates:
            shown["rates"] = {name: [round(one) for one in rates] for name, rates in self.rates.items()}
        if self.at_most:
            shown["bar is"] = "at most"
        return shown | ({"unit": self.unit} if self.unit else {}) | dict(self.details)

    def line(self) -> str:
        """Value, bar and verdict for the table."""
        bar = "" if self.bar is None else ("<= " if self.at_most else "") + _short(self.bar)
        verdict = {True: "holds", False: "MISSED", None: ""}[self.holds]
        return f"{_short(self.value):>8} {bar:>9} {self.unit:3} {verdict}"


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that could not be taken, since somebody it needs is not here; `why` says so."""

    what: str
    why: str
    bar: float | None = None

    @property
    def holds(self) -> None:
        """Nobody knows."""

    def document(self) -> dict[str, Any]:
        """For build/bench.json."""
        return {"what": self.what, "value": None, "bar": self.bar, "holds": None, "peer absent": self.why}

    def line(self) -> str:
        """The reason for the table."""
        bar = "" if self.bar is None else _short(self.bar)
        return f"{'absent':>8} {bar:>9}     {self.why}"


Finding = Result | Absent


def interleaved(contenders: Mapping[str, Contender], rounds: int) -> Rates:
    """Things a second of each contender in each round, A B A B. Who raises NotHere takes part no more."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    absent: dict[str, str] = {}
    for number in range(rounds):
        for name, prepare in contenders.items():
            if name not in absent:
                try:
                    rates[name].append(_rate(prepare(number)))
                except NotHere as fault:
                    absent[name] = str(fault)
    return Rates({name: tuple(found) for name, found in rates.items() if name not in absent}, absent)


def compared(
    what: str, rates: Rates, ours: str, other: str, bar: float | None = None, *, at_most: bool = False
) -> Finding:
    """Ours as a share of the other's, round by round; Absent where one of them did not run."""
    for name in (ours, other):
        if name in rates.absent:
            return Absent(what, rates.absent[name], bar)
    ratios = tuple(mine / theirs for mine, theirs in zip(rates[ours], rates[other], strict=True))
    return Result(what, ratios, {name: rates[name] for name in (ours, other)}, bar, at_most=at_most)


def table(results: Mapping[str, Iterable[Finding]]) -> str:
    """What is printed."""
    lines = [f"{'':4} {'what':66} {'value':>8} {'bar':>9}"]
    lines += [f"{part:4} {one.what:66} {one.line()}".rstrip() for part, found in results.items() for one in found]
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


class NothingDone(Exception):
    """A contender had nothing left to do in its round: what it took says nothing."""


def _rate(work: Callable[[], int]) -> float:
    begun = perf_counter()
    done = work()
    if not done:
        raise NothingDone
    return done / (perf_counter() - begun)
