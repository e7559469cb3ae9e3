"""Deadlines: the times we set ourselves, by step and severity."""

from typing import Any

import pytest

from domain.duties import settle
from domain.moves.apology import Apologise
from domain.moves.contact import UpdateCustomer
from domain.moves.failure import Reassess
from domain.moves.handling import Acknowledge
from domain.moves.outcome import Close
from domain.moves.remedy import DeliverRemedy
from domain.moves.source_deadline import RecordSourceDeadline
from projections import deadlines
from projections.deadlines import StepDeadlines
from tests.support.given import Story
from tests.support.ledgers import Book
from tests.support.reporting import asked, minute, period, told
from tests.support.stories import reported, resolved

DAY = 24 * 60


def until(tale: Story, at: float) -> Story:
    """What time made due until then was recorded, as a sweeper records it."""
    for moment, event in settle(tale.state, minute(at)):
        tale.given(event, at=(moment - minute(0)).total_seconds() / 60)
    return tale


def cell(found: Any, step: str, severity: int | None = None) -> StepDeadlines:
    [one] = [one for one in found.steps if (one.step, one.severity) == (step, severity)]
    return one


def counts(one: StepDeadlines) -> tuple[int, int, int, int, int]:
    return one.set, one.met, one.missed, one.dropped, one.running


def test_a_clock_is_met_missed_or_still_running(shelf: Book):
    in_time = reported(severity=3).when(Acknowledge(), at=30)
    late = until(reported(severity=3), 120).when(Acknowledge(), at=240)
    never, waiting = until(reported(severity=3), 120), reported(severity=3)
    shelf = told(shelf, in_time, late, never, waiting)
    one = cell(asked(shelf, deadlines.report, period(as_of=90)), "acknowledge", 3)
    assert counts(one) == (4, 1, 0, 0, 3)
    one = cell(asked(shelf, deadlines.report, period(as_of=300)), "acknowledge", 3)
    assert counts(one) == (4, 1, 3, 0, 0)
    assert one.done_late == 1
    assert (one.kept.hits, one.kept.n, one.kept.share, one.kept.low, one.kept.high) == (1, 4, 0.25, 0.0456, 0.6994)


def test_s4_17_the_first_action_shows_the_median_and_the_tail_of_the_time_it_took(shelf: Book):
    # 240 minutes are allowed at severity 3.
    tales = [
        until(reported(severity=3), at).when(DeliverRemedy(remedy_kind="repair"), at=at)
        for at in (24, 48, 72, 96, 480)
    ]
    one = cell(asked(told(shelf, *tales), deadlines.report), "first_action", 3)
    assert (one.minutes.n, one.minutes.median, one.minutes.p90) == (5, 72, 326.4)
    assert (one.percent_of_allowed.median, one.percent_of_allowed.p90) == (30, 136)
    assert counts(one) == (5, 4, 1, 0, 0)


def test_every_step_is_told_by_severity_the_gravest_first_after_all_of_them(shelf: Book):
    found = asked(told(shelf, reported(severity=5), reported(severity=1)), deadlines.report, period(as_of=1))
    assert [(one.step, one.severity) for one in found.steps] == [
        *(("acknowledge", severity) for severity in (None, 5, 1)),
        *(("first_action", severity) for severity in (None, 5, 1)),
        *(("remedy", severity) for severity in (None, 5, 1)),
        *(("compensation", severity) for severity in (None, 5)),
    ]
    assert found.n == 7


def test_telling_the_customer_first_meets_the_first_clock_and_is_counted(shelf: Book):
    noticed = reported(detection="system_detected", severity=3)
    noticed.when(UpdateCustomer(kind="proactive", two_way=True, human=False), at=30)
    answered = reported(severity=3).when(Apologise(said="admits"), at=30)
    one = cell(asked(told(shelf, noticed, answered), deadlines.report), "acknowledge")
    assert (one.met, one.told_first) == (2, 1)


def test_a_step_that_nobody_expects_any_more_is_dropped(shelf: Book):
    withdrawn = reported(severity=3).when(Close(outcome="lost"), at=9)
    one = cell(asked(told(shelf, withdrawn), deadlines.report), "remedy")
    assert (counts(one), one.kept.share) == ((1, 0, 0, 1, 0), None)


def test_a_compensation_no_longer_expected_is_dropped_without_a_word(shelf: Book):
    tale = reported(severity=3).when(Reassess(fault="customer", reason="dropped by himself"), at=9)
    assert counts(cell(asked(told(shelf, tale), deadlines.report), "compensation")) == (1, 0, 0, 1, 0)


def test_what_was_put_right_another_way_is_met_when_it_is_resolved_in_time(shelf: Book):
    one = cell(asked(told(shelf, resolved(severity=3)), deadlines.report), "remedy")
    assert counts(one) == (1, 1, 0, 0, 0)


def test_a_clock_that_ran_out_before_it_was_recorded_raised_no_alarm_and_is_missed(shelf: Book):
    tale = reported(severity=3)
    assert settle(tale.state, minute(0)) == []
    late_news = until(reported(severity=3), 0).when(Acknowledge(), at=500)
    one = cell(asked(told(shelf, late_news), deadlines.report), "acknowledge")
    assert (one.missed, one.done_late) == (1, 1)


@pytest.mark.parametrize(("missed", "kept"), [(False, 1), (True, 0)])
def test_another_systems_clock_was_kept_unless_that_system_says_otherwise(shelf: Book, missed: bool, kept: int):
    tale = reported(history=True)
    deadline = RecordSourceDeadline(step="response", standard="us_cfpb", due_at=minute(15 * DAY), missed=missed)
    tale.when(deadline, at=1, importing=True).when(Close(outcome="lost"), at=40 * DAY)
    one = cell(asked(told(shelf, tale), deadlines.report), "response")
    assert (one.kept.hits, one.kept.n) == (kept, 1)
    assert one.minutes.n == 0


def test_a_system_that_tells_only_what_it_missed_has_no_share_of_what_it_kept(shelf: Book):
    tale = reported(history=True)
    tale.when(RecordSourceDeadline(step="remedy", standard="source", missed=True), at=1, importing=True)
    one = cell(asked(told(shelf, tale), deadlines.report), "remedy")
    assert (one.missed, one.only_told) == (1, 1)
    assert (one.kept.n, one.kept.share) == (0, None)


def test_the_period_goes_by_when_the_clock_was_started(shelf: Book):
    shelf = told(shelf, resolved(severity=3))  # its follow-up clock starts at minute 10
    assert {one.step for one in asked(shelf, deadlines.report, period(since=10)).steps} == {"follow_up"}
    assert "follow_up" not in {one.step for one in asked(shelf, deadlines.report, period(until=10)).steps}


def test_what_was_entered_in_error_does_not_count(shelf: Book):
    tale = reported(severity=3).when(Close(outcome="entered_in_error"), at=30)
    assert asked(told(shelf, tale), deadlines.report).steps == []
