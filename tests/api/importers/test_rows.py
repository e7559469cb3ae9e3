"""Damaged files: every good row is kept, every bad one is named with its line and reason."""

import lzma
from pathlib import Path

import pytest

from api.importers.cfpb import Cfpb
from api.importers.rows import Reject, Row, UnusableFile, column, open_source
from api.importers.run import read
from api.importers.uci import UciIncidents
from tests.support.shared import data


def csv_file(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def records(path: Path, *required: str) -> list[Row | Reject]:
    return list(open_source(path, required or ("a",)).records)


def test_a_good_file_gives_every_row_with_its_line(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'a,b\n1,"two\nlines"\n3,4\n')
    first, second = records(path)
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.line, first.number, first.fields) == (2, 1, {"a": "1", "b": "two\nlines"})
    assert (second.line, second.number, second.fields) == (4, 2, {"a": "3", "b": "4"})


def test_a_compressed_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "file.csv.xz"
    path.write_bytes(lzma.compress(b"a,b\n1,2\n"))
    assert [record.fields for record in records(path) if isinstance(record, Row)] == [{"a": "1", "b": "2"}]


def test_a_row_of_the_wrong_width_is_named_and_the_next_one_kept(tmp_path: Path) -> None:
    bad, good = records(csv_file(tmp_path, "a,b\n1\n3,4\n"))
    assert isinstance(bad, Reject)
    assert (bad.line, bad.reason, bad.raw) == (2, "1 fields where the header names 2", ("1",))
    assert isinstance(good, Row)


def test_bytes_that_are_not_utf8_spoil_their_row_only(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n\xff\xfe,2\n3,\xce\xb5\xce\xbb\n")
    bad, good = records(path)
    assert isinstance(bad, Reject)
    assert (bad.line, bad.reason) == (2, "a is not UTF-8")
    assert isinstance(good, Row)
    assert good.fields == {"a": "3", "b": "ελ"}


def test_a_nul_spoils_its_row_only(tmp_path: Path) -> None:
    bad, good = records(csv_file(tmp_path, "a,b\n1,x\x00y\n3,4\n"))
    assert isinstance(bad, Reject)
    assert isinstance(good, Row)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    assert open_source(path, ("a",)).columns == ("a", "b")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "no header: expected a line with the columns a"),
        ("x,y\n1,2\n", 1, "no header: expected a line with the columns a; found: x, y"),
        ("a,b,b\n1,2,3\n", 1, "the header names a column twice: b"),
        (",a\n0,1\n", 1, "the header has an unnamed column (number 1)"),
    ],
)
def test_a_file_without_a_usable_header_is_refused_whole(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    with pytest.raises(UnusableFile) as refused:
        open_source(csv_file(tmp_path, text), ("a",))
    assert (refused.value.line, refused.value.reason) == (line, reason)


def test_a_column_name_is_read_whatever_its_case_and_punctuation() -> None:
    assert [column(name) for name in ("Timely response?", "consumer_disputed?", "Sub-issue")] == [
        "timely_response",
        "consumer_disputed",
        "sub_issue",
    ]


@pytest.mark.parametrize(
    ("name", "good"),
    [("junk-before-header.csv", 57), ("slash-dates-crlf.csv", 59), ("truncated-mid-record.csv", 18)],
)
def test_a_really_damaged_file_keeps_its_good_rows(name: str, good: int) -> None:
    source = open_source(data("bad-input") / name, Cfpb.REQUIRED)
    tally = read(Cfpb(), source)
    assert tally.accepted == good


def test_a_file_cut_in_the_middle_of_a_record_names_the_cut_one() -> None:
    source = open_source(data("bad-input") / "truncated-mid-record.csv", Cfpb.REQUIRED)
    [cut] = read(Cfpb(), source).rejects
    assert cut.line == 23
    assert cut.reason == "not a complete record: unexpected end of data"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("damaged-duplicate-header.csv", "the header names a column twice: category"),
        ("unnamed-index-column.csv", "the header has an unnamed column (number 1)"),
    ],
)
def test_a_file_with_a_damaged_header_is_refused_whole(name: str, reason: str) -> None:
    required = UciIncidents.REQUIRED if "duplicate" in name else Cfpb.REQUIRED
    with pytest.raises(UnusableFile) as refused:
        open_source(data("bad-input") / name, required)
    assert (refused.value.line, refused.value.reason) == (1, reason)
