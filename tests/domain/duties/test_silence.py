"""D2: a customer who hears nothing."""

from datetime import timedelta

from domain.clocks import SilenceNoticed
from domain.milestones import RelationshipOpened
from domain.moves.apology import Apologise, ApologyMade
from domain.moves.failure import Reassess, ReportFailure
from domain.moves.relationship import LinkReference
from tests.support.clockwork import DAY, HOUR, Clockwork
from tests.support.given import START, named_id

CD = named_id("cd")
FAULTY_CD = ReportFailure(what="wrong_or_broken", description="It skips.", recovery_id=CD, severity=3)
REFERENCES = (("crm", "C-1001"),)


def reported(**changes: object) -> Clockwork:
    return Clockwork().told(FAULTY_CD.model_copy(update=changes), at=0, references=REFERENCES)


def test_silence_is_noticed_once_an_interval_and_at_most_seven_times():
    clock = reported()
    clock.sweep(60 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [
        2 * DAY,
        4 * DAY,
        6 * DAY,
        8 * DAY,
        10 * DAY,
        12 * DAY,
        14 * DAY,
    ]


def test_an_alarm_says_since_when_and_which_one_it_is():
    clock = reported()
    clock.sweep(4 * DAY)
    alarms = [fact.event for fact in clock.story.facts if isinstance(fact.event, SilenceNoticed)]
    assert alarms == [
        SilenceNoticed(recovery_id=CD, silent_since=START, n=1),
        SilenceNoticed(recovery_id=CD, silent_since=START, n=2),
    ]
    assert clock.recovery.silent_since == START


def test_a_contact_ends_the_silence_and_counts_anew():
    clock = reported().told(Apologise(said="regret"), at=3 * DAY)
    clock.sweep(6 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [2 * DAY, 5 * DAY]
    assert clock.recovery.silences == 1


def test_nobody_can_be_silent_towards_a_customer_who_left_no_address():
    clock = Clockwork().told(FAULTY_CD, at=0)
    clock.sweep(60 * DAY)
    assert clock.log("silence.noticed") == []
    assert clock.log("deadline.missed") != []


def test_the_interval_follows_the_higher_of_both_severities():
    clock = reported(severity=1, severity_customer=5)
    clock.sweep(3 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [DAY, 2 * DAY, 3 * DAY]


def test_late_news_starts_no_silence_until_the_next_contact():
    clock = Clockwork()
    clock.story.when(FAULTY_CD, at=0, recorded_at=2 * DAY, references=REFERENCES)
    clock.sweep(9 * DAY)
    assert clock.log("silence.noticed") == []
    clock.told(Apologise(said="regret"), at=10 * DAY)
    clock.sweep(12 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [12 * DAY]


def test_late_news_whose_first_interval_is_still_running_does_start_one():
    clock = Clockwork()
    clock.story.when(FAULTY_CD, at=0, recorded_at=2 * DAY - 1, references=REFERENCES)
    clock.sweep(2 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [2 * DAY]


def test_a_contact_told_late_does_not_turn_the_clock_back():
    clock = reported().told(Apologise(said="regret"), at=DAY)
    earlier = ApologyMade(recovery_id=CD, stage="acknowledgement", said="regret")
    clock.sweep(DAY + HOUR)
    clock.happened(earlier, at=HOUR, recorded_at=DAY + HOUR)
    clock.sweep(4 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [3 * DAY]


def test_a_graver_view_of_it_counts_from_then_and_tells_of_no_silence_before():
    clock = reported(severity=1).told(Reassess(severity=5, reason="He cannot work."), at=4 * DAY + 20 * HOUR)
    assert clock.due == 5 * DAY
    clock.sweep(60 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [5 * DAY + n * 4 * HOUR for n in range(7)]


def test_a_graver_view_after_an_alarm_goes_on_one_interval_after_the_alarm():
    clock = reported(severity=1).told(Reassess(severity=2, reason="Two weeks lost."), at=5 * DAY + 1)
    clock.sweep(12 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [5 * DAY, 8 * DAY, 11 * DAY]


def test_silence_towards_a_customer_who_leaves_his_address_later_counts_from_then():
    clock = Clockwork().told(FAULTY_CD, at=0).told(LinkReference(kind="crm", value="C-1001"), at=31 * DAY)
    clock.sweep(90 * DAY)
    assert [at for at, _ in clock.log("silence.noticed")] == [(32 + 2 * n) * DAY for n in range(7)]


def test_one_more_address_of_a_customer_who_had_one_changes_nothing():
    clock = Clockwork()
    clock.story.when(FAULTY_CD, at=0, recorded_at=2 * DAY, references=REFERENCES)
    clock.told(LinkReference(kind="phone", value="555-0101"), at=3 * DAY)
    clock.sweep(60 * DAY)
    assert clock.log("silence.noticed") == []


def test_history_and_imports_are_never_silent():
    history = reported(history=True)
    imported = Clockwork().told(FAULTY_CD, at=0, references=REFERENCES, importing=True)
    assert history.sweep(60 * DAY) == []
    assert imported.sweep(60 * DAY) == []


def test_a_customer_whom_nobody_may_contact_is_not_called_silent():
    clock = Clockwork().happened(RelationshipOpened(contactable=False), at=0).told(FAULTY_CD, at=1)
    clock.sweep(2 * DAY + timedelta(hours=1) / timedelta(minutes=1))
    assert clock.log("silence.noticed") == []
