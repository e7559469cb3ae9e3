"""Voice: the customer's own word, and that he is leaving."""

import re

import pytest

from domain.milestones import OUTCOME_VALUES, VALUES, EscalationRaised, RecoveryReopened, SatisfactionStated
from domain.moves.apology import Apologise
from domain.moves.outcome import Close, Resolve
from domain.moves.remedy import DeliverRemedy
from domain.moves.voice import AnnounceLeaving, LeavingAnnounced, StateSatisfaction
from domain.relationship import About
from tests.support.given import named_id, refused, story
from tests.support.stories import PLUMS, only, report, reported, resolved


def test_what_is_said_without_naming_anything_is_about_the_only_open_recovery():
    (stated,) = reported().when(StateSatisfaction(instrument="CSAT", value=4)).then(SatisfactionStated)
    assert (stated.about, stated.recovery_id) == ("recovery", PLUMS)


def test_with_several_open_recoveries_it_is_about_the_relationship():
    both = reported().when(report("pears"))
    (stated,) = both.when(StateSatisfaction(instrument="CSAT", value=4)).then(SatisfactionStated)
    assert (stated.about, stated.recovery_id) == ("relationship", None)


def test_a_caller_may_say_that_it_is_about_the_relationship():
    said = StateSatisfaction(instrument="NPS", value=3, about="relationship")
    (stated,) = resolved().when(said, at=20).then(SatisfactionStated)
    assert (stated.about, stated.recovery_id) == ("relationship", None)


def test_a_caller_may_say_that_it_is_about_a_visit():
    said = StateSatisfaction(instrument="CES", value=7, about="encounter")
    (stated,) = reported().when(said).then(SatisfactionStated)
    assert stated.about == "encounter"


def test_a_caller_may_name_the_recovery_by_his_own_number():
    both = reported(order="4711").when(report("pears", order="4712"))
    said = StateSatisfaction(instrument="CSAT", value=5, about=About(order="4712"))
    (stated,) = both.when(said).then(SatisfactionStated)
    assert stated.recovery_id == named_id("pears")


def test_about_a_recovery_where_several_are_open_is_ambiguous():
    with refused("ambiguous_recovery"):
        reported().when(report("pears")).when(StateSatisfaction(instrument="CSAT", value=5, about="recovery"))


def test_a_word_about_the_relationship_names_no_recovery():
    with refused("invalid_value", field="about"):
        said = StateSatisfaction(instrument="CSAT", value=5, about="relationship", recovery_id=PLUMS)
        reported().when(said)


@pytest.mark.parametrize(
    ("instrument", "lowest", "highest"), [("CSAT", 1, 5), ("CES", 1, 7), ("NPS", 0, 10), ("OUTCOME", 0, 2)]
)
def test_each_instrument_has_its_range(instrument, lowest, highest):
    for value in (lowest, highest):
        reported().when(StateSatisfaction(instrument=instrument, value=value)).then(SatisfactionStated)
    for value in (lowest - 1, highest + 1, None):
        with refused("invalid_value", field="value"):
            reported().when(StateSatisfaction(instrument=instrument, value=value))


@pytest.mark.parametrize("instrument", ["VERBATIM", "REVIEW"])
def test_words_need_words_and_take_no_value(instrument):
    said = StateSatisfaction(instrument=instrument, verbatim="Ευχαριστώ πολύ.")
    (stated,) = reported().when(said).then(SatisfactionStated)
    assert (stated.verbatim, stated.value) == ("Ευχαριστώ πολύ.", None)
    with refused("invalid_value", field="verbatim"):
        reported().when(StateSatisfaction(instrument=instrument))
    with refused("invalid_value", field="value"):
        reported().when(StateSatisfaction(instrument=instrument, value=4, verbatim="Good."))


@pytest.mark.parametrize(("outcome", "value"), [("satisfied", 2), ("partly", 1), ("dissatisfied", 0)])
def test_an_outcome_may_be_given_as_a_word(outcome, value):
    (stated,) = reported().when(StateSatisfaction(instrument="OUTCOME", outcome=outcome)).then(SatisfactionStated)
    assert stated.value == value


