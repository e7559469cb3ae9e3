"""docs/practices.md, made from the names of the tests that play the sources."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from tests.docs.practice_rows import SOURCES, Source

ROOT: Final = Path(__file__).resolve().parents[2]
PLAYED: Final = ROOT / "tests" / "sources"
_ROWS: Final = re.compile(r"^test((?:_s\d_\d+)+)_")
_LEFT_OUT: Final = re.compile(r"^pytest\.mark\.(skip|xfail|soak)")
"""Marks of tests that do not run every time, so they show nothing."""

HEAD: Final = """# Practices

What people with experience say about failing a customer and putting it right, and the test that shows what
Amends makes of it. Made from the names of the tests in `tests/sources` by `tests/docs/test_practices.py`; do not
edit it by hand.

Each test plays its story through the HTTP API, on SQLite and on PostgreSQL. Tier M is needed from the start,
S soon after. What waits says what for; where other tests already show a part of it, they are named. How fast it
all is, `make bench` measures.
"""


class Shown(NamedTuple):
    """A test that shows a row, or some rows."""

    rows: tuple[str, ...]
    name: str
    path: str
    """From the root of the project."""


class Row(NamedTuple):
    """One practice."""

    id: str
    tier: str
    practice: str


def rows_of(source: Source) -> list[Row]:
    """The practices of a source, in order."""
    return [Row(*key.split(), practice) for key, practice in source.rows.items()]


def all_rows() -> list[Row]:
    """The practices of every source."""
    return [row for source in SOURCES for row in rows_of(source)]


def showing(text: str, path: str) -> Iterator[Shown]:
    """The tests in this Python that name a row and run every time."""
    # Most files name no row, and parsing takes longer than looking.
    for node in ast.walk(ast.parse(text)) if "def test_s" in text else ():
        if isinstance(node, ast.FunctionDef) and (found := _ROWS.match(node.name)) and not _left_out(node):
            yield Shown(tuple(_ids(found[1])), node.name, path)


def _left_out(test: ast.FunctionDef) -> bool:
    return any(_LEFT_OUT.match(ast.unparse(one)) for one in test.decorator_list)


def _ids(names: str) -> list[str]:
    """`_s1_2_s2_21` as S1.2 and S2.21."""
    return [f"S{source}.{row}" for source, row in re.findall(r"_s(\d)_(\d+)", names)]


@cache
def played() -> Sequence[Shown]:
    """The tests of the sources, by file and order."""
    return _of_files(sorted(PLAYED.rglob("test_*.py")))


@cache
def elsewhere() -> Sequence[Shown]:
    """The tests beside those of the sources that name a row."""
    others = (ROOT / "tests").rglob("test_*.py")
    return _of_files(sorted(one for one in others if PLAYED not in one.parents))


def _of_files(paths: Iterable[Path]) -> Sequence[Shown]:
    return [
        shown for path in paths for shown in showing(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]


def page(waiting: dict[str, str], partly: dict[str, str]) -> str:
    """docs/practices.md."""
    of_sources, others = played(), elsewhere()
    parts = [HEAD, _summary(of_sources, partly)]
    for source in SOURCES:
        lines = [_line(row, of_sources, others, waiting, partly) for row in rows_of(source)]
        heading = f"\n## {source.id}. {source.title}\n"
        parts += [heading, "| row | tier | practice | state | shown by |", "|---|---|---|---|---|", *lines]
    return "\n".join([*parts, ""])


def _summary(of_sources: Sequence[Shown], partly: dict[str, str]) -> str:
    """How many rows of each tier are shown."""
    named = {row for shown in of_sources for row in shown.rows}
    lines = ["| tier | rows | shown | in part | waiting |", "|---|---|---|---|---|"]
    for tier in ("M", "S"):
        rows = {row.id for row in all_rows() if row.tier == tier}
        part = rows & named & partly.keys()
        lines.append(f"| {tier} | {len(rows)} | {len(rows & named - part)} | {len(part)} | {len(rows - named)} |")
    return "\n".join(lines)


def _line(
    row: Row, of_sources: Sequence[Shown], others: Sequence[Shown], waiting: dict[str, str], partly: dict[str, str]
) -> str:
    shown = [one for one in of_sources if row.id in one.rows]
    state = "shown" if shown else f"waiting: {waiting.get(row.id, 'no test yet')}"
    if shown and row.id in partly:
        state = f"shown in part; waiting: {partly[row.id]}"
    tests = shown or [one for one in others if row.id in one.rows]
    links = "<br>".join(f"[`{one.name}`](../{one.path})" for one in tests)
    return f"| {row.id} | {row.tier} | {row.practice} | {state} | {links} |"
