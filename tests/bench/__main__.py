"""`python -m tests.bench [B1,B2]`: one run, one table, and build/bench.json."""

import json
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from api.logs import set_up_logs
from tests.bench import (
    batches,
    freshness,
    http,
    loading,
    peers,
    processes,
    projector,
    reading,
    rebuild,
    recorder,
    sqlite,
    writer,
)
from tests.bench.place import Place, load, place
from tests.bench.rounds import Finding, table
from tests.support.databases import NoPostgres

OUT: Final = Path(__file__).resolve().parents[2] / "build" / "bench.json"
PARTS: Final[Mapping[str, Callable[[Place], list[Finding]]]] = {
    "B1": recorder.measure,
    "B2": writer.measure,
    "B3": http.measure,
    "B4": batches.measure,
    "B5": projector.measure,
    "B6": loading.measure,
    "B7": freshness.measure,
    "B8": rebuild.measure,
    "B9": reading.measure,
    "B10": sqlite.measure,
    "P1": processes.measure,
}
"""Every part by its name. Another one, or another peer in one, is a function in a module beside this one."""


def main(words: Sequence[str]) -> int:
    """Measures the parts asked for, all of them unless told otherwise."""
    asked = [part for word in words for part in word.split(",")] or list(PARTS)
    unknown = sorted(set(asked) - set(PARTS))
    if unknown:
        sys.stderr.write(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    # As the program logs: what is below the level costs nothing, and standard output is the table's.
    set_up_logs("warning")
    peers.install()
    try:
        with tempfile.TemporaryDirectory(prefix="amends-bench-") as folder, place(Path(folder)) as here:
            return _run([part for part in PARTS if part in asked], here)
    except NoPostgres as missing:
        sys.stderr.write(f"cannot measure: {missing}\n")
        return 1


def write(path: Path, conditions: Mapping[str, Any], results: Mapping[str, Sequence[Finding]]) -> None:
    """Keeps the run, ratios and rates and what they were measured under."""
    document = {"conditions": dict(conditions)} | {
        part: [one.document() for one in found] for part, found in results.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _run(parts: Sequence[str], here: Place) -> int:
    """Measures part by part; what is known is kept after each, and one that breaks takes no other with it."""
    conditions = here.conditions()
    results: dict[str, list[Finding]] = {}
    broken = []
    for part in parts:
        sys.stderr.write(f"{part} ...\n")
        begun = perf_counter()
        try:
            results[part] = PARTS[part](here)
        except Exception:  # noqa: BLE001 - the other parts take many minutes, too
            traceback.print_exc()
            broken.append(part)
        sys.stderr.write(f"{part} took {perf_counter() - begun:.0f} s\n")
        write(OUT, conditions | {"load_after": load(), "notes": here.notes, "broken": broken}, results)
    sys.stdout.write(table(results) + "\n")
    sys.stdout.write("".join(f"{part} broke: see above\n" for part in broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