def test_an_outcome_goes_with_no_other_instrument_and_no_other_value():
    with refused("invalid_value", field="outcome"):
        reported().when(StateSatisfaction(instrument="CSAT", outcome="satisfied"))
    with refused("invalid_value", field="outcome"):
        reported().when(StateSatisfaction(instrument="OUTCOME", outcome="satisfied", value=0))


@pytest.mark.parametrize(("instrument", "value"), [("CSAT", 2), ("NPS", 4), ("OUTCOME", 0)])
def test_the_first_low_word_on_a_resolved_recovery_opens_it_again(instrument, value):
    plums = resolved().when(StateSatisfaction(instrument=instrument, value=value), at=20)
    assert [type(event) for event in plums.last[:2]] == [SatisfactionStated, RecoveryReopened]
    assert plums.last[1].cause == "dissatisfied"


@pytest.mark.parametrize(("instrument", "value"), [("CSAT", 3), ("NPS", 5), ("OUTCOME", 1), ("CES", 1)])
def test_a_word_that_is_not_low_leaves_it_resolved(instrument, value):
    plums = resolved().when(StateSatisfaction(instrument=instrument, value=value), at=20)
    plums.then(SatisfactionStated)
    assert only(plums).stated


def test_the_first_low_word_on_a_closed_recovery_opens_it_again():
    plums = resolved().when(StateSatisfaction(instrument="CSAT", value=5), at=20)
    plums.when(Close(outcome="satisfied"), at=30)
    plums.when(StateSatisfaction(instrument="CSAT", value=1, recovery_id=PLUMS), at=40)
    assert isinstance(plums.last[1], RecoveryReopened)


def test_a_low_word_before_the_resolution_does_not_use_up_the_reopening():
    plums = reported().when(StateSatisfaction(instrument="CSAT", value=1), at=1)
    plums.then(SatisfactionStated)
    plums.when(Apologise(said="admits"), at=2).when(DeliverRemedy(remedy_kind="replacement"), at=3)
    plums.when(Resolve(), at=4).when(StateSatisfaction(instrument="CSAT", value=1), at=5)
    assert isinstance(plums.last[1], RecoveryReopened)


def test_a_later_low_word_goes_to_another_person():
    plums = resolved().when(StateSatisfaction(instrument="CSAT", value=1), at=20)
    plums.when(Apologise(said="admits"), at=21).when(DeliverRemedy(remedy_kind="refund"), at=22)
    plums.when(Resolve(), at=23).when(StateSatisfaction(instrument="CSAT", value=1), at=24)
    _, escalated = plums.then(SatisfactionStated, EscalationRaised)
    assert escalated.level == 1
    assert only(plums).phase == "resolved"


def test_a_word_about_nobody_we_know_is_refused():
    with refused("unknown_ref"):
        story().when(StateSatisfaction(instrument="CSAT", value=5))


def test_leaving_marks_every_open_recovery():
    plums = resolved().when(StateSatisfaction(instrument="CSAT", value=5), at=11)
    plums.when(Close(outcome="satisfied"), at=12).when(report("pears"), at=13)
    plums.when(AnnounceLeaving(competitor="The shop across the road"), at=14)
    leaving, _ = plums.then(LeavingAnnounced, EscalationRaised)
    assert leaving.competitor == "The shop across the road"
    assert plums.state.recoveries[named_id("pears")].leaving
    assert not plums.state.recoveries[PLUMS].leaving


def test_nobody_we_do_not_know_can_leave():
    with refused("unknown_ref"):
        story().when(AnnounceLeaving())


def test_the_range_of_each_instrument_is_told_where_it_is_asked_for():
    told = " ".join((StateSatisfaction.__doc__ or "").split())
    for instrument, (lowest, highest) in VALUES.items():
        assert re.search(f"{instrument}( goes)? from {lowest} to {highest}\\b", told)
    for value, outcome in enumerate(OUTCOME_VALUES):
        assert f"{value} {outcome}" in told
