"""Reading other people's CSV files: every good row is kept, every bad one is named with its line and reason."""

import csv
import lzma
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _csv import Reader as Lines

HEADER_WITHIN_LINES: Final = 20
FIELD_LIMIT: Final = 1_000_000
SHOWN_COLUMNS: Final = 4
SHOWN_LETTERS: Final = 40


class UnusableFile(Exception):
    """The file as a whole cannot be read; `line` says where it shows."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


@dataclass(frozen=True, slots=True)
class Row:
    """One good record: the line it starts on, its number among the records, its fields by column."""

    line: int
    number: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reject:
    """One bad record: the line it starts on, why it is refused, and what stood there."""

    line: int
    reason: str
    raw: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file: its columns (normalised), a digest that tells it from other files, and its records."""

    columns: tuple[str, ...]
    digest: str
    records: Iterator[Row | Reject]


def column(name: str) -> str:
    """A column's name as code: lower case, words joined by `_`, no question mark."""
    return "_".join(name.strip().lower().replace("?", " ").replace("-", " ").split())


def open_source(path: Path, required: Sequence[str]) -> Source:
    """The file's records, read as they are asked for. Raises UnusableFile when its header is no good.

    Lines before the header are passed over; a header is the first line that names a required column.
    Compressed files (.xz) are read as they are.
    """
    csv.field_size_limit(FIELD_LIMIT)
    digest = _digest(path)
    with _open(path) as file:
        columns, at = _header(csv.reader(file, strict=True), required)
    return Source(columns=columns, digest=digest, records=_records(path, columns, at))


def _open(path: Path) -> TextIO:
    # Bytes that are not UTF-8 become surrogates, which are found row by row instead of ending the file.
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open("rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


def _digest(path: Path) -> str:
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rb") as file:
        return sha256(file.read(65_536)).hexdigest()[:16]


def _header(lines: "Lines", required: Sequence[str]) -> tuple[tuple[str, ...], int]:
    first: Sequence[str] = ()
    try:
        for names in lines:
            first = first or names
            columns = tuple(column(name) for name in names)
            if set(required) & set(columns):
                _check_header(columns, names, required, lines.line_num)
                return columns, lines.line_num
            if lines.line_num >= HEADER_WITHIN_LINES:
                break
    except csv.Error as broken:
        raise UnusableFile(lines.line_num, str(broken)) from broken
    raise UnusableFile(1, f"no header: expected a line with the columns {', '.join(required)}{_found(first)}")


def _found(names: Sequence[str]) -> str:
    shown = [name[:SHOWN_LETTERS] for name in names[:SHOWN_COLUMNS]] + ["..."] * (len(names) > SHOWN_COLUMNS)
    return f"; found: {', '.join(shown)}" if names else ""


def _check_header(columns: tuple[str, ...], names: Sequence[str], required: Sequence[str], line: int) -> None:
    if "" in columns:
        raise UnusableFile(line, f"the header has an unnamed column (number {columns.index('') + 1})")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        first = names[columns.index(twice[0])]
        raise UnusableFile(line, f"the header names a column twice: {first}")
    missing = [name for name in required if name not in columns]
    if missing:
        raise UnusableFile(line, f"the header lacks the column {', '.join(missing)}")


def _records(path: Path, columns: tuple[str, ...], header: int) -> Iterator[Row | Reject]:
    with _open(path) as file:
        text = _Text(file)
        lines = csv.reader(text, strict=True)
        while lines.line_num < header:
            next(lines)
        number = 0
        for start, fields in _fields(lines, text):
            if isinstance(fields, Reject):
                yield fields
                continue
            number += 1
            fault = _fault(fields, columns)
            told = dict(zip(columns, fields, strict=not fault))
            yield Reject(start, fault, tuple(fields)) if fault else Row(start, number, told)


class _Text:
    """The lines of a file, remembering those of the record that is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.read: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.read.append(line)
        return line


def _fields(lines: "Lines", text: _Text) -> Iterator[tuple[int, list[str] | Reject]]:
    """Each record with the line it starts on; one that is no record at all as a reject with its text."""
    while True:
        start = lines.line_num + 1
        text.read.clear()
        try:
            fields = next(lines)
        except StopIteration:
            return
        except csv.Error as broken:
            yield start, Reject(start, f"not a complete record: {broken}", ("".join(text.read).rstrip("\r\n"),))
            continue
        if fields:
            yield start, fields


def _fault(fields: Sequence[str], columns: Sequence[str]) -> str | None:
    if len(fields) != len(columns):
        return f"{len(fields)} fields where the header names {len(columns)}"
    for name, value in zip(columns, fields, strict=True):
        if any("\ud800" <= character <= "\udfff" for character in value):
            return f"{name} is not UTF-8"
        if "\x00" in value:
            return f"{name} contains U+0000"
    return None
