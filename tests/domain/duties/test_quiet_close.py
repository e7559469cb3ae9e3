"""D7: a small matter that was put right and stays quiet closes by itself."""

from domain.moves.apology import Apologise
from domain.moves.failure import ReportFailure
from domain.moves.follow_up import AttemptFollowUp
from domain.moves.obstacle import ObstacleEncountered
from domain.moves.outcome import RecoveryClosed, RecoveryResolved, Reopen
from domain.moves.voice import StateSatisfaction
from domain.moves.waiver import StepWaived, WaiveStep
from tests.support.clockwork import DAY, HOUR, Clockwork
from tests.support.given import named_id

SOUP = named_id("soup")
COLD_SOUP = ReportFailure(what="badly_done", description="The soup was cold.", recovery_id=SOUP)
RESOLVED = RecoveryResolved(recovery_id=SOUP, how_code="reperform", first_contact=True)


def resolved(at: float = HOUR, **changes: object) -> Clockwork:
    clock = Clockwork().told(COLD_SOUP.model_copy(update=changes), at=0)
    return clock.told(Apologise(said="admits"), at=1).happened(RESOLVED, at=at)


def test_a_small_matter_closes_after_seven_quiet_days_and_says_that_nobody_asked():
    clock = resolved(at=HOUR)
    assert clock.due == 7 * DAY + HOUR
    assert clock.sweep(7 * DAY + HOUR - 1) == []
    assert clock.sweep(7 * DAY + HOUR) == [
        StepWaived(recovery_id=SOUP, step="follow_up", reason="trivial"),
        RecoveryClosed(recovery_id=SOUP, outcome="not_asked"),
    ]
    assert clock.recovery.phase == "closed"
    assert clock.due is None


def test_both_events_happen_at_the_due_time_however_late_the_sweep():
    clock = resolved(at=HOUR)
    clock.sweep(40 * DAY)
    assert clock.log("step.waived", "recovery.closed") == [
        (7 * DAY + HOUR, "step.waived follow_up"),
        (7 * DAY + HOUR, "recovery.closed"),
    ]


def test_whatever_happens_in_between_starts_the_seven_days_anew():
    clock = resolved(at=HOUR)
    clock.told(StateSatisfaction(instrument="VERBATIM", verbatim="Thank you."), at=3 * DAY)
    assert clock.due == 10 * DAY


def test_severity_three_is_never_closed_without_a_word():
    clock = resolved(severity=3)
    clock.sweep(60 * DAY)
    assert clock.recovery.phase == "resolved"


def test_a_matter_that_the_customer_finds_serious_is_not_small():
    clock = resolved(severity=1, severity_customer=3)
    clock.sweep(60 * DAY)
    assert clock.recovery.phase == "resolved"


def test_a_follow_up_waived_before_is_not_waived_twice():
    clock = resolved().told(WaiveStep(step="follow_up", reason="customer_request"), at=2 * HOUR)
    assert clock.sweep(60 * DAY) == [RecoveryClosed(recovery_id=SOUP, outcome="not_asked")]


def test_a_customer_whom_somebody_has_asked_is_not_closed_as_not_asked():
    clock = resolved().told(AttemptFollowUp(outcome="no_answer"), at=2 * DAY)
    assert clock.sweep(60 * DAY) == []
    assert clock.recovery.phase == "resolved"


def test_what_was_opened_again_does_not_close_until_it_is_put_right_again():
    clock = resolved().told(Reopen(cause="recurrence"), at=DAY).told(Apologise(said="admits"), at=DAY + 1)
    clock.sweep(30 * DAY)
    assert clock.recovery.phase == "acting"
    clock.happened(RESOLVED, at=30 * DAY)
    clock.sweep(37 * DAY)
    assert clock.recovery.phase == "closed"


def test_history_is_left_as_it_was_told():
    clock = resolved(history=True)
    assert clock.sweep(60 * DAY) == []


def test_a_resolution_told_more_than_seven_days_late_closes_nothing_by_itself():
    clock = Clockwork().told(COLD_SOUP, at=0).happened(RESOLVED, at=HOUR, recorded_at=8 * DAY)
    assert clock.sweep(60 * DAY) == []


def test_news_of_an_earlier_time_does_not_shorten_the_seven_days():
    clock = resolved(at=3 * DAY)
    clock.sweep(4 * DAY)
    earlier = ObstacleEncountered(recovery_id=SOUP, obstacle_id=named_id("oven"), kind="tool_or_equipment")
    clock.happened(earlier, at=DAY, recorded_at=4 * DAY)
    assert clock.due == 10 * DAY
