"""The pages behind the problem types: one Markdown file per slug, shipped with the program."""

from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from api.problems import PROBLEMS

_INSTALLED: Final = Path(__file__).parent / "problem_docs"
_IN_THE_PROJECT: Final = Path(__file__).parents[1] / "docs" / "problems"
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False})


def folder() -> Path:
    """Where the pages lie: beside this file when installed, else in the project's docs."""
    return _INSTALLED if _INSTALLED.is_dir() else _IN_THE_PROJECT


@cache
def page(slug: str) -> str | None:
    """The page of this slug as a piece of HTML; None when there is no such problem."""
    if slug not in PROBLEMS:
        return None
    rendered: str = _MARKDOWN.render((folder() / f"{slug}.md").read_text(encoding="utf-8"))
    return rendered
