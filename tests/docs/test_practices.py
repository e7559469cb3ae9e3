"""The page of practices says which rows the sources show, and forgets none."""

import os
import re

from tests.docs.practice_waiting import PARTLY, WAITING
from tests.docs.practices import ROOT, Shown, all_rows, page, played, showing
from tests.support.shared import design

PAGE = ROOT / "docs" / "practices.md"


def named() -> set[str]:
    """The rows that a test of a source names."""
    return {row for shown in played() for row in shown.rows}


def test_every_row_stands_in_the_docs_with_its_state_and_its_test():
    # After a change write the page anew: AMENDS_WRITE_DOCS=1 pytest tests/docs/test_practices.py -k docs
    told = page(WAITING, PARTLY)
    if os.environ.get("AMENDS_WRITE_DOCS"):
        PAGE.write_text(told, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == told


def test_every_row_is_shown_or_says_what_it_waits_for():
    forgotten = [row.id for row in all_rows() if row.id not in named() | WAITING.keys()]
    assert forgotten == []


def test_no_row_is_said_to_wait_that_is_shown_and_none_in_part_that_is_not():
    assert named() & WAITING.keys() == set()
    assert PARTLY.keys() - named() == set()


def test_only_rows_there_are_are_named():
    known = {row.id for row in all_rows()}
    assert (named() | WAITING.keys()) - known == set()


def test_the_rows_and_their_tiers_are_those_of_the_design():
    told = design("practices.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (S\d\.\d+) \|.*\| ([MS]) \|$", told, re.MULTILINE)
    assert len(found) == 128
    assert sorted(found) == sorted((row.id, row.tier) for row in all_rows())


def test_a_test_shows_the_rows_that_its_name_begins_with_if_it_runs_every_time():
    text = """
def test_s1_2_s2_21_a_courier_and_fifteen_a_day(): ...
def test_s1_7_2_minutes_later(): ...
def test_nothing_of_s1_3_in_front(): ...
@pytest.mark.soak
def test_s1_4_only_in_a_soak(): ...
@pytest.mark.xfail
def test_s1_5_that_fails(): ...
def helper_s1_6_is_no_test(): ...
class TestOne:
    def test_s1_8_in_a_class(self): ...
"""
    shown = list(showing(text, "tests/sources/test_one.py"))
    assert shown == [
        Shown(
            ("S1.2", "S2.21"),
            "test_s1_2_s2_21_a_courier_and_fifteen_a_day",
            "tests/sources/test_one.py",
        ),
        Shown(("S1.7",), "test_s1_7_2_minutes_later", "tests/sources/test_one.py"),
        Shown(("S1.8",), "test_s1_8_in_a_class", "tests/sources/test_one.py"),
    ]
