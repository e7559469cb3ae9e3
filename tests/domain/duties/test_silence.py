"""D2: a customer who hears nothing."""

from datetime import timedelta

from domain.alarms import SilenceTimed
from domain.clocks import SilenceNoticed
from domain.kinds import UNPUBLISHED
from domain.milestones import RelationshipOpened
from domain.moves.apology import Apologise, ApologyMade
from domain.moves.failure import Reassess, ReportFailure
from domain.moves.handling import Assign
from domain.moves.relationship import LinkReference
from domain.standards.calendar import Calendar
from domain.standards.document import Standard
from domain.standards.house import House
from tests.support.clockwork import DAY, HOUR, Clockwork
from tests.support.given import START, named_id
from tests.support.houses import WEEKDAYS, open_on_weekdays

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


# Where the house has promised times of its own.


def of_house(house: House, **changes: object) -> Clockwork:
    clock = Clockwork()
    clock.story.house = house
    return clock.told(FAULTY_CD.model_copy(update=changes), at=0, references=REFERENCES)


def alarms(clock: Clockwork) -> list[float]:
    return [at for at, _ in clock.log("silence.noticed")]


def test_silence_counts_in_the_opening_hours_of_the_house_and_names_the_standard():
    clock = of_house(open_on_weekdays())
    clock.sweep(60 * DAY)
    # Two business days each: at closing time on Wednesday, Friday, Tuesday, Thursday, Monday, Wednesday, Friday.
    closing = [2, 4, 8, 10, 14, 16, 18]
    assert alarms(clock) == [day * DAY + 6 * HOUR for day in closing]
    (timed,) = (fact.event for fact in clock.story.facts if isinstance(fact.event, SilenceTimed))
    assert (timed.standard, timed.version, timed.calendar) == ("targets:shipped", 2, "shop")
    assert timed.times == tuple(START + timedelta(days=day, hours=6) for day in closing)


def test_silence_goes_by_the_clock_on_the_wall_when_that_is_changed():
    clock = of_house(open_on_weekdays(), severity=1)
    clock.sweep(40 * DAY)
    # Five business days each. From 29 March on five in the afternoon is an hour earlier.
    assert alarms(clock) == [
        *(7 * week * DAY + 6 * HOUR for week in (1, 2, 3)),
        *(7 * week * DAY + 5 * HOUR for week in (4, 5)),
    ]


def test_every_contact_counts_anew_by_what_the_house_promises_then():
    clock = of_house(open_on_weekdays())
    clock.story.house = open_on_weekdays(version=3, update_interval=("4 bd", "3 bd", "1 bd", "1 bd", "4 h"))
    clock.told(Apologise(said="regret"), at=3 * DAY)
    clock.sweep(5 * DAY)
    # A contact on Thursday, and one business day: Friday. Before it the two days of the version before.
    assert alarms(clock) == [2 * DAY + 6 * HOUR, 4 * DAY + 6 * HOUR]
    assert len(clock.log("silence.timed")) == 2


def test_a_new_version_leaves_the_silence_that_counts_already_as_it_was_promised():
    clock = of_house(open_on_weekdays())
    clock.story.house = open_on_weekdays(version=3, update_interval=("1 bd", "1 bd", "1 bd", "1 bd", "4 h"))
    clock.sweep(4 * DAY)
    assert alarms(clock) == [2 * DAY + 6 * HOUR]


def test_a_house_that_goes_by_what_ships_records_no_times():
    assert reported().log("silence.timed") == []


def test_intervals_that_come_to_what_ships_are_not_recorded():
    # At severity 5 nobody waits for opening hours.
    clock = of_house(open_on_weekdays(), severity=5)
    assert clock.log("silence.timed") == []
    clock.sweep(DAY)
    assert alarms(clock) == [4 * n * HOUR for n in range(1, 7)]


def test_a_house_that_publishes_meanwhile_is_held_to_it_from_the_next_contact_on():
    clock = reported()
    clock.story.house = open_on_weekdays()
    clock.sweep(2 * DAY + HOUR)
    assert alarms(clock) == [2 * DAY]
    clock.told(Apologise(said="regret"), at=3 * DAY)
    clock.sweep(8 * DAY + 6 * HOUR)
    assert alarms(clock) == [2 * DAY, 7 * DAY + 6 * HOUR]


def test_a_house_that_retires_its_promises_goes_by_what_ships_from_the_next_contact_on():
    clock = of_house(open_on_weekdays())
    clock.story.house = UNPUBLISHED
    clock.told(Apologise(said="regret"), at=HOUR)
    clock.sweep(2 * DAY + HOUR)
    assert alarms(clock) == [2 * DAY + HOUR]


def test_a_team_with_hours_of_its_own_is_silent_by_those_whatever_targets_ship():
    clock = reported()
    shop = Standard[Calendar](name="shop", version=1, body=WEEKDAYS)
    clock.story.house = House.at(START, [shop])
    clock.told(Assign(team="shop"), at=HOUR)
    clock.told(Apologise(said="regret"), at=2 * HOUR)
    clock.sweep(3 * DAY)
    assert alarms(clock) == [2 * DAY + 6 * HOUR]


def test_a_contact_told_after_its_first_interval_in_business_time_is_followed_by_no_alarm():
    clock = Clockwork()
    clock.story.house = open_on_weekdays()
    clock.story.when(FAULTY_CD, at=0, recorded_at=2 * DAY + 6 * HOUR, references=REFERENCES)
    clock.sweep(30 * DAY)
    assert alarms(clock) == []


def test_a_graver_view_of_it_in_business_time_counts_from_then_and_goes_on_after_the_alarms_so_far():
    clock = of_house(open_on_weekdays(), severity=1)
    clock.told(Reassess(severity=4, reason="He cannot work."), at=8 * DAY)
    clock.sweep(60 * DAY)
    # One alarm after five business days, on Monday; then one each business day, seven in all.
    assert alarms(clock) == [day * DAY + 6 * HOUR for day in (7, 8, 9, 10, 11, 14, 15)]


def test_a_graver_view_lets_the_business_days_be_that_have_passed_by_then():
    clock = of_house(open_on_weekdays(), severity=1)
    clock.told(Reassess(severity=4, reason="He cannot work."), at=3 * DAY)
    clock.sweep(5 * DAY)
    assert alarms(clock) == [4 * DAY + 6 * HOUR]


def test_silence_in_business_time_towards_one_who_leaves_his_address_later_counts_from_then():
    clock = Clockwork()
    clock.story.house = open_on_weekdays()
    clock.told(FAULTY_CD, at=0)
    assert clock.log("silence.timed") == []
    clock.told(LinkReference(kind="crm", value="C-1001"), at=30 * DAY)
    clock.sweep(33 * DAY)
    # Told on Wednesday the first of April: Friday at closing, in summer time.
    assert alarms(clock) == [32 * DAY + 5 * HOUR]
