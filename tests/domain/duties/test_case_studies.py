"""Case studies: which recoveries the house should read about once they are closed (D8)."""

from typing import Any

import pytest

from domain.duties.case_studies import Reason, worth_reading
from domain.duties.signs import Sign, SignKind
from tests.support.careers import day
from tests.support.given import named_id

BEFORE = 7000
"""The score that was published before the failure."""


class Signs:
    """The signs of one recovery in the making."""

    def __init__(self, severity: int = 2, **said: Any) -> None:
        self.signs: list[Sign] = []
        self.then("failed", "late:", severity, **said)

    def then(self, kind: SignKind, about: str | None = None, value: int | None = None, **said: Any) -> "Signs":
        position = len(self.signs) + 1
        event = named_id(f"event {position}")
        known = {"event_id": event, "stream_id": named_id("he"), "recovery_id": named_id("case")}
        at = day(position)
        self.signs.append(
            Sign(
                position=position,
                kind=kind,
                about=about,
                value=value,
                occurred_at=at,
                recorded_at=at,
                **known,
                **said,
            )
        )
        return self

    def closed(self, outcome: str = "satisfied") -> "Signs":
        return self.then("closed", outcome)

    def stated(self, instrument: str, value: int) -> "Signs":
        return self.then("stated", instrument, value)

    @property
    def worth(self) -> tuple[int, Reason] | None:
        """At which position it became worth reading about, and why."""
        found = worth_reading(self.signs, lambda sign: BEFORE)
        return None if found is None else (found[0].position, found[1])


def test_a_grave_failure_is_once_it_is_closed():
    assert Signs(4).worth is None
    assert Signs(4).closed().worth == (2, "severe")
    assert Signs(3).closed().worth is None


def test_the_customer_s_own_word_makes_it_grave_and_so_does_a_later_look():
    assert Signs(1, customer_value=5).closed().worth == (2, "severe")
    assert Signs(1, customer_value=3).closed().worth is None
    assert Signs(2).then("weighed", "severity", 4).closed().worth == (3, "severe")
    assert Signs(4).then("weighed", "severity", 2).closed().worth is None


def test_one_that_failed_again_is():
    assert Signs().then("failed_again").closed().worth == (3, "failed_again")
    assert Signs().closed().then("reopened", "recurrence").closed().worth == (4, "failed_again")
    assert Signs().closed().then("reopened", "dissatisfied").closed().worth is None


def test_a_remedy_that_failed_after_closing_is_told_with_what_followed():
    again = Signs().closed().then("failed_again").then("reopened", "remedy_failed")
    assert again.worth is None
    assert again.closed().worth == (5, "failed_again")


@pytest.mark.parametrize(("instrument", "least"), [("CSAT", 4), ("CES", 6), ("NPS", 8), ("OUTCOME", 2)])
def test_a_real_loss_with_a_content_customer_is(instrument: str, least: int):
    paradox_apart = 9500
    for value, worth in ((least, "content"), (least - 1, None)):
        told = Signs(3).stated(instrument, value).closed()
        found = worth_reading(told.signs, lambda sign: paradox_apart)
        assert (found[1] if found else None) == worth
    small = Signs(2).stated(instrument, least).closed()
    assert worth_reading(small.signs, lambda sign: paradox_apart) is None


def test_a_customer_more_content_than_before_is_a_paradox_whatever_the_severity():
    assert Signs(1).stated("CSAT", 5).closed().worth == (3, "paradox")
    assert Signs(1).stated("CSAT", 3).closed().worth is None


def test_a_word_after_closing_makes_it_worth_reading_about_then_and_only_once():
    told = Signs(3).closed("unreachable").stated("NPS", 9)
    assert told.worth == (3, "content")
    assert told.stated("NPS", 10).worth == (3, "content")


def test_what_was_no_failure_after_all_and_history_are_not():
    for outcome in ("withdrawn", "duplicate", "entered_in_error"):
        assert Signs(5).closed(outcome).worth is None
    assert Signs(5).closed("lost").worth == (2, "severe")
    assert Signs(5, counts=False).closed().worth is None
