"""import: every good row is kept, every bad one named, and a second run has nothing to add."""

import csv
from pathlib import Path

import pytest

from tests.support.commands import CommandLine
from tests.support.shared import data

HEADER = "Product,Issue,Date received,Company response,Timely response?,Consumer disputed?,Complaint ID"
GOOD = "Mortgage,Escrow,3/19/2015,Closed with monetary relief,Yes,No,1290580"
UNDATED = "Mortgage,Escrow,soon,Closed with explanation,Yes,No,1290581"
SHORT = "Mortgage,Escrow"
WHOLE = (
    ("damaged-duplicate-header.csv", "uci-incidents", "the header names a column twice: category"),
    ("unnamed-index-column.csv", "cfpb", "the header has an unnamed column (number 1)"),
)


def written(folder: Path, *lines: str) -> str:
    path = folder / "complaints.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def rejects(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[:2] for row in csv.reader(file)]


def test_a_good_file_ends_with_exit_code_0(amends: CommandLine):
    told = amends("import", "cfpb", written(amends.folder, HEADER, GOOD))
    assert told.out == "1 rows read, 1 accepted, 0 refused; 10 events appended, 0 steps known already.\n"


def test_bad_rows_are_named_and_written_and_the_good_ones_kept(amends: CommandLine):
    out = amends.folder / "rejects.csv"
    file = written(amends.folder, HEADER, GOOD, UNDATED, SHORT)
    told = amends("import", "cfpb", file, "--rejects", str(out), code=2)
    assert told.out.startswith("3 rows read, 1 accepted, 2 refused; ")
    reasons = ["'soon' is not a date", "2 fields where the header names 7"]
    assert told.err.splitlines()[-2:] == [
        f"complaints.csv: line {n}: {why}" for n, why in zip((3, 4), reasons, strict=True)
    ]
    assert rejects(out) == [["line", "reason"], ["3", reasons[0]], ["4", reasons[1]]]


def test_a_second_run_appends_nothing(amends: CommandLine):
    file = written(amends.folder, HEADER, GOOD)
    first = amends("import", "cfpb", file, "--json").json
    again = amends("import", "cfpb", file, "--json").json
    assert (first["events"], first["replayed"]) == (10, 0)
    assert (again["events"], again["replayed"], again["accepted"]) == (0, 2, 1)


def test_a_dry_run_counts_and_appends_nothing(amends: CommandLine):
    file = written(amends.folder, HEADER, GOOD, UNDATED)
    dry = amends("import", "cfpb", file, "--dry-run", "--json", code=2).json
    assert (dry["rows"], dry["accepted"], dry["refused"], dry["events"], dry["dry_run"]) == (2, 1, 1, 0, True)
    assert amends("import", "cfpb", file, "--json", code=2).json["events"] == 10


def test_a_dry_run_needs_no_database(tmp_path: Path):
    nowhere = CommandLine(tmp_path, {"AMENDS_DATABASE_URL": "postgresql://127.0.0.1:1/none"})
    assert nowhere("import", "cfpb", written(tmp_path, HEADER, GOOD), "--dry-run", "--json").json["rows"] == 1


def test_quiet_says_only_what_went_wrong(amends: CommandLine):
    file = written(amends.folder, HEADER, GOOD, UNDATED)
    told = amends("import", "cfpb", file, "--quiet", code=2)
    assert (told.out, told.err) == ("", "complaints.csv: line 3: 'soon' is not a date\n")


def test_a_kind_of_file_that_nobody_knows_is_a_wrong_use(amends: CommandLine):
    told = amends("import", "zendesk", written(amends.folder, HEADER), code=2)
    assert "kind is one of cfpb, uci-incidents" in " ".join(told.err.replace("│", " ").split())


def test_a_file_cut_in_a_record_keeps_the_rows_before_and_names_the_cut_one(amends: CommandLine):
    out = amends.folder / "rejects.csv"
    file = data("bad-input") / "truncated-mid-record.csv"
    told = amends("import", "cfpb", str(file), "--rejects", str(out), "--json", code=2).json
    assert (told["accepted"], told["refused"]) == (18, 1)
    assert rejects(out)[1:] == [["23", "not a complete record: unexpected end of data"]]


def test_a_cut_record_keeps_its_text(amends: CommandLine):
    out = amends.folder / "rejects.csv"
    file = data("bad-input") / "truncated-mid-record.csv"
    amends("import", "cfpb", str(file), "--rejects", str(out), "--dry-run", code=2)
    with out.open(encoding="utf-8", newline="") as lines:
        [_, cut] = csv.reader(lines)
    text = file.read_text(encoding="utf-8").splitlines(keepends=True)
    assert cut[2:] == ["".join(text[22:]).rstrip("\n")]


def test_a_file_of_the_other_kind_is_recognised(amends: CommandLine):
    told = amends("import", "uci-incidents", written(amends.folder, HEADER, GOOD), "--dry-run", code=2)
    [line] = told.err.splitlines()[-1:]
    assert line.startswith("complaints.csv: line 1: no header: expected a line with the columns number, ")
    assert "; found: Product, Issue, Date received, Company response, ..." in line
    assert line.endswith("; this looks like a file for: amends import cfpb")


@pytest.mark.parametrize(("name", "good"), [("junk-before-header.csv", 57), ("slash-dates-crlf.csv", 59)])
def test_a_file_that_only_looks_bad_is_taken_whole(amends: CommandLine, name: str, good: int):
    out = amends.folder / "rejects.csv"
    file = str(data("bad-input") / name)
    told = amends("import", "cfpb", file, "--rejects", str(out), "--json").json
    assert (told["accepted"], told["refused"]) == (good, 0)
    assert rejects(out) == [["line", "reason"]]
    assert amends("import", "cfpb", file, "--json").json["events"] == 0


@pytest.mark.parametrize(("name", "kind", "reason"), WHOLE)
def test_a_file_with_a_damaged_header_is_refused_whole(amends: CommandLine, name: str, kind: str, reason: str):
    out = amends.folder / "rejects.csv"
    file = str(data("bad-input") / name)
    told = amends("import", kind, file, "--rejects", str(out), "--json", code=2)
    assert told.err == f"{name}: line 1: {reason}\n"
    assert (told.json["accepted"], told.json["refused"], told.json["events"]) == (0, 1, 0)
    assert rejects(out)[1:] == [["1", reason]]
