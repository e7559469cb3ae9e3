"""`python -m tests.bench [B1,B2]`: one run, one table, and build/bench.json."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench import projector, recorder, writer
from tests.bench.place import Place, place
from tests.bench.rounds import Result, table
from tests.support.databases import NoPostgres

OUT: Final = Path(__file__).resolve().parents[2] / "build" / "bench.json"
PARTS: Final[Mapping[str, Callable[[Place], list[Result]]]] = {
    "B1": recorder.measure,
    "B2": writer.measure,
    "B5": projector.measure,
}
"""Every part by its name. Another one, or another peer in one, is a function in a module beside this one."""


def main(words: Sequence[str]) -> int:
    """Measures the parts asked for, all of them unless told otherwise."""
    asked = [part for word in words for part in word.split(",")] or list(PARTS)
    unknown = sorted(set(asked) - set(PARTS))
    if unknown:
        sys.stderr.write(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="amends-bench-") as folder, place(Path(folder)) as here:
            conditions = here.conditions()
            results = {part: _measured(part, here) for part in PARTS if part in asked}
    except NoPostgres as missing:
        sys.stderr.write(f"cannot measure: {missing}\n")
        return 1
    sys.stdout.write(table(results) + "\n")
    write(OUT, conditions, results)
    return 0


def write(path: Path, conditions: Mapping[str, Any], results: Mapping[str, Sequence[Result]]) -> None:
    """Keeps the run, ratios and rates and what they were measured under."""
    document = {"conditions": dict(conditions)} | {
        part: [one.document() for one in found] for part, found in results.items()
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _measured(part: str, here: Place) -> list[Result]:
    sys.stderr.write(f"{part} ...\n")
    return PARTS[part](here)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
