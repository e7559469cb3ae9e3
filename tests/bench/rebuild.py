"""B8: a million events rebuilt in a process of its own: how much memory it takes, and what an event costs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import psycopg
from sqlalchemy import Engine

from infrastructure.mapper import Mapper
from infrastructure.projector import Projector
from projections import ALL
from projections.satisfaction import SatisfactionState
from tests.bench.happenings import copies, fill, happenings
from tests.bench.place import Place
from tests.bench.rounds import Finding, Result
from tests.bench.workload import raw_connection
from tests.support.ledgers import Book
from tests.support.memory import resident_mb

EVENTS: Final = 100_000
"""Of the ledger `small`."""
COPIES: Final = 10
"""The ledger `main` is so many times as long: the same histories, each of so many customers, all mixed."""
TURNS: Final = ("small", "main", "small")
"""The small ledger before and after the long one, since one rebuild takes minutes and the machine is not alone."""
A_CUSTOMER: Final = 100
BUSY_SHARE: Final = 5
"""One customer in so many is busy, as in the workload."""
BAR_MB: Final = 400.0
BAR_COST: Final = 1.3
HERE: Final = Path(__file__).resolve().parents[2]


def measure(place: Place) -> list[Finding]:
    """The part's figures."""
    with ExitStack() as open_:
        url = open_.enter_context(place.database())
        with place.engine(url) as engine:
            filled = _filled(place, engine)
        disk = _disk(url)
        rebuilt = [_rebuilt(url, place.folder, ledger) | {"ledger": ledger} for ledger in TURNS]
        disk |= {"read models": _read_models(url)}
    place.notes["B8"] = (
        f"random histories, {A_CUSTOMER} events a customer on average; the read model satisfaction is rebuilt; "
        f"one rebuild each, in the order {', '.join(f'{_long(one):,}' for one in TURNS)}; memory is the most "
        "that was resident in the rebuilding process at any time"
    )
    return _figures(rebuilt, {"disk": disk, "events a second while filling": filled})


def _long(ledger: str) -> int:
    return EVENTS * COPIES if ledger == "main" else EVENTS


def _filled(place: Place, engine: Engine) -> dict[str, int]:
    """Fills both ledgers through the recorder; gives events a second, drafts and keys included."""
    customers = max(1, EVENTS // A_CUSTOMER)
    facts = list(happenings(EVENTS, customers, max(1, customers // BUSY_SHARE)))
    rates = {}
    for ledger, told in (("small", iter(facts)), ("main", copies(facts, COPIES))):
        Projector(engine, place.mapper(ledger), ALL).enter()
        begun = perf_counter()
        filled = fill(Book(engine, place.mapper(ledger), place.keyring()), told)
        rates[ledger] = round(filled / (perf_counter() - begun))
    return rates


def _rebuilt(url: str, folder: Path, ledger: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.rebuild", url, str(folder), ledger],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(HERE)},
    )
    if done.returncode != 0:
        raise RuntimeError(f"the rebuild failed: {done.stderr.strip()[-3000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def _figures(rebuilt: list[dict[str, Any]], details: Mapping[str, Any]) -> list[Finding]:
    costs: dict[str, list[float]] = {ledger: [] for ledger in TURNS}
    for one in rebuilt:
        costs[one["ledger"]].append(one["seconds"] / one["events"])
    usual = sum(costs["small"]) / len(costs["small"])
    peaks = tuple(one["peak_mb"] for one in rebuilt if one["ledger"] == "main")
    rates = {f"{_long(one):,} events": tuple(1 / cost for cost in found) for one, found in costs.items()}
    ratios = tuple(cost / usual for cost in costs["main"])
    return [
        Result(
            f"memory of a rebuild of {_long('main'):,} events",
            peaks,
            bar=BAR_MB,
            unit="MB",
            at_most=True,
            details={"rebuilds": rebuilt},
        ),
        Result(
            f"cost of an event at {_long('main'):,}, of that at {_long('small'):,}",
            ratios,
            rates,
            BAR_COST,
            at_most=True,
            details=details,
        ),
    ]


def _disk(url: str) -> dict[str, Any]:
    """Bytes an event takes in the table and in each of its indexes, and how long VACUUM and ANALYZE take."""
    events = _long("small") + _long("main")
    with raw_connection(url) as raw:
        raw.autocommit = True
        begun = perf_counter()
        raw.execute("VACUUM (FREEZE, ANALYZE) events")
        seconds = perf_counter() - begun
        (table,) = raw.execute("SELECT pg_table_size('events')").fetchone() or (0,)
        indexes = raw.execute(
            "SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index"
            " WHERE indrelid = 'events'::regclass ORDER BY 1"
        ).fetchall()
    return {
        "events": events,
        "table, bytes an event": round(table / events, 1),
        "indexes, bytes an event": {name: round(size / events, 1) for name, size in indexes},
        "VACUUM (FREEZE, ANALYZE), seconds": round(seconds, 1),
    }


def _read_models(url: str) -> dict[str, Any]:
    """Bytes of the rebuilt read model's tables, indexes included."""
    with raw_connection(url) as raw:
        return {table.name: _size(raw, table.name) for table in SatisfactionState().tables}


def _size(raw: "psycopg.Connection[Any]", table: str) -> int:
    (size,) = raw.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone() or (0,)
    return int(size)


def main(url: str, folder: Path, ledger: str) -> None:
    """Rebuilds the read model of one ledger, and says how that went."""
    place = Place(server=None, template="", folder=folder)  # type: ignore[arg-type]
    with place.engine(url) as engine:
        projector = Projector(engine, Mapper(ledger, place.keyring()), (SatisfactionState(),))
        before = resident_mb("VmRSS")
        begun, cpu = perf_counter(), os.times()
        events = projector.rebuild(SatisfactionState().name)
        seconds, used = perf_counter() - begun, os.times()
        sys.stdout.write(
            json.dumps(
                {
                    "events": events,
                    "seconds": round(seconds, 3),
                    "cpu_seconds": round(used.user + used.system - cpu.user - cpu.system, 3),
                    "before_mb": before,
                    "peak_mb": resident_mb("VmHWM"),
                }
            )
            + "\n"
        )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
