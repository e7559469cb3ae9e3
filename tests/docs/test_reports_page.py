"""The page about reports names them all."""

import re
from pathlib import Path

from api.app import document

PAGE = Path(__file__).parents[2] / "docs/how-to/reports.md"


def test_every_report_there_is_stands_in_the_table() -> None:
    there = {path.rpartition("/")[2] for path in document()["paths"] if path.startswith("/v1/reports/")}
    named = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(there)
