"""P1: several processes on one ledger, and many ledgers side by side, against one process on one ledger."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from tests.bench.pens import Pen, Told, all_told, pens
from tests.bench.place import Place
from tests.bench.rounds import Result, compared, interleaved
from tests.bench.workload import choices

CUSTOMERS: Final = 800
COMMANDS: Final = 6_400
CALLERS: Final = 256
SHARED: Final = {2: 0.8, 4: 0.8}
"""Processes on one ledger -> the share of one process's commands a second to reach."""
LEDGERS: Final = (1, 4, 16)
"""So many ledgers side by side, in one process for each core."""


def measure(place: Place) -> list[Result]:
    """The part's ratios."""
    with place.database() as url, ExitStack() as open_:
        place.keyring()
        key_file, log = place.folder / "amends.key", place.folder / "pens.log"

        def contender(processes: int, ledgers: Sequence[str]) -> Callable[[int], Callable[[], int]]:
            several = open_.enter_context(pens(processes, url, key_file, log))
            return _telling(several, ledgers)

        contenders = {"one process": contender(1, ["alone"])}
        contenders |= {f"{n} processes, one ledger": contender(n, [f"shared-by-{n}"]) for n in SHARED}
        contenders |= {
            f"{n} ledgers, 2 processes": contender(2, [f"one-of-{n}-{k}" for k in range(n)]) for n in LEDGERS[1:]
        }
        for prepare in contenders.values():
            prepare(-1)()  # every cache warm, as in a server that has been up for a while
        rates = interleaved(contenders, place.rounds)
    return [
        compared(f"{name}, of one process", rates, name, "one process", _bar(name)) for name in list(rates)[1:]
    ]


def _bar(name: str) -> float | None:
    return next((bar for n, bar in SHARED.items() if name == f"{n} processes, one ledger"), None)


def _telling(several: Sequence[Pen], ledgers: Sequence[str]) -> Callable[[int], Callable[[], int]]:
    """Commands about the customers of these ledgers, dealt out to these processes."""
    customers = {name: several[0].opened(name, CUSTOMERS // len(ledgers)) for name in ledgers}

    def prepare(number: int) -> Callable[[], int]:
        shares = _dealt(customers, len(several), number)
        return lambda: all_told(several, shares, CALLERS)

    return prepare


def _dealt(customers: Told, processes: int, seed: int) -> list[Told]:
    """Each process's share: of one ledger a part of the commands, of several ledgers some to itself."""
    chosen = {
        name: [ids[one] for one in choices(seed, COMMANDS // len(customers), len(ids), len(ids) // 5)]
        for name, ids in customers.items()
    }
    if len(chosen) < processes:
        return [{name: ids[n::processes] for name, ids in chosen.items()} for n in range(processes)]
    names = list(chosen)
    return [{name: chosen[name] for name in names[n::processes]} for n in range(processes)]
