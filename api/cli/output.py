"""What a command prints: words and progress for people, one JSON document for programs, nothing when quiet."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated, Any, Final

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

PLAIN_EVERY_SECONDS: Final = 5.0
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors and what was asked for.")]
Advance = Callable[[int, int | None], None]
"""Takes how much is done, and how much there is when that is known."""


@dataclass
class Output:
    """Where a command's words go: results to standard output, progress and notices to standard error."""

    as_json: bool = False
    quiet: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True))

    def say(self, words: str) -> None:
        """One line for people."""
        if not self.quiet and not self.as_json:
            self.out.print(words, markup=False)

    def table(self, title: str, where: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A small table for people, with where all of it is found; figures stand at the right of their column."""
        if self.quiet or self.as_json:
            return
        self.out.print(Text.assemble((title, "bold"), "  ", (where, "dim")))
        drawn = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1))
        for n, column in enumerate(columns):
            drawn.add_column(column, justify="right" if _measured(row[n] for row in rows) else "left")
        for row in rows:
            drawn.add_row(*map(Text, row))
        self.out.print(drawn)
        self.out.print()

    def result(self, document: Mapping[str, Any], *lines: str) -> None:
        """The command's result: the document for programs, the lines for people; no lines when quiet."""
        if self.as_json:
            self.asked(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2).decode())
            return
        for line in lines:
            self.say(line)

    def answer(self, document: Mapping[str, Any], *lines: str) -> None:
        """What the command was run for: the document for programs, the lines for people, even when quiet."""
        if self.as_json:
            self.result(document)
            return
        for line in lines:
            self.asked(line)

    def asked(self, text: str) -> None:
        """What the command was run for, as it is: printed even when quiet."""
        sys.stdout.write(text + "\n")

    def error(self, words: str) -> None:
        """One line on what went wrong; printed even when quiet."""
        self.err.print(words, markup=False)

    @contextmanager
    def progress(self, what: str) -> Iterator[Advance]:
        """A function that takes how much is done: a bar on a terminal, a plain line now and then in a pipe."""
        if self.quiet or self.as_json:
            yield lambda done, total: None
        elif self.err.is_terminal:
            yield from self._bar(what)
        else:
            yield self._lines(what)

    def _bar(self, what: str) -> Iterator[Advance]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def _lines(self, what: str) -> Advance:
        said_at = monotonic()

        def advance(done: int, total: int | None) -> None:
            nonlocal said_at
            if monotonic() - said_at >= PLAIN_EVERY_SECONDS:
                said_at = monotonic()
                of = "" if total is None else f" of {total}"
                self.err.print(f"{what}: {done}{of}", markup=False)

        return advance


def _measured(cells: Iterable[str]) -> bool:
    """Whether all that a column says are figures."""
    said = [cell for cell in cells if cell]
    return bool(said) and all(cell.lstrip("+-")[:1].isdigit() for cell in said)
