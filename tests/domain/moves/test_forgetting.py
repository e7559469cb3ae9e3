"""Forgetting: after its time nobody knows whom a report named, and nothing else changes."""

from domain.moves.cause import AttributeCause
from domain.moves.forgetting import ColleagueNameErased, EraseColleagueName
from domain.moves.relationship import PersonalDataErased
from domain.moves.treatment import AnswerTreatment, ReportTreatment
from domain.satisfaction import START, step
from tests.support.given import Story, colleague, named_id, refused
from tests.support.stories import PLUMS, only, report, reported

KEY = named_id("key")


def forgotten(plums: Story, *positions: int, at: float = 100) -> Story:
    """The time of these reports is over."""
    for position in positions:
        plums.by_position.pop(position)
    return plums.when(EraseColleagueName(positions=positions, key_ids=(KEY,)), at=at)


def named() -> Story:
    return reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)


def test_what_is_erased_is_recorded_by_position_and_key():
    plums = named()
    where = plums.state.position
    (erased,) = forgotten(plums, where).then(ColleagueNameErased)
    assert (erased.positions, erased.key_ids, erased.forgets()) == ((where,), (KEY,), (where,))


def test_the_rule_of_the_own_case_no_longer_knows_him():
    plums = named()
    with refused("own_case"):
        plums.when(AttributeCause(cause_class="training"), at=2, actor=colleague("m.vance"))
    forgotten(plums, plums.state.position)
    assert only(plums).treatments == ()
    plums.when(AttributeCause(cause_class="training"), at=101, actor=colleague("m.vance"))


def test_a_report_that_is_forgotten_is_answered_by_nobody():
    plums = named()
    forgotten(plums, plums.state.position)
    with refused("unknown_ref"):
        plums.when(AnswerTreatment(note="It was me.", recovery_id=PLUMS), at=101, actor=colleague("m.vance"))


def test_others_stay_as_they_are():
    plums = named()
    first = plums.state.position
    plums.when(ReportTreatment(treatment="blaming", by_colleague="a.third"), at=2)
    second = plums.state.position
    forgotten(plums, first)
    assert only(plums).treatments == (second,)


def test_a_report_of_the_relationship_alone_is_forgotten_too():
    both = reported().when(report("pears")).when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)
    assert both.state.treatments == (both.state.position,)
    forgotten(both, both.state.position)
    assert both.state.treatments == ()


def test_the_score_is_what_it_was():
    plums = named()
    forgotten(plums, plums.state.position)
    score = START
    for fact in plums.facts[:-1]:
        score, _ = step(score, fact)
    assert step(score, plums.facts[-1]) == (score, ())


def test_of_a_customer_who_was_forgotten_the_colleague_s_name_is_erased_as_well():
    plums = named()
    where = plums.state.position
    plums.given(PersonalDataErased(request="r-1"))
    forgotten(plums, where).then(ColleagueNameErased)
    assert plums.state.status == "erased"
