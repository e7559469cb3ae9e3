"""Training, workload and naming: what else is known of a colleague."""

import pytest

from domain.colleagues.naming import NamingConsentSet, SetNamingConsent
from domain.colleagues.post import Leave
from domain.colleagues.state import ColleagueCommand
from domain.colleagues.training import CompleteTraining, TrainingCompleted
from domain.colleagues.workload import AbsenceRecorded, CapacitySet, RecordAbsence, SetCapacity
from domain.standards.authority import Asker, Authority, Rule, most_generous
from domain.standards.document import Standard
from domain.values import Money
from tests.support.careers import Career, day, joined
from tests.support.given import refused


def euro(cents: int) -> Money:
    return Money(minor=cents, currency="EUR")


def test_s3_9_the_limit_rises_with_completed_training():
    rules = (
        Rule(rule_id="all", role_classes={"front"}, per_grant=euro(20_00)),
        Rule(rule_id="trained", role_classes={"front"}, per_grant=euro(100_00), requires_training={"generosity"}),
    )
    house = [Standard(name="shop", body=Authority(rules=rules))]
    career = joined()

    def limit() -> str:
        asker = Asker(role="representative", role_class="front", training=career.state.training)
        ruling = most_generous(house, asker)
        assert ruling is not None
        return str(ruling.rule.per_grant)

    assert limit() == "20.00 EUR"
    career.when(CompleteTraining(topic="generosity", format="coaching")).then(TrainingCompleted)
    assert limit() == "100.00 EUR"


@pytest.mark.parametrize("form", ["course", "informal", "shadowing", "a_form_of_tomorrow"])
def test_s4_29_the_form_of_a_training_does_not_matter(form: str):
    trained = Career().when(CompleteTraining(topic="returns", format=form))
    assert trained.state.training == {"returns"}


def test_capacity_is_in_points_of_the_house():
    career = joined().when(SetCapacity(points=8))
    career.then(CapacitySet)
    assert career.state.capacity == 8


def test_an_absence_lasts_until_its_end_or_the_next_word():
    away = joined().when(RecordAbsence(begins=day(2)))
    away.then(AbsenceRecorded)
    assert [away.state.absent_at(day(at)) for at in (1, 2, 300)] == [False, True, True]
    away.when(RecordAbsence(begins=day(2), ends=day(4)))
    assert [away.state.absent_at(day(at)) for at in (2, 3.9, 4)] == [True, True, False]


def test_an_absence_ends_after_it_begins():
    with refused("invalid_value", field="ends"):
        joined().when(RecordAbsence(begins=day(2), ends=day(2)))


def test_s5_13_nobody_is_named_who_did_not_say_so():
    career = joined()
    assert not career.state.may_be_named
    career.when(SetNamingConsent(given=True, name="the man with the wrench")).then(NamingConsentSet)
    assert career.state.may_be_named
    career.when(SetNamingConsent(given=False))
    assert not career.state.may_be_named


def test_whoever_is_not_named_has_no_name_here():
    with refused("invalid_value", field="name"):
        joined().when(SetNamingConsent(given=False, name="somebody"))


@pytest.mark.parametrize(
    "command",
    [
        SetCapacity(points=1),
        RecordAbsence(begins=day(1)),
        CompleteTraining(topic="returns"),
        SetNamingConsent(given=True),
    ],
    ids=lambda command: command.PATH,
)
def test_nothing_more_is_recorded_of_whoever_left(command: ColleagueCommand):
    with refused("unknown_ref", what="colleague"):
        joined().when(Leave()).when(command)
